"""The operator console: a Textual app and the ``neo-console`` command line, both over ``neo_core.engine``."""
