"""Names of users: letters, digits, ``_``, ``@``, ``.`` and ``-``. They mean the same in any case, and
are stored in lower case, so that nobody becomes two."""

import re

from wardgate.errors import InvalidRequest

_NAME = re.compile(r"[\w@.-]{1,256}", re.ASCII)
_NO_NAMES = (".", "..")  # which no path can have


def is_name(name: str) -> bool:
    """Whether somebody can be called so."""
    return _NAME.fullmatch(name) is not None and name not in _NO_NAMES


def stored_name(name: str) -> str:
    """The name in a path as it is stored; what is no name stays what it is, since the small letter of
    the Kelvin sign is a k."""
    return name.lower() if name.isascii() else name


def checked_name(name: str) -> str:
    """The name as it is stored; `InvalidRequest` for what is no name."""
    if not is_name(name):
        raise InvalidRequest("username: give 1 to 256 letters, digits, '_', '@', '.' and '-'")
    return name.lower()
