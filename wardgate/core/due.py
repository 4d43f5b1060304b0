"""Indexes by time: entries that sort by when they are due, which the sweeper reads from the front.

An entry is called ``TIME-NAME``: 13 hexadecimal digits of milliseconds since the epoch, then what is
due. Times are in seconds since the epoch everywhere else. They are rounded up: whoever finds an
entry due finds that the time has come by the record's own, finer clock too.
"""

import math


def due_entry(time: float, name: str) -> str:
    """The entry of what is due at `time`."""
    return f"{max(0, math.ceil(time * 1000)):013x}-{name}"


def is_due(entry: str, now: float) -> bool:
    """Whether the time of an entry has come."""
    return int(entry.partition("-")[0], 16) <= now * 1000


def due_name(entry: str) -> str:
    """The name of what an entry is about."""
    return entry.partition("-")[2]
