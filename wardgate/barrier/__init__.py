"""Encryption at rest: keyring, barrier, seals."""
