"""Addresses as an operator writes them: where to listen, and where others reach the server."""

import re
from urllib.parse import urlsplit

_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+(?:%\w+)?)\]|([\w.-]*)):([0-9]{1,5})", re.ASCII)


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of "host:port", "[IPv6]:port", or ":port" for all of the machine's addresses,
    which gives an empty host. Raises ValueError.
    """
    match = _HOST_PORT.fullmatch(text.strip())
    if match is None or int(match[3]) > 65535:
        raise ValueError("not an address")
    return match[1] or match[2] or "", int(match[3])


def own_url(host: str, port: int, tls: bool) -> str:
    """The URL of a listener of this machine. One for all addresses is named by the loopback one,
    since nothing tells which of its names others use; ``api_addr`` does.
    """
    named = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    if ":" in named and not named.startswith("["):
        named = f"[{named}]"
    return f"http{'s' if tls else ''}://{named}:{port}"


def is_http_url(text: str) -> bool:
    """Whether `text` is an http or https URL with a host, as other nodes and clients need it."""
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        return False
