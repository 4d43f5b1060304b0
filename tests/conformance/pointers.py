"""JSON pointers (RFC 6901), and patterns of them in which `*` stands for any one segment."""

import re

from tests.conformance.exchange import Json


def resolve(document: Json, pointer: str) -> Json:
    """The value that `pointer` leads to; None where there is nothing."""
    value = document
    for segment in map(unescape, pointer.split("/")[1:]):
        if isinstance(value, dict):
            value = value.get(segment)
        elif isinstance(value, list) and segment.isdecimal() and int(segment) < len(value):
            value = value[int(segment)]
        else:
            return None
    return value


def escape(key: str) -> str:
    """A key as a segment of a pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def unescape(segment: str) -> str:
    """A segment of a pointer as a key."""
    return segment.replace("~1", "/").replace("~0", "~")


def covers(pattern: str, pointer: str) -> bool:
    """Whether `pointer` is what `pattern` names, or lies inside it."""
    expression = re.escape(pattern).replace(r"\*", "[^/]*")
    return re.fullmatch(f"{expression}(/.*)?", pointer, re.DOTALL) is not None
