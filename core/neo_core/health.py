"""One verdict over a snapshot: healthy, degraded or unhealthy, with every cause."""
