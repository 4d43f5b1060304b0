"""Wardgate decides who gets which secret and for how long; it speaks the Vault HTTP API."""

__version__ = "0.1.0"
