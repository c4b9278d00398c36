"""The headless loop: one instance per workspace that starts what is due and keeps the services alive."""
