"""What the lease costs, beside every other lock, in one run: ``python -m tests.bench --help``."""
