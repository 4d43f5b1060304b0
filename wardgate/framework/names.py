"""Names of roles: letters, digits, ``_``, ``-`` and ``.``, neither of the last two at either end. They
mean the same in any case, and are stored in lower case."""

import re

from wardgate.errors import UnsupportedPath

_NAME = re.compile(r"\w(?:[\w.-]*\w)?", re.ASCII)


def is_name(name: str, longest: int) -> bool:
    """Whether something can be called so; `longest` is in characters."""
    return len(name) <= longest and _NAME.fullmatch(name) is not None


def checked_name(name: str, longest: int) -> str:
    """The name as it is stored; what is no name is a path that does not exist."""
    if not is_name(name, longest):
        raise UnsupportedPath
    return name.lower()
