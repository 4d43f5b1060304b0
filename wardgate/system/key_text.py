"""Shares as the API takes them: hexadecimal digits or base64."""

import base64
import binascii

from wardgate.errors import InvalidRequest

_SHORTEST_SHARE = 16  # bytes; no kind of seal has keys below 128 bits


def read_share(text: str) -> bytes:
    """The share that a client sent as text; `InvalidRequest` when it cannot be one."""
    share = _decoded(text)
    if len(share) < _SHORTEST_SHARE:
        raise InvalidRequest(f"invalid key: key is shorter than minimum {_SHORTEST_SHARE} bytes")
    return share


def _decoded(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest("'key' must be a valid hex or base64 string") from None
