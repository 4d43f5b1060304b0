"""Leases: for how long what was given out is good, and that it ends."""
