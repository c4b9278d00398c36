"""What actions do: ask, confirm, act through the engine, report."""
