"""Custom metadata: texts of the users' own about a secret, within OpenBao's limits."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from wardgate.errors import InvalidRequest

MOST_KEYS = 64
LONGEST_KEY = 128  # bytes
LONGEST_VALUE = 512  # bytes


def custom_metadata(given: Mapping[str, Any]) -> dict[str, str]:
    """`given` with its values as texts; `InvalidRequest` where a limit is broken."""
    if len(given) > MOST_KEYS:
        raise InvalidRequest(f"custom_metadata: may have at most {MOST_KEYS} keys")
    texts = {key: _text(value) for key, value in given.items()}
    if not all(_fits(key, LONGEST_KEY) for key in texts):
        raise InvalidRequest(
            f"custom_metadata: each key must be printable text of 1 to {LONGEST_KEY} bytes"
        )
    if not all(_fits(value, LONGEST_VALUE) for value in texts.values()):
        raise InvalidRequest(
            f"custom_metadata: each value must be printable text of 1 to {LONGEST_VALUE} bytes"
        )
    return texts


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str | int | Decimal):
        return str(value)
    if value is None:
        return ""
    raise InvalidRequest("custom_metadata: each value must be a text")


def _fits(text: str, longest: int) -> bool:
    return text.isprintable() and 0 < len(text.encode()) <= longest
