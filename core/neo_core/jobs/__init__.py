"""The built-in maintenance jobs, each a program of its own: ``python -m neo_core.jobs.NAME --workspace DIR``."""
