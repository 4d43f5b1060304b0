"""What a connection's reader tells, for the tests of reading."""

import itertools
import tracemalloc
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from wardgate.http.head import Head
from wardgate.http.reading import BadMessage, Reader

HOST = b"Host: a\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
LINE = b"POST /a HTTP/1.1\r\nHost: a\r\n"
CHUNKED = LINE + b"Transfer-Encoding: chunked\r\n\r\n"
KINDS = pytest.mark.parametrize("method", [b"POST", b"LIST"], ids=["usual", "odd"])
"""A method of those that each of the parsers reads."""


def started(method: bytes, rest: bytes = b"") -> bytes:
    """A request with a first line, Host, and `rest`."""
    return method + b" /a HTTP/1.1\r\nHost: a\r\n" + rest


@dataclass
class Arrived:
    """A request as it was told, piece by piece."""

    head: Head
    body: bytes = b""
    pieces: int = 0
    keep_alive: bool | None = None
    """None until the request has ended."""

    @property
    def fields(self) -> dict[str, list[str]]:
        names = self.head.headers._fields
        return {name: [each.decode("latin-1") for each in names[name]] for name in names}

    @property
    def said(self) -> object:
        """All of it, but for the pieces."""
        head = self.head
        line = head.method, head.path, head.query_string, head.http_version
        return line, self.fields, self.body, self.keep_alive


@dataclass
class Told:
    """All requests that a reader told of, and how it ended."""

    requests: list[Arrived] = field(default_factory=list)
    refused: int | None = None
    """The status of the `BadMessage`."""

    def head(self, head: Head) -> None:
        assert not self.requests or self.requests[-1].keep_alive is not None
        self.requests.append(Arrived(head))

    def body(self, piece: bytes) -> None:
        assert self.requests[-1].keep_alive is None
        self.requests[-1].body += piece
        self.requests[-1].pieces += 1

    def end(self, *, keep_alive: bool) -> None:
        assert self.requests[-1].keep_alive is None
        self.requests[-1].keep_alive = keep_alive

    @property
    def paths(self) -> list[str]:
        return [request.head.path for request in self.requests]


def read(*pieces: bytes) -> Told:
    """What comes of these pieces of one connection."""
    told = Told()
    reader = Reader(told)
    try:
        for piece in pieces:
            reader.feed(piece)
    except BadMessage as error:
        told.refused = error.status
    return told


def one(data: bytes) -> Arrived:
    """The one whole request that this is."""
    told = read(data)
    (request,) = told.requests
    assert told.refused is None
    assert request.keep_alive is not None
    return request


def cut(data: bytes, *places: int) -> list[bytes]:
    """The data in pieces, cut at these places."""
    bounds = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[one:other] for one, other in itertools.pairwise(bounds) if one < other]


def peak(pieces: Iterable[bytes], told: Told) -> int:
    """The most memory, in bytes, that reading these pieces takes, until they are refused."""
    reader = Reader(told)
    tracemalloc.start()
    try:
        for piece in pieces:
            reader.feed(piece)
    except BadMessage as error:
        told.refused = error.status
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most
