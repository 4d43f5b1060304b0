"""The names of roles, which are parts of keys in the storage."""

from wardgate.framework import names

_LONGEST = 512  # characters


def is_name(name: str) -> bool:
    """Whether a role can have this name."""
    return names.is_name(name, _LONGEST)


def checked_name(name: str) -> str:
    """The name as it is stored; what is no name is a path that does not exist."""
    return names.checked_name(name, _LONGEST)
