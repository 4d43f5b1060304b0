"""What a document is read into, the same for HCL and JSON.

A document is a `Table` of items, and so is every block, map and JSON object in it. The labels of a
block are tables around it: ``path "a" { b = 1 }`` is what ``path = { "a" = { b = 1 } }`` is. A key
that is written several times makes several items, since for a policy a repetition that replaced
what came before could lose a `deny`; each reader of a tree decides what a repetition means.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from wardgate.errors import WardgateError

_LONGEST_NUMBER = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a document may be. `size` is in bytes of UTF-8; `depth` says how deep blocks, maps
    and lists may be nested in each other, up to 100.
    """

    size: int
    depth: int = 32


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands. `file` is empty for a text that is no file; `line` counts from 1, and
    is None for a document as a whole, and in JSON for a key that is written on several lines.
    """

    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        if self.line is None:
            return self.file
        return f"{self.file}:{self.line}" if self.file else f"line {self.line}"

    def located(self, problem: str) -> str:
        """`problem` after the place, as far as it is known."""
        return f"{self}: {problem}" if str(self) else problem


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its spelling, since ``0600`` may turn out to be a file mode, and 2 a name.

    In HCL ``0600`` and ``0x10`` are octal and hexadecimal. A whole number has an `int` of 64 bits,
    one with a fraction or an exponent a finite `float`.
    """

    text: str
    value: int | float


@dataclass(frozen=True, slots=True)
class Item:
    """A key and its value. The place is that of the key."""

    key: str
    value: "Value"
    place: Place


@dataclass(frozen=True, slots=True)
class Table:
    """A block, a map, or a whole document, in the order of the text."""

    items: tuple[Item, ...]
    place: Place

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)


Value: TypeAlias = str | Number | bool | tuple["Value", ...] | Table | None
"""A tuple is a list. None is JSON's null; HCL has none."""


class HclError(WardgateError):
    """A document that cannot be read.

    The message names line and problem. It never repeats anything of the text, since that may be a
    secret in the wrong place.
    """

    def __init__(self, problem: str, place: Place) -> None:
        super().__init__(place.located(problem))
        self.problem = problem
        self.place = place


def number(text: str, place: Place) -> Number:
    """The number that a token of HCL or JSON stands for. Raises `HclError` beyond 64 bits, where
    storing or comparing it would fail later, and for an octal number with an 8 or 9 in it.
    """
    digits = text.removeprefix("-")
    try:
        if len(text) > _LONGEST_NUMBER:
            value: int | float = math.inf
        elif digits[:2] in ("0x", "0X"):
            value = int(text, 16)
        elif digits.isdigit():
            value = int(text, 8 if digits[0] == "0" and len(digits) > 1 else 10)
        else:
            value = float(text)
    except ValueError:
        problem = "a whole number that begins with 0 is octal, and has no 8 or 9"
        raise HclError(problem, place) from None
    if not math.isfinite(value) or (isinstance(value, int) and not -(2**63) <= value < 2**63):
        raise HclError("a number is too large, or too long", place)
    return Number(text, value)
