"""Relief from memory pressure, by an operator only: what can be done, what it should free, and what it freed."""
