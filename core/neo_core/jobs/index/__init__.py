"""The full-text index of the workspace: which files, what of them, and how it is searched."""
