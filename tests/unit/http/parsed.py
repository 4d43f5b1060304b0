"""What a request is parsed into, for the tests of parsing."""

import asyncio
from collections.abc import Mapping

from tests.node import Sent, head_of
from wardgate.core.request import Request
from wardgate.http.limits import Limits
from wardgate.http.parsing import parse_request

LIMITS = Limits(max_request_size=10_000, max_json_depth=10)
SECRET = "hunter2"


def parse(
    method: str = "GET",
    path: str = "/v1/a/b",
    *,
    query: str = "",
    body: bytes = b"",
    chunked: bool = False,
    headers: Mapping[str, str] | None = None,
    **more: str,
) -> Request:
    """What a request is parsed into. Header names are given with underscores."""
    given = {**(headers or {}), **more}
    sent = {name.replace("_", "-"): value for name, value in given.items()}
    if body and not chunked:
        sent.setdefault("content-length", str(len(body)))
    if chunked:
        sent["transfer-encoding"] = "chunked"
    exchange = Sent(head_of(method, path, query, sent), body)
    return asyncio.run(parse_request(exchange, LIMITS, 12.5))
