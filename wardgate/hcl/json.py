"""Reads JSON into the tree that HCL is read into.

JSON is read strictly (RFC 8259); what `bao` lets pass, a comma before a closing bracket and
anything after the last brace, is an error. A key that is repeated is kept, as in HCL.
"""

import json
import re
from typing import NoReturn

from wardgate.hcl.document import HclError, Item, Limits, Number, Place, Table, Value, number

_SURROGATE = re.compile("[\ud800-\udfff]")


class _Pairs(tuple[tuple[str, object], ...]):
    """A JSON object before it is a table, so as to tell it from a list."""

    __slots__ = ()


def read_json(text: str, limits: Limits, file: str) -> Table:
    """The object that `text` says; its size is not looked at. Raises `HclError`."""
    whole = Place(file)

    def read_number(text: str) -> Number:
        return number(text, whole)

    def refuse_constant(_: str) -> NoReturn:
        raise HclError("NaN and Infinity are no values", whole)

    try:
        document = json.loads(
            text,
            object_pairs_hook=_Pairs,
            parse_int=read_number,
            parse_float=read_number,
            parse_constant=refuse_constant,
        )
    except json.JSONDecodeError as error:
        place = Place(file, error.lineno)
        raise HclError(f"is no valid JSON: {error.msg}", place) from None
    except RecursionError:
        raise HclError(_too_deep(limits), whole) from None
    assert isinstance(document, _Pairs)  # the text begins with a brace
    return _Converter(limits, file, _key_lines(text)).table(document, 0)


class _Converter:
    """Makes tables of pairs; `depth` counts what encloses a value, itself included."""

    def __init__(self, limits: Limits, file: str, lines: dict[str, int]) -> None:
        self._limits = limits
        self._file = file
        self._lines = lines

    def table(self, pairs: _Pairs, depth: int) -> Table:
        items = (
            Item(self._text(key), self._value(each, depth + 1), self._place(key))
            for key, each in pairs
        )
        return Table(tuple(items), Place(self._file))

    def _value(self, value: object, depth: int) -> Value:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, _Pairs | list) and depth > self._limits.depth:
            raise HclError(_too_deep(self._limits), Place(self._file))
        if isinstance(value, _Pairs):
            return self.table(value, depth)
        if isinstance(value, list):
            return tuple(self._value(each, depth + 1) for each in value)
        assert value is None or isinstance(value, bool | Number)
        return value

    def _text(self, text: str) -> str:
        if _SURROGATE.search(text):
            raise HclError("half of a surrogate pair is no character", Place(self._file))
        return text

    def _place(self, key: str) -> Place:
        return Place(self._file, self._lines.get(key))


def _too_deep(limits: Limits) -> str:
    return f"nested deeper than {limits.depth} levels"


def _key_lines(text: str) -> dict[str, int]:
    """The line of each key that is written on one line only; JSON's parser does not tell."""
    lines: dict[str, int] = {}
    repeated = set()
    at, line = 0, 1
    for match in re.finditer(r'"((?:[^"\\]|\\.)*)"(\s*:)?', text):
        line += text.count("\n", at, match.start())
        at = match.start()
        if match[2] and lines.setdefault(match[1], line) != line:
            repeated.add(match[1])
    return {key: line for key, line in lines.items() if key not in repeated}
