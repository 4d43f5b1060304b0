"""From an HTTP request to the core's `Request`, with every bound checked first.

The path, the query and each header that is looked at are bounded before the body is read. The body
is bounded while it arrives, and kept only for a request that can use it; the number of its fields
or JSON values is bounded before it is decoded, and how deep they are nested afterwards. Paths with
``.`` or ``..`` segments, empty segments or control characters are refused before any policy is
asked (CVE-2026-3605).
"""

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import parse_qs

from wardgate.core.ids import new_uuid
from wardgate.core.json import decode_object
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request
from wardgate.durations import parse_duration
from wardgate.errors import (
    InvalidRequest,
    NotFound,
    RequestError,
    TooLarge,
    UnsupportedOperation,
)
from wardgate.http.exchange import Exchange
from wardgate.http.head import Head, Headers
from wardgate.http.limits import Limits

MAX_PATH = 4096  # characters
MAX_HEADER = 64 * 1024  # characters; a batch token can be long
MAX_QUERY = 16 * 1024
MAX_FORM = 256 * 1024  # bytes; percent signs are decoded slowly
UNASKED = 9999  # bytes of a body that costs less to decode than to ask whether it is wanted
_UNASKED_DIGITS = 5
_PREFIX = "/v1/"

_OPERATIONS = {
    "GET": Operation.READ,
    "HEAD": Operation.READ,
    "POST": Operation.UPDATE,
    "PUT": Operation.UPDATE,
    "PATCH": Operation.PATCH,
    "DELETE": Operation.DELETE,
    "LIST": Operation.LIST,
    "SCAN": Operation.SCAN,
}
_BODIES = frozenset({Operation.UPDATE, Operation.PATCH})
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"", "0", "f", "F", "false", "FALSE", "False"})
_FORM = "application/x-www-form-urlencoded"
_MERGE_PATCH = "application/merge-patch+json"
_DIGITS = re.compile("[0-9]{1,20}")
_USUAL_PATH = re.compile("[A-Za-z0-9_-][A-Za-z0-9_/-]*")
"""Without ``//``, these are never odd, and it takes a fifth of the time to see that."""
_ODD_PATH = re.compile(r"(?:^|/)\.{1,2}(?:/|$)|^/|//|[\x00-\x1f\x7f\\\ufffd]")
_NO_ODD_PATHS = (
    "the path must not contain '.' or '..' segments, empty segments, backslashes or control"
    " characters"
)


class OutsideOfApi(NotFound):
    """The path is not one of the API's, which all begin with ``/v1/``."""


class UnsupportedMediaType(RequestError):
    """PATCH must say in which way the body patches."""

    status = 415


Wait = Callable[[Coroutine[Any, Any, bytes]], Awaitable[bytes]]
"""Waits for a body, as long as it sees fit."""
Admit = Callable[[Request, Head], Awaitable[bool]]
"""Says whether a request may go on whose body has not been read."""


async def parse_request(
    exchange: Exchange,
    limits: Limits,
    now: float,
    wait: "Wait | None" = None,
    admit: "Admit | None" = None,
) -> Request:
    """The request; a `RequestError` when it is malformed, too large or, by `wait`, too slow.

    `admit` is asked before a body of more than `UNASKED` bytes is read; when it says no, the body is
    not kept, and the request has none.
    """
    wait = wait or _in_its_own_time
    head, most = exchange.head, limits.max_request_size
    try:
        request = _without_body(head, now)
    except RequestError:
        # what is left unread would end the client's connection
        if _has_body(head):
            await _read(exchange, most, wait, keep=False)
        raise
    request.patience = limits.max_request_duration
    if not _has_body(head):
        if request.operation in _BODIES:
            request.body = _body(b"", head.headers, limits, request.operation)
    elif request.operation in _BODIES:
        keep = True
        if admit is not None and _large(head):
            keep = await admit(request, head)
        data = await _read(exchange, most, wait, keep=keep)
        if not keep:
            return request
        request.body = _body(data, head.headers, limits, request.operation)
    else:
        await _read(exchange, most, wait, keep=False)
    return request


async def discard_body(exchange: Exchange, limits: Limits, wait: Wait) -> None:
    """Let the body arrive that nobody needs: what is left unread would end the connection."""
    if _has_body(exchange.head):
        await _read(exchange, limits.max_request_size, wait, keep=False)


def is_unreadable(headers: Headers, name: str) -> bool:
    """Whether a header was sent whose value is not printable ASCII: the HTTP server does not give
    such values, which would then look as if nothing had been asked for."""
    return name in headers and headers.get(name) is None


def _without_body(head: Head, now: float) -> Request:
    path = head.path
    if not path.startswith(_PREFIX):
        raise OutsideOfApi
    if len(path) > MAX_PATH:
        raise TooLarge(f"the path is too long; at most {MAX_PATH} characters are allowed")
    path = path[len(_PREFIX) :]
    check_path(path)
    operation = _OPERATIONS.get(head.method)
    if operation is None:
        raise UnsupportedOperation
    headers = head.headers
    query = _query(head.query_string) if head.query_string else None
    if query:
        operation = _operation_by_query(operation, query)
    request = Request(
        operation,
        path,
        id=new_uuid(),
        time=now,
        query=query,
        headers=headers.get,
        header_values=headers.get_all,
        client_token=_token(headers),
        peer=head.client,
    )
    if "x-vault-namespace" in headers:
        request.namespace = _readable(headers, "X-Vault-Namespace")
    if "x-vault-wrap-ttl" in headers:
        wrap_ttl = _readable(headers, "X-Vault-Wrap-TTL")
        if wrap_ttl:
            request.wrap_ttl = _wrap_ttl(wrap_ttl)
    return request


def _readable(headers: Headers, name: str) -> str:
    """The value of a header that was sent; `InvalidRequest` when it is unreadable."""
    value = headers.get(name.lower())
    if value is None:
        raise InvalidRequest(f"{name}: must be printable ASCII")
    return value


def check_path(path: str) -> None:
    """Refuse what no request may ask for, whichever way it came. Raises `InvalidRequest`."""
    if _USUAL_PATH.fullmatch(path) and "//" not in path:
        return
    if _ODD_PATH.search(path):
        raise InvalidRequest(_NO_ODD_PATHS)


def _query(text: str) -> dict[str, str]:
    if len(text) > MAX_QUERY:
        raise TooLarge(f"the query is too long; at most {MAX_QUERY} characters are allowed")
    try:
        parsed = parse_qs(text, keep_blank_values=True, max_num_fields=1000, errors="strict")
    except ValueError:
        raise InvalidRequest("the query is malformed") from None
    return {name: ",".join(values) for name, values in parsed.items()}


def _operation_by_query(operation: Operation, query: dict[str, str]) -> Operation:
    """GET with ``list``, ``scan`` or ``help`` is another operation; those words are then used up."""
    if operation is not Operation.READ:
        return operation
    for word, meaning in (
        ("help", Operation.HELP),
        ("list", Operation.LIST),
        ("scan", Operation.SCAN),
    ):
        value = query.pop(word, None)
        if value is None:
            continue
        if value in _TRUE:
            return meaning
        if value not in _FALSE:
            raise InvalidRequest(f"{word}: expected true or false in the query")
    return operation


def _token(headers: Headers) -> str:
    tokens = headers.get_all("x-vault-token")
    token = tokens[0] if tokens else ""
    if len(tokens) > 1 and any(other != token for other in tokens):
        raise InvalidRequest("X-Vault-Token must be given once")  # a proxy may have read another
    if not token:
        authorization = headers.get("authorization") or ""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return ""
    if len(token) > MAX_HEADER:
        raise TooLarge(f"the token is too long; at most {MAX_HEADER} characters are allowed")
    return token.strip()


def _wrap_ttl(text: str) -> int:
    try:
        seconds = parse_duration(text)
    except ValueError:
        seconds = -1
    if seconds < 0:
        raise InvalidRequest("X-Vault-Wrap-TTL: expected a duration such as '90s' or '5m'")
    return seconds


def _body(data: bytes, headers: Headers, limits: Limits, operation: Operation) -> JsonMap | None:
    kind = (headers.get("content-type") or "").partition(";")[0].strip().lower()
    if operation is Operation.PATCH and not kind:
        raise InvalidRequest(f"PATCH requests must have Content-Type: {_MERGE_PATCH}")
    if operation is Operation.PATCH and kind != _MERGE_PATCH:
        raise UnsupportedMediaType(f"PATCH requests must have Content-Type: {_MERGE_PATCH}")
    if not data:
        return None
    if kind == _FORM and not data.lstrip().startswith(b"{"):
        return _form(data)
    return decode_object(data, limits.max_json_depth, limits.max_json_values)


def _large(head: Head) -> bool:
    """Whether the body may be larger than `UNASKED`."""
    length = head.headers.get("content-length")
    if length is None:
        return "transfer-encoding" in head.headers
    return len(length) >= _UNASKED_DIGITS


def _has_body(head: Head) -> bool:
    """Whether a body comes: with neither header, a request has none (RFC 9112, section 6.3)."""
    headers = head.headers
    return "content-length" in headers or "transfer-encoding" in headers


async def _in_its_own_time(body: Coroutine[Any, Any, bytes]) -> bytes:
    return await body


async def _read(exchange: Exchange, most: int | None, wait: Wait, *, keep: bool) -> bytes:
    """The body, or nothing when it has arrived but is not to be kept."""
    if exchange.arrived:  # as small ones have that come with the head
        data = exchange.whole()
        if most is not None and len(data) > most:
            raise TooLarge(_too_large(most))
        return data if keep else b""
    length = exchange.head.headers.get("content-length")
    if length is not None and _DIGITS.fullmatch(length):
        if most is not None and int(length) > most:
            raise TooLarge(_too_large(most))
        if keep:
            return await wait(exchange.body())
    return await wait(_piecewise(exchange, most, keep))


async def _piecewise(exchange: Exchange, most: int | None, keep: bool) -> bytes:
    data = bytearray()
    size = 0
    async for chunk in exchange.pieces():
        size += len(chunk)
        if most is not None and size > most:
            raise TooLarge(_too_large(most))
        if keep:
            data += chunk
    return bytes(data)


def _too_large(most: int) -> str:
    return f"the request body is too large; at most {most} bytes are allowed"


def _form(data: bytes) -> JsonMap:
    """curl's default content type: fields of a form, or JSON under the wrong name."""
    if len(data) > MAX_FORM:
        raise TooLarge(
            f"the form is too large; at most {MAX_FORM} bytes are allowed, and more as JSON"
        )
    try:
        parsed: Mapping[str, list[str]] = parse_qs(
            data.decode(),
            keep_blank_values=True,
            # what is no field at all would come back as the name of an unknown one, in a warning
            strict_parsing=True,
            max_num_fields=1000,
            errors="strict",
        )
    except ValueError:
        raise InvalidRequest("failed to parse the form in the body") from None
    return {name: values[0] if len(values) == 1 else values for name, values in parsed.items()}
