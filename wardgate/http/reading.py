"""HTTP/1.1 requests out of the bytes of a connection (RFC 9112).

Nothing is parsed here: llhttp does it, through httptools. Here is what it leaves to whoever uses it:
bounds, doubtful lengths (section 6.3), that a request to become another protocol is answered as one
that does not ask for it, and the methods LIST and SCAN, which Vault has and llhttp refuses.
"""

import re
from typing import Protocol
from urllib.parse import unquote

import httptools

from wardgate.errors import UnsupportedOperation
from wardgate.http.head import Head, Headers

MAX_HEAD = 128 * 1024
"""Bytes of a request's head, or of anything else beside its body."""
MAX_FIELDS = 100
"""Header fields of a request."""

_OURS = (b"LIST ", b"SCAN ")
_OUR_STARTS = frozenset(method[:1] for method in _OURS)
_OUR_ENDS = (b"L", b"LI", b"LIS", b"S", b"SC", b"SCA")
_STAND_IN = b"GET "
_METHOD = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+ /")
_EMPTY_LINE = re.compile(rb"\A\r?\n|\n\r?\n")
_MOST_CUTS = 250  # in one piece of data, as each of them copies it
_VERSIONS = frozenset(("1.0", "1.1"))
_USUAL_NAMES = {
    name.encode(): name.lower()
    for name in (
        "Host",
        "host",
        "User-Agent",
        "Accept",
        "Accept-Encoding",
        "Connection",
        "Content-Length",
        "Content-Type",
        "X-Vault-Token",
        "X-Vault-Request",
        "X-Vault-Namespace",
        "X-Vault-Wrap-Ttl",
        "X-Vault-Wrap-TTL",
        "Authorization",
    )
}


class BadMessage(Exception):
    """What came is no request, or too much of one; nothing after it can be read. `status` is the
    HTTP status to answer with."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Sink(Protocol):
    """What is told of requests as they arrive: the head, pieces of the body, the end."""

    def head(self, head: Head) -> None: ...

    def body(self, piece: bytes) -> None: ...

    def end(self, *, keep_alive: bool) -> None:
        """`keep_alive` is whether the client may send another one."""


class Reader:
    """Reads one connection's requests."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._parser = httptools.HttpRequestParser(self)
        self.between = True
        """Whether no part of a request has arrived since the last one ended."""
        self._held = b""  # too little to tell which method it will be
        self._method = b""  # one of ours, for which another one stands in
        self._in_body = False
        self._ended = False  # whether a request has, in what llhttp has been given last
        self._cuts = 0
        self._left = 0  # bytes of a body whose length is known
        self._stopped = False
        self._cut_off = False  # llhttp leaves the body of this request to another protocol
        self._resuming = False
        self._bad: BadMessage | None = None
        self._silent = 0  # bytes since something came of them
        self._size = 0
        self._count = 0
        self._url = b""
        self._fields: dict[str, list[bytes]] = {}

    def feed(self, data: bytes) -> None:
        """Take in what has arrived. Raises `BadMessage`, after which nothing more may be fed."""
        self._cuts = 0
        while data and not self._stopped:
            data = self._some(data)
            if self._bad is not None:
                raise self._bad

    def stop(self) -> None:
        """Nobody wants another request: what comes need not be read any further."""
        self._stopped = True

    def _some(self, data: bytes) -> bytes:
        """Take in the beginning of `data`, and give back the rest."""
        began, self._ended = self.between, False
        if began:
            data = self._begun(data)
        reach = self._reach(data)
        data, rest = data[:reach], data[reach:]
        self._silent += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :] + rest
            self._stay()
        except httptools.HttpParserInvalidMethodError:
            # as a method may look, which is nobody's here
            method = began and not self._ended and _METHOD.match(data)
            raise self._bad or (_unknown_method() if method else _malformed()) from None
        except httptools.HttpParserError:
            raise self._bad or _malformed() from None
        if self._silent > MAX_HEAD:
            raise _too_large()
        return rest

    def _begun(self, data: bytes) -> bytes:
        """The beginning of a request, with a method that llhttp knows. Nothing has arrived of it yet,
        but for empty lines, so what comes first is the method."""
        data, self._held = self._held + data, b""
        self._silent += len(data)
        data = data.lstrip(b"\r\n")
        self._silent -= len(data)
        if data[:1] in _OUR_STARTS:
            for method in _OURS:
                if data.startswith(method):
                    self._method = method[:-1]
                    return _STAND_IN + data[len(method) :]
                if method.startswith(data):
                    self._held = data
                    return b""
        return data

    def _reach(self, data: bytes) -> int:
        """How much of `data` llhttp may have at once. It does not tell where a request ended, so
        where one of ours may follow, it gets no more than what surely comes before that. Such a one
        behind more than `_MOST_CUTS` others is refused."""
        if self._left:
            return self._left
        if self._cuts >= _MOST_CUTS or not (
            b"LIST" in data or b"SCAN" in data or data.endswith(_OUR_ENDS)
        ):
            return len(data)
        self._cuts += 1
        found = _EMPTY_LINE.search(data)  # as a head ends with one, and so do chunks
        return found.end() if found else len(data)

    def _stay(self) -> None:
        """Go on after a request to become another protocol. llhttp takes its body for something of
        that protocol, so another one reads that, as that of a request without such a wish."""
        lasts = b"keep-alive" if self._parser.should_keep_alive() else b"close"
        self._parser = httptools.HttpRequestParser(self)
        if not self._cut_off:
            return
        if "content-length" in self._fields:
            length = b"Content-Length: " + self._fields["content-length"][0]
        else:
            length = b"Transfer-Encoding: chunked"
        self._cut_off, self._in_body, self._resuming = False, False, True
        self._parser.feed_data(b"POST / HTTP/1.1\r\nConnection: %s\r\n%s\r\n\r\n" % (lasts, length))

    # What httptools calls. What is raised in here would come out of it as something else.

    def on_message_begin(self) -> None:
        self.between = False
        self._silent = self._size = self._count = 0
        self._url = b""
        self._fields = {}

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._size += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body:  # fields after the body: nobody asks for them
            return
        self._size += len(name) + len(value)
        self._count += 1
        if self._size > MAX_HEAD or self._count > MAX_FIELDS:
            self._bad = self._bad or _too_large()
            return
        known = _USUAL_NAMES.get(name) or name.decode("latin-1").lower()
        if known in self._fields:
            self._fields[known].append(value)
        else:
            self._fields[known] = [value]

    def on_headers_complete(self) -> None:
        self._in_body = True
        self._silent = 0
        if self._bad is not None or self._stopped:
            return
        if "content-length" in self._fields:
            self._left = int(self._fields["content-length"][0])
        if self._resuming:
            self._resuming = False
            return
        parser = self._parser
        try:
            method, self._method = self._method or parser.get_method(), b""
            head = _head(method, self._url, parser.get_http_version(), self._fields)
        except BadMessage as error:
            self._bad = error
            return
        if parser.should_upgrade():
            self._left = 0
            self._cut_off = "content-length" in self._fields or "transfer-encoding" in self._fields
        self._sink.head(head)

    def on_body(self, piece: bytes) -> None:
        self._silent = 0
        if self._left:
            self._left -= len(piece)
        if self._bad is None and not self._stopped:
            self._sink.body(piece)

    def on_message_complete(self) -> None:
        if self._cut_off:
            return
        self._in_body = False
        self._silent = 0
        self.between = self._ended = True
        if self._bad is None and not self._stopped:
            self._sink.end(keep_alive=self._parser.should_keep_alive())


def _head(method: bytes, target: bytes, version: str, fields: dict[str, list[bytes]]) -> Head:
    if version not in _VERSIONS:
        raise BadMessage(400, "only HTTP/1.1 and HTTP/1.0 are spoken here")
    if version == "1.1" and len(fields.get("host", ())) != 1:
        raise BadMessage(400, "the request must have one Host header")
    if "transfer-encoding" in fields:
        _check_coding(version, fields)
    try:
        url = httptools.parse_url(target)
        path, query = (url.path or b"").decode("ascii"), (url.query or b"").decode("ascii")
    except (httptools.HttpParserInvalidURLError, UnicodeDecodeError):
        raise BadMessage(400, "the request's target is malformed") from None
    if "%" in path:
        path = unquote(path, errors="replace")
    return Head(method.decode("ascii"), path, query, Headers(fields), version)


def _check_coding(version: str, fields: dict[str, list[bytes]]) -> None:
    """Refuse a request whose length somebody in between may see otherwise (RFC 9112, sections 6.1
    and 6.3), or whose body is compressed."""
    if version == "1.0" or "content-length" in fields:
        raise BadMessage(400, "the request's length is doubtful")
    if [value.strip().lower() for value in fields["transfer-encoding"]] != [b"chunked"]:
        raise BadMessage(501, "the only Transfer-Encoding that is understood is chunked")


def _malformed() -> BadMessage:
    return BadMessage(400, "the request is malformed")


def _unknown_method() -> BadMessage:
    return BadMessage(UnsupportedOperation.status, *UnsupportedOperation().messages)


def _too_large() -> BadMessage:
    return BadMessage(431, "the request's head is too large")
