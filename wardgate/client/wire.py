"""JSON as it travels, without losing a digit.

Numbers with a fraction are read as `Decimal` and written back as they stood, since a secret's
value must not change on its way through a client.
"""

import json
from decimal import Decimal
from typing import Any


def decode(text: str | bytes) -> Any:
    """The value that `text` stands for. Raises `ValueError` when it is not JSON."""
    return json.loads(text, parse_float=Decimal)


def encode(value: Any, indent: int | None = None) -> str:
    """`value` as JSON; with `indent`, one member a line and that many spaces a level."""
    return _encode(value, indent, "\n")


def _encode(value: Any, indent: int | None, newline: str) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        colon = ":" if indent is None else ": "
        members = [
            json.dumps(str(key), ensure_ascii=False)
            + colon
            + _encode(member, indent, newline + " " * (indent or 0))
            for key, member in value.items()
        ]
        return _bracket("{", members, "}", indent, newline)
    if isinstance(value, list | tuple):
        members = [_encode(member, indent, newline + " " * (indent or 0)) for member in value]
        return _bracket("[", members, "]", indent, newline)
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _bracket(left: str, members: list[str], right: str, indent: int | None, newline: str) -> str:
    if not members:
        return left + right
    if indent is None:
        return left + ",".join(members) + right
    inner = newline + " " * indent
    return left + inner + ("," + inner).join(members) + newline + right
