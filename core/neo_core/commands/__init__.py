"""The engine's own commands; they never load a user interface."""
