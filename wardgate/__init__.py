"""Wardgate decides who gets which secret, for how long, and with whose approval."""

__version__ = "0.1.0"
