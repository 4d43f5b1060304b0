"""JSON as it goes over the wire: numbers keep their digits, and what costs too much is refused.

A number with a fraction is read as `decimal.Decimal` and written as it was read, so that what a
client stores comes back as it was.
"""

from decimal import Decimal
from typing import Any

import msgspec

from wardgate.errors import InvalidRequest

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")

encode = _encoder.encode
"""The JSON of anything that `decode` gives, and of `msgspec.Raw`, structs and tuples."""

decode = _decoder.decode
"""What `encode` made, as it was."""


def decode_object(data: bytes, max_depth: int, max_values: int) -> dict[str, Any]:
    """The JSON object in `data`.

    ``null`` is an empty one. Raises `InvalidRequest` for anything else, for what is nested
    deeper than `max_depth`, and, before it is decoded, for what has more than `max_values` values.
    """
    # counting bytes is quick, and so are separators; neither is too low, so that most bodies need no
    # closer look
    if (
        len(data) >= max_values
        and _separators(data) >= max_values
        and _values(data, max_values) > max_values
    ):
        raise InvalidRequest(
            f"refused JSON input due to high complexity: at most {max_values} values are allowed"
        )
    try:
        value = _decoder.decode(data)
    except RecursionError:
        raise InvalidRequest(_too_deep(max_depth)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, ArithmeticError):
        raise InvalidRequest("failed to parse JSON input: it is not valid JSON") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest("failed to parse JSON input: the body must be a JSON object")
    # the same goes for counting brackets
    if data.count(b"{") + data.count(b"[") > max_depth and _depth(value) > max_depth:
        raise InvalidRequest(_too_deep(max_depth))
    return value


def _separators(data: bytes) -> int:
    """Every value but the first begins after one of these."""
    return data.count(b",") + data.count(b"[") + data.count(b"{")


def _values(data: bytes, enough: int) -> int:
    """The number of values in the JSON document `data`, whatever its texts hold; what is empty
    counts twice. When there are many more than `enough`, some number above it.

    Of a malformed document, it counts at least what a decoder reads before it sees the mistake.
    """
    if b"\\" in data:  # an escaped quote ends no text
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    texts = data.count(b'"') // 2
    if texts > 2 * enough:  # each is a value, or the name of one
        return (texts + 1) // 2
    return 1 + _separators(b"".join(data.split(b'"')[::2]))


def _too_deep(max_depth: int) -> str:
    return f"the JSON body is nested too deeply; at most {max_depth} levels are allowed"


def _depth(value: Any) -> int:
    depth = 0
    level = [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth
