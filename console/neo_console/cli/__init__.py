"""The ``neo-console`` command line: the same engine as the console, and no textual until the console opens."""
