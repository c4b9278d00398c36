"""Rows of tables as plain values, computed from the snapshot; no widget is known here."""
