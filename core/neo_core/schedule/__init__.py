"""Due rules, gates and decisions: pure functions over facts."""
