"""Random identifiers: request ids, tokens, accessors, UUIDs.

All come from the operating system's random number generator.
"""

import secrets
import string
from functools import lru_cache

from wardgate.randomness import random_bytes

_BASE62 = (string.ascii_letters + string.digits).encode()
_LETTER_OF_BYTE = bytes(_BASE62[byte % 62] for byte in range(256))
_UNFAIR = bytes(range(248, 256))
"""248 is the largest multiple of 62 in a byte: these would favour some characters."""
TOKEN_LENGTH = 24  # base62 characters: about 143 bits
TIME_LENGTH = 8  # base62 characters: milliseconds until the year 8,800
_IN_ORDER = string.digits + string.ascii_uppercase + string.ascii_lowercase


def new_uuid() -> str:
    """A random UUID in its usual form (RFC 9562, version 4; 120 of its bits are random)."""
    text = random_bytes(15).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[12:15]}-a{text[15:18]}-{text[18:]}"


def random_base62(length: int) -> str:
    """`length` characters, each one of 62 with equal chance."""
    found = b""
    while len(found) < length:
        found += random_bytes(length + 8).translate(_LETTER_OF_BYTE, _UNFAIR)
    return found[:length].decode()


def ordered_base62(time: float, length: int) -> str:
    """`length` random characters behind `TIME_LENGTH` that tell `time` (seconds since the epoch) to
    the millisecond: texts that are made one after the other sort in that order."""
    return _time_text(max(0, int(time * 1000))) + random_base62(length)


@lru_cache(maxsize=1024)
def _time_text(left: int) -> str:
    """Milliseconds as base62 digits. What is made in the same moment asks for the same."""
    digits = ""
    for _ in range(TIME_LENGTH):
        left, digit = divmod(left, 62)
        digits = _IN_ORDER[digit] + digits
    return digits


def new_accessor_suffix() -> str:
    """Eight hexadecimal digits, as in ``kv_1a2b3c4d``."""
    return secrets.token_hex(4)
