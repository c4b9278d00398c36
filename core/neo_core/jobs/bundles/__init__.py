"""Backup bundles: what goes in, how it is copied and verified, how long it stays."""
