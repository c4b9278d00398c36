"""Memory pressure: signals per platform, incidents as a pure state machine, forecasts from past runs."""
