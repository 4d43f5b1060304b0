"""Levels of the log, by the names that Vault has for them."""

import logging

TRACE = 5

LEVELS = {
    "trace": TRACE,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}
"""Each name with Python's number for it."""
ALIASES = {"notice": "info", "warning": "warn", "err": "error"}
"""Other names that Vault takes."""


def level_name(text: str) -> str | None:
    """The one of `LEVELS` that `text` means, in any case; None when it means none."""
    word = text.strip().lower()
    word = ALIASES.get(word, word)
    return word if word in LEVELS else None


def name_of(level: int) -> str:
    """The name of the level that `level` lies in."""
    found = "trace"
    for name, number in LEVELS.items():
        if number <= level:
            found = name
    return found
