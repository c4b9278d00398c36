"""A walk through the console on a real terminal: every action of the key table over a workspace that is alive."""
