"""Cross-origin requests: what a browser is told about pages of other origins (Fetch standard, 3.2).

Only requests with an Origin header cost anything here. While nothing is configured, or the server is
sealed, they are treated as any other, and the browser keeps the answer from the page.
"""

from wardgate.core.cors import Cors, read_cors
from wardgate.core.storage import Storage
from wardgate.errors import RequestError, Sealed
from wardgate.http.response_headers import Pair

METHODS = ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT", "LIST", "SCAN")
"""What pages of allowed origins may use."""
_MAX_AGE = "300"  # seconds for which a browser need not ask again


class OriginRefused(RequestError):
    """The page that sends this request is of an origin that may not."""

    status = 403

    def __init__(self) -> None:
        super().__init__("origin not allowed")


async def configured(storage: Storage) -> Cors | None:
    """The configuration as of now; None while there is none to apply."""
    try:
        return await read_cors(await storage.begin())
    except Sealed:
        return None


def headers_for(cors: Cors, origin: str) -> list[Pair]:
    """What is added to an answer for a page of `origin`; `OriginRefused` when it may not ask."""
    if not cors.allows(origin):
        raise OriginRefused
    headers = [("access-control-allow-origin", origin), ("vary", "Origin")]
    if cors.credentials:
        headers.append(("access-control-allow-credentials", "true"))
    return headers


def preflight(cors: Cors, wanted: str | None) -> tuple[int, list[Pair]]:
    """The status and more headers for OPTIONS, by which a browser asks whether it may use the
    method `wanted`."""
    if wanted not in METHODS:
        return 405, []
    return 200, [
        ("access-control-allow-methods", ",".join(METHODS)),
        ("access-control-allow-headers", ",".join(cors.allowed_headers)),
        ("access-control-max-age", _MAX_AGE),
    ]
