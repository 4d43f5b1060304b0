"""Where a provider may send a browser back to."""

import re
from collections.abc import Iterable

_LOOPBACK = re.compile(
    r"(http://(?:localhost|127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?([/?#].*)?"
)
_LONGEST = 2048  # characters
_LAST_PORT = 65535


def is_allowed(uri: str, allowed: Iterable[str]) -> bool:
    """Whether `uri` is one of `allowed`, character by character.

    Only the port of an ``http`` address on the loopback may be another one (RFC 8252, section 7.3),
    since a program that listens there takes what is free; ``localhost`` and ``127.0.0.1`` are not
    the same.
    """
    # browsers overlook line ends, and take a backslash for a slash
    if len(uri) > _LONGEST or not uri.isprintable() or set(uri) & set(" \\"):
        return False
    listed = tuple(allowed)
    if uri in listed:
        return True
    text = _without_port(uri)
    return text is not None and any(text == _without_port(each) for each in listed)


def _without_port(uri: str) -> str | None:
    """The text of an address on the loopback but for its port; None for every other."""
    found = _LOOPBACK.fullmatch(uri)
    if found is None:
        return None
    start, port, rest = found.groups("")
    return f"{start}{rest}" if not port or int(port) <= _LAST_PORT else None
