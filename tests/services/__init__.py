"""Doubles of the services that Wardgate asks, on this machine, with the manners of the real ones."""
