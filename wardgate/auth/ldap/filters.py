"""Search filters with places for names, as Vault has them in Go's templates.

Just the fields of the original may stand between braces, as ``{{.Username}}``. Names are put in with
every character escaped (RFC 4515) that is no letter, digit or harmless sign: they cannot change what
a filter asks.
"""

import re
from collections.abc import Mapping

from wardgate.errors import InvalidRequest

USER_FIELDS = ("UserAttr", "Username")
GROUP_FIELDS = ("UserDN", "Username")
DEEPEST = 20
"""Parentheses that may be open at once in a filter: more than any directory is asked."""
_ESCAPE = re.compile(r"\\[0-9A-Fa-f]{2}")
_PLACE = re.compile(r"(?<!\{)\{\{-?\s*\.(\w+)\s*-?\}\}(?!\})")
_HARMLESS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@.-_,=+:;'/")
_ATTRIBUTE = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)(?:;[A-Za-z0-9-]+)*")


def escaped(value: str) -> str:
    """A value as it may stand in a filter."""
    return "".join(chr(byte) if byte in _HARMLESS else f"\\{byte:02x}" for byte in value.encode())


def is_attribute(name: str) -> bool:
    """Whether an attribute can be called so (RFC 4512, 2.5)."""
    return _ATTRIBUTE.fullmatch(name) is not None


def filled_in(template: str, values: Mapping[str, str]) -> str:
    """The filter with these values, which are escaped already, in their places."""
    return _PLACE.sub(lambda place: values[place[1]], template)


def checked_template(field: str, template: str, fields: tuple[str, ...]) -> str:
    """`template` as it is; `InvalidRequest` where it has more than the known `fields` between
    braces."""
    rest = _PLACE.sub(lambda place: "" if place[1] in fields else "{{", template)
    if "{{" in rest or "}}" in rest:
        known = " and ".join(f"{{{{.{each}}}}}" for each in fields)
        raise InvalidRequest(
            f"invalid {field}: only {known} may stand between braces; Go's functions and conditions"
            " are not known"
        )
    return template


def is_sound(text: str) -> bool:
    """Whether a filter is nested no deeper than `DEEPEST`, and each backslash in it begins an escape
    (RFC 4515): what ldap3 does not look at."""
    depth = deepest = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest <= DEEPEST and "\\" not in _ESCAPE.sub("", text)


def has_place(template: str, field: str) -> bool:
    """Whether a field has a place in the filter."""
    return any(place[1] == field for place in _PLACE.finditer(template))
