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


def is_http_url(text: str) -> bool:
    """Whether `text` is an http or https URL with a host, as other nodes and clients need it."""
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        return False
