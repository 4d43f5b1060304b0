"""Where a provider may send a browser back to."""

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_LONGEST = 2048  # characters


def is_allowed(uri: str, allowed: Iterable[str]) -> bool:
    """Whether `uri` is one of `allowed`, character by character.

    Only the port of an address on the loopback may be another one (RFC 8252, section 7.3), since a
    program that listens there takes what is free; ``localhost`` and ``127.0.0.1`` are not the same.
    """
    # urlsplit would overlook line ends, and browsers take a backslash for a slash
    if len(uri) > _LONGEST or not uri.isprintable() or set(uri) & set(" \\"):
        return False
    parts = _without_port(uri)
    if parts is None or parts.hostname not in _LOOPBACK:
        return uri in allowed
    return any(parts == _without_port(each) for each in allowed)


def _without_port(uri: str) -> SplitResult | None:
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    if port is not None:
        parts = parts._replace(netloc=parts.netloc.removesuffix(f":{port}"))
    return parts
