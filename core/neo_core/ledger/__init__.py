"""The durable record of runs, outcomes and controls: SQLite, one file per workspace."""
