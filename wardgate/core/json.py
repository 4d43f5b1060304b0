"""JSON as it goes over the wire: numbers keep their digits, and nesting is bounded.

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


def decode_object(data: bytes, max_depth: int) -> dict[str, Any]:
    """The JSON object in `data`.

    ``null`` is an empty one. Raises `InvalidRequest` for anything else, and for what is nested
    deeper than `max_depth`.
    """
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
    # counting brackets is quick and never too low, so that most bodies need no closer look
    if data.count(b"{") + data.count(b"[") > max_depth and _depth(value) > max_depth:
        raise InvalidRequest(_too_deep(max_depth))
    return value


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
