"""The names of roles: letters, digits, ``_``, ``-`` and ``.``, in any case, stored in lower case."""

import re

from wardgate.errors import UnsupportedPath

_NAME = re.compile(r"\w(?:[\w.-]*\w)?", re.ASCII)
_LONGEST = 512  # characters; a name is part of a key in the storage


def is_name(name: str) -> bool:
    """Whether a role can have this name."""
    return len(name) <= _LONGEST and _NAME.fullmatch(name) is not None


def checked_name(name: str) -> str:
    """The name as it is stored; what is no name is a path that does not exist."""
    if not is_name(name):
        raise UnsupportedPath
    return name.lower()
