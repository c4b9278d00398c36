"""Torture for the lease: ``python -m tests.torture --help``. Every scenario can fail; see ``weakened.py``."""
