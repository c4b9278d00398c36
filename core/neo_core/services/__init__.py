"""Processes that should always run: their catalogue, probes, restarts, adoption, and a read-only observer."""
