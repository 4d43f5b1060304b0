"""From the core's `Response` to bytes on the wire."""

from wardgate.core.envelope import envelope
from wardgate.core.json import encode
from wardgate.core.request import Response

Headers = list[tuple[str, str]]

JSON_HEADERS: Headers = [
    ("cache-control", "no-store"),
    ("content-type", "application/json"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
]
_EMPTY_LIST = b'{"errors":[]}'


def status_headers_body(request_id: str, response: Response) -> tuple[int, Headers, bytes]:
    """What goes over the wire. 204 and a 404 without content have the bodies that Vault gives them."""
    headers = JSON_HEADERS
    if response.headers or response.content_type != "application/json":
        own = [("content-type", response.content_type), *response.headers]
        named = {name for name, _ in own}
        headers = [*(pair for pair in JSON_HEADERS if pair[0] not in named), *own]
    if response.raw is not None:
        return response.status, headers, response.raw
    if response.status == 204:
        return 204, headers, b""
    if response.bare:
        return response.status, headers, encode(response.data)
    if response.status == 404 and response.data is None and not response.warnings:
        return 404, headers, _EMPTY_LIST
    if response.wrap_info is not None:
        request_id = ""  # it goes with the answer that is wrapped
    return response.status, headers, encode(envelope(request_id, response))
