"""Tokens: what they are, how long they live, how they are found and how they end."""
