"""Lengths of time as Vault's API takes and gives them.

Clients write a duration as a number of seconds (`90`, `"90"`), in Go's notation (`"1h30m"`,
`"1.5h"`, `"250ms"`) or in whole days (`"7d"`); answers use whole seconds or Go's notation. The
forms accepted here are those that OpenBao 2.7.2 accepts, found by asking it.

Negative durations are read, since some fields give them a meaning; whoever takes a duration refuses
them where they make no sense. Errors are `ValueError` and never repeat the value.
"""

import math
import re
from fractions import Fraction
from functools import lru_cache

_SECOND = 1_000_000_000
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,
    "\u03bcs": 1_000,
    "ms": 1_000_000,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
}
_DAY = 86_400 * _SECOND

# Longer numbers are far out of range anyway, and Python refuses to read very long ones.
_MAX_LENGTH = 64
# What 64 bits of nanoseconds hold: about 292 years.
_MAX_NANOSECONDS = 2**63 - 1

_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_UNIT = r"(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h)"
_SECONDS = re.compile(r"[+-]?[0-9]+")
_DAYS = re.compile(r"([+-]?[0-9]+)d")
_GO = re.compile(rf"([+-]?)((?:{_NUMBER}{_UNIT})+)")
_PIECE = re.compile(rf"({_NUMBER})({_UNIT})")


def parse_duration(value: str | int | float) -> int:
    """`value` in whole seconds; what is left of a second is dropped.

    The empty string is 0. Raises ValueError for anything that is not a duration, or one beyond 292
    years.
    """
    nanoseconds = parse_nanoseconds(value)
    return nanoseconds // _SECOND if nanoseconds >= 0 else -(-nanoseconds // _SECOND)


def parse_length(value: str | int | float) -> int:
    """The same for what cannot be negative: that raises ValueError too."""
    seconds = parse_duration(value)
    if seconds < 0:
        raise ValueError("the duration is negative")
    return seconds


def parse_nanoseconds(value: str | int | float) -> int:
    """`value` in nanoseconds, for the few who must not lose a part of a second."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("a duration is a number of seconds or text such as 1h30m")
    nanoseconds = _from_text(value) if isinstance(value, str) else _from_number(value)
    if abs(nanoseconds) > _MAX_NANOSECONDS:
        raise ValueError("the duration is too long")
    return nanoseconds


def _from_number(value: int | float) -> int:
    if not math.isfinite(value):
        raise ValueError("a duration must be finite")
    return int(value) * _SECOND


@lru_cache(maxsize=1024)  # clients send the same few over and over
def _from_text(text: str) -> int:
    if not text:
        return 0
    if len(text) > _MAX_LENGTH:
        raise ValueError("the duration is too long")
    if _SECONDS.fullmatch(text):
        return int(text) * _SECOND
    if days := _DAYS.fullmatch(text):
        return int(days[1]) * _DAY
    if go := _GO.fullmatch(text):
        total = sum(int(_fraction(n) * _UNITS[unit]) for n, unit in _PIECE.findall(go[2]))
        return -total if go[1] == "-" else total
    raise ValueError("a duration is a number of seconds or text such as 1h30m")


def _fraction(number: str) -> Fraction:
    whole, _, part = number.partition(".")
    return Fraction(int((whole or "0") + part), 10 ** len(part))


def format_duration(seconds: int) -> str:
    """Whole seconds in Go's notation: 5400 is `1h30m0s`, 90 is `1m30s`, 0 is `0s`."""
    minutes, rest = divmod(abs(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if seconds < 0 else ""
    if hours:
        return f"{sign}{hours}h{minutes}m{rest}s"
    if minutes:
        return f"{sign}{minutes}m{rest}s"
    return f"{sign}{rest}s"


def brief_duration(seconds: int) -> str:
    """The same without what is zero at the end: 5400 is `1h30m`, 3600 is `1h`."""
    text = format_duration(seconds)
    if text.endswith("m0s"):
        text = text.removesuffix("0s")
    return text.removesuffix("0m") if text.endswith("h0m") else text
