"""HTTP requests, well-formed and not: what is told of them does not hang on how their bytes come."""

from dataclasses import dataclass
from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.http.arriving import Told, cut, read

CUTS = st.lists(st.integers(0, 400), max_size=8)
PIECES = [
    b"GET ", b"POST ", b"LIST ", b"SCAN ", b"LI", b"S", b"PUT /a HTTP/1.0\r\n", b"/a?b",
    b" HTTP/1.1\r\n", b"GET /a HTTP/1.1\r\nHost: a\r\n", b"LIST /b HTTP/1.1\r\nHost: a\r\n",
    b"\r\nLIST /c HTTP/1.0\r\n\r\n", b"POST /d HTTP/1.1\r\nHost: a\r\n", b"Host: a\r\n",
    b"Content-Length: 4\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n", b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
    b"Expect: 100-continue\r\n", b"X-A: LIST \r\n", b"X", b": ", b" : ", b" folded\r\n", b"\r\n",
    b"\r\n\r\n", b"\r", b"\n", b"\0", b"\xff", b"4\r\nLIST\r\n", b"5\r\nSCAN \r\n", b"0\r\n\r\n",
    b";x=y", b"SCAN", b"body", b"ffffffffffffffff\r\n", b"http://b:1/", b"%2f", b"*", b"#",
]  # fmt: skip
SOUP = st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join)
NAMES = st.from_regex(r"x-[a-z0-9!#$%&'*+.^_`|~-]{0,12}", fullmatch=True)
VALUES = st.binary(max_size=20).map(
    lambda data: bytes(byte for byte in data if byte >= 0x20 and byte != 0x7F).strip()
)
QUERIES = st.text("abcXYZ019-._~!$&'()*+,;=:@/?%", max_size=20)


@dataclass(frozen=True)
class Parts:
    """What a request is made from. A body of None is none; an int says in which chunks it goes."""

    method: str
    path: str
    query: str
    version: str
    fields: list[tuple[str, bytes]]
    body: bytes | None
    chunk: int | None
    upgrade: bool

    def written(self, method: str) -> bytes:
        target = quote(self.path, safe="/!$&'()*+,;=:@") + (f"?{self.query}" if self.query else "")
        lines = [f"{method} {target} HTTP/{self.version}".encode(), b"Host: a"]
        lines += [name.title().encode() + b": " + value for name, value in self.fields]
        if self.upgrade:
            lines += [b"Connection: Upgrade", b"Upgrade: websocket"]
        body = self.body or b""
        if self.body is not None and self.chunk is not None:
            lines.append(b"Transfer-Encoding: chunked")
            pieces = [body[at : at + self.chunk] for at in range(0, len(body), self.chunk)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
            body += b"0\r\n\r\n"
        elif self.body is not None:
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join([*lines, b"", body])


@st.composite
def parts(draw: st.DrawFn) -> Parts:
    version = draw(st.sampled_from(["1.1", "1.0"]))
    chunked = version == "1.1" and draw(st.booleans())
    return Parts(
        draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "SEARCH", "LINK"])),
        "/" + draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=12)),
        draw(QUERIES),
        version,
        draw(st.lists(st.tuples(NAMES, VALUES), max_size=5)),
        draw(st.none() | st.binary(max_size=60) | SOUP),
        draw(st.integers(1, 20)) if chunked else None,
        draw(st.booleans()),
    )


def heard(told: Told) -> object:
    """What was told. A method that nobody has may be met in parts, and is then no method at all."""
    refused = 400 if told.refused == 405 else told.refused
    return [request.said for request in told.requests], refused


def read_back(told: Told) -> list[tuple[object, ...]]:
    """The parts again, as far as they say something."""
    found: list[tuple[object, ...]] = []
    for request in told.requests:
        head = request.head
        own = sorted(
            (n, v) for n, values in request.fields.items() if n[:2] == "x-" for v in values
        )
        found.append(
            (head.method, head.path, head.query_string, head.http_version, own, request.body)
        )
    return found


def expected(part: Parts, method: str) -> tuple[object, ...]:
    own = sorted((name, value.decode("latin-1")) for name, value in part.fields)
    return method, part.path, part.query, part.version, own, part.body or b""


@given(SOUP | st.binary(max_size=200), CUTS)
@example(
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}LIST / HTTP/1.0\r\n\r\n", [48, 52]
)
@example(
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}LIST / HTTP/1.0\r\n\r\n",
    [],
)
@example(b"\rLIST ", [])
@example(
    b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n"
    b"{}LIST / HTTP/1.0\r\n\r\n",
    [],
)
def test_the_same_bytes_are_the_same_requests_however_they_are_cut(
    data: bytes, places: list[int]
) -> None:
    whole = heard(read(data))
    assert heard(read(*cut(data, *places))) == whole
    assert heard(read(*cut(data, *range(len(data))))) == whole


@given(st.lists(parts(), min_size=1, max_size=4), SOUP, CUTS)
def test_requests_in_a_row_are_the_same_however_they_are_cut(
    given_parts: list[Parts], rest: bytes, places: list[int]
) -> None:
    data = b"".join(each.written(each.method) for each in given_parts) + rest
    whole = heard(read(data))
    assert heard(read(*cut(data, *places))) == whole
    assert heard(read(*cut(data, *range(0, len(data), 3)))) == whole


@given(st.lists(parts(), min_size=1, max_size=4), CUTS)
def test_requests_are_read_back_as_what_they_were_made_from(
    given_parts: list[Parts], places: list[int]
) -> None:
    lasting = [each for each in given_parts if each.version == "1.1"]
    data = b"".join(each.written(each.method) for each in lasting)
    told = read(*cut(data, *places))
    assert told.refused is None
    assert read_back(told) == [expected(each, each.method) for each in lasting]
    assert all(request.keep_alive for request in told.requests)


@given(parts(), CUTS)
def test_the_odd_methods_are_read_as_the_others(part: Parts, places: list[int]) -> None:
    """With a usual method as with one of Vault's own."""
    for method in ("LIST", "SCAN", part.method):
        data = part.written(method)
        told = read(*cut(data, *places))
        assert read_back(told) == [expected(part, method)]
        assert told.requests[0].keep_alive is (part.version == "1.1")
