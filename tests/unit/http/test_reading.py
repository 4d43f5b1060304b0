"""Requests out of the bytes of a connection: what is told of them, and what is refused."""

import pytest

from tests.unit.http.arriving import (
    CHUNKED,
    HOST,
    KINDS,
    NEXT,
    cut,
    one,
    read,
    started,
)

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "LIST", "SCAN"]


class TestHeads:
    @pytest.mark.parametrize("method", METHODS)
    def test_a_method(self, method: str) -> None:
        request = one(b"%s /v1/a?b=c HTTP/1.1\r\nHost: a\r\n\r\n" % method.encode())
        head = request.head
        assert (head.method, head.path, head.query_string) == (method, "/v1/a", "b=c")
        assert (head.http_version, request.body, request.keep_alive) == ("1.1", b"", True)

    @pytest.mark.parametrize("method", [b"get", b"LISTS", b"LIS", b"SCANNER", b"list", b"X"])
    def test_a_method_that_nobody_has(self, method: bytes) -> None:
        assert read(started(method, b"\r\n")).refused == 405

    @pytest.mark.parametrize("start", [b"\0", b"nonsense\r\n", b"\x16\3\1\0\xc8 /", b"(a) / "])
    def test_what_is_no_method_at_all(self, start: bytes) -> None:
        assert read(start + b"\r\n\r\n").refused == 400
        assert read(started(b"PRI", b"\r\n")).refused == 400

    @KINDS
    @pytest.mark.parametrize(
        ("target", "path", "query"),
        [
            (b"/a%20b%2Fc", "/a b/c", ""),
            (b"/%C3%A9", "/é", ""),
            (b"/%ff%00", "/\ufffd\0", ""),
            (b"/a%", "/a%", ""),
            (b"/%252e", "/%2e", ""),
            (b"/a?b%20c&d?e", "/a", "b%20c&d?e"),
            (b"/a?", "/a", ""),
            (b"/a?b#c", "/a", "b"),
            (b"//b/c", "//b/c", ""),
            (b"*", "*", ""),
            (b"http://b/c?d", "/c", "d"),
            (b"https://u:p@b:1/c", "/c", ""),
            (b"http://b", "", ""),
        ],
    )
    def test_a_target(self, method: bytes, target: bytes, path: str, query: str) -> None:
        head = one(method + b" " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n").head
        assert (head.path, head.query_string) == (path, query)

    @KINDS
    @pytest.mark.parametrize(
        "target",
        [
            b"",
            b"a",
            b"b:1",
            b"/a b",
            b"/a\tb",
            b"/a\x7f",
            b"/\xff",
            b"http://b:99999/",
            b"http:///",
        ],
    )
    def test_a_target_that_is_none(self, method: bytes, target: bytes) -> None:
        told = read(method + b" " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n", NEXT)
        assert (told.requests, told.refused) == ([], 400)

    @KINDS
    def test_a_field_may_be_repeated_and_its_name_be_written_in_any_case(
        self, method: bytes
    ) -> None:
        headers = one(started(method, b"X-A: b\r\nx-a:c\r\nX-B: \xe9\r\nX-C:\r\n\r\n")).head.headers
        assert headers.get_all("x-a") == ["b", "c"]
        assert headers.get("x-a") == "b"
        assert ("x-b" in headers, headers.get("x-b"), headers.get_all("x-b")) == (True, None, [])
        assert (headers.get("x-c"), headers.get("x-d", "e")) == ("", "e")

    @KINDS
    @pytest.mark.parametrize(
        "version",
        [
            b"HTTP/2.0",
            b"HTTP/0.9",
            b"HTTP/1.2",
            b"HTTP/1.10",
            b"HTTP/1",
            b"http/1.1",
            b"ICY/1.1",
            b"",
        ],
    )
    def test_another_version(self, method: bytes, version: bytes) -> None:
        told = read(method + b" /a " + version + b"\r\nHost: a\r\n\r\n")
        assert (told.requests, told.refused) == ([], 400)

    @KINDS
    def test_a_request_of_1_1_has_one_host(self, method: bytes) -> None:
        """RFC 9112, section 3.2."""
        assert read(method + b" /a HTTP/1.1\r\n\r\n").refused == 400
        assert read(started(method, b"Host: b\r\n\r\n")).refused == 400
        assert one(method + b" /a HTTP/1.0\r\n\r\n").head.http_version == "1.0"

    @KINDS
    @pytest.mark.parametrize(
        "line",
        [
            b"X-A : b",
            b"X-A\t: b",
            b"X\0: b",
            b"X: a\0b",
            b": b",
            b"nothing",
            b"X: a\rY: b",
            b"X Y: b",
        ],
    )
    def test_a_line_that_is_no_field(self, method: bytes, line: bytes) -> None:
        told = read(started(method, line + b"\r\n\r\n"))
        assert (told.requests, told.refused) == ([], 400)

    def test_a_line_must_end_with_carriage_return_and_line_feed(self) -> None:
        assert read(started(b"POST", b"X: a\nContent-Length: 5\r\n\r\n")).refused == 400
        assert read(started(b"POST", b"X: a\r\n\n")).refused == 400

    @KINDS
    def test_a_field_on_two_lines_is_refused(self, method: bytes) -> None:
        """RFC 9112, section 5.2."""
        assert read(started(method, b"X-A: b\r\n c\r\n\r\n")).refused == 400

    @KINDS
    def test_empty_lines_before_a_request(self, method: bytes) -> None:
        """RFC 9112, section 2.2."""
        for data in (b"\r\n" + started(method, b"\r\n"), NEXT + b"\r\n" + started(method, b"\r\n")):
            assert read(data).refused is None
            assert read(*cut(data, *range(len(data)))).paths == read(data).paths
            assert read(data).paths[-1] == "/a"

    @KINDS
    @pytest.mark.parametrize(
        ("version", "field", "stays"),
        [
            (b"1.1", b"", True),
            (b"1.1", b"Connection: keep-alive\r\n", True),
            (b"1.1", b"Connection: close\r\n", False),
            (b"1.1", b"Connection: a, Close\r\n", False),
            (b"1.1", b"Connection: a\r\nConnection: close\r\n", False),
            (b"1.0", b"", False),
            (b"1.0", b"Connection: Keep-Alive\r\n", True),
            (b"1.0", b"Connection: close\r\n", False),
        ],
    )
    def test_whether_another_request_may_follow(
        self, method: bytes, version: bytes, field: bytes, stays: bool
    ) -> None:
        request = one(method + b" /a HTTP/" + version + b"\r\n" + HOST + field + b"\r\n")
        assert request.keep_alive is stays


class TestBodies:
    @KINDS
    def test_a_body_with_a_length(self, method: bytes) -> None:
        body = b"LIST /x HTTP/1.1\r\n\r\n\0\xff"
        data = started(method, b"Content-Length: %d\r\n\r\n" % len(body)) + body + NEXT
        for pieces in ([data], cut(data, *range(len(data))), cut(data, *range(0, len(data), 7))):
            told = read(*pieces)
            assert told.paths == ["/a", "/next"]
            assert told.requests[0].body == body

    def test_a_body_in_chunks(self) -> None:
        data = CHUNKED + b"5\r\nLIST \r\n0a\r\n\r\nSCAN /x\n\r\n0\r\n\r\n" + NEXT
        for pieces in ([data], cut(data, *range(len(data)))):
            told = read(*pieces)
            assert told.paths == ["/a", "/next"]
            assert told.requests[0].body == b"LIST \r\nSCAN /x\n"

    def test_extensions_and_trailers_are_left_out(self) -> None:
        data = CHUNKED + b'2;a=b;c="d"\r\nhi\r\n0;e\r\nX-Vault-Token: s\r\nX-B: c\r\n\r\n' + NEXT
        for pieces in ([data], cut(data, *range(len(data)))):
            first, second = read(*pieces).requests
            assert (first.body, list(first.fields)) == (b"hi", ["host", "transfer-encoding"])
            assert second.fields == {"host": ["a"]}

    @pytest.mark.parametrize(
        "size",
        [
            b"",
            b"g",
            b"-2",
            b"+2",
            b"0x2",
            b" 2",
            b"2 ",
            b"2\n",
            b"2\r",
            b"fffffffffffffffff",
            b"2,2",
        ],
    )
    def test_a_chunk_whose_size_is_none(self, size: bytes) -> None:
        told = read(CHUNKED + size + b"\r\nhi\r\n0\r\n\r\n" + NEXT)
        assert (told.paths, told.requests[0].keep_alive, told.refused) == (["/a"], None, 400)

    @pytest.mark.parametrize(
        "chunks",
        [
            b"2\r\nhiXX0\r\n\r\n",
            b"2\nhi\n0\n\n",
            b"2;\nhi\r\n0\r\n\r\n",
            b"0\r\nContent-Length: 5\r\n\r\n",
        ],
    )
    def test_chunks_that_others_may_read_otherwise(self, chunks: bytes) -> None:
        told = read(CHUNKED + chunks + NEXT)
        assert (told.paths, told.refused) == (["/a"], 400)

    def test_the_odd_methods_take_chunks_too(self) -> None:
        chunks = b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        told = read(started(b"LIST", chunks) + NEXT)
        assert (told.paths, told.refused) == (["/a", "/next"], None)
        assert (told.requests[0].head.method, told.requests[0].body) == ("LIST", b"hi")

    @KINDS
    @pytest.mark.parametrize("length", [b"", b"-2", b"+2", b"0x2", b"2_0", b"2 2", b"2;", b"\xb2"])
    def test_a_length_that_is_none(self, method: bytes, length: bytes) -> None:
        told = read(started(method, b"Content-Length: " + length + b"\r\n\r\nhi") + NEXT)
        assert (told.requests, told.refused) == ([], 400)

    @KINDS
    def test_a_length_of_very_many_digits(self, method: bytes) -> None:
        told = read(started(method, b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"))
        assert (told.requests, told.refused) == ([], 400)

    @KINDS
    @pytest.mark.parametrize(
        "lines",
        [
            b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            b"Content-Length: 5\r\ntransfer-encoding:\tChunked \r\n",
            b"Content-Length: 5\r\nContent-Length: 6\r\n",
            b"Content-Length: 5, 6\r\n",
        ],
    )
    def test_two_lengths(self, method: bytes, lines: bytes) -> None:
        told = read(started(method, lines + b"\r\n0\r\n\r\n") + NEXT)
        assert (told.requests, told.refused) == ([], 400)

    @KINDS
    @pytest.mark.parametrize(
        "coding",
        [
            b"gzip",
            b"identity",
            b"xchunked",
            b"chunked;a=b",
            b'"chunked"',
            b"gzip, chunked",
            b"chunked, gzip",
            b"chunked, chunked",
            b",chunked",
            b"chunked\x0b",
            b"",
            b"identity\r\nTransfer-Encoding: chunked",
            b"chunked\r\nTransfer-Encoding: identity",
        ],
    )
    def test_a_coding_that_is_not_chunked(self, method: bytes, coding: bytes) -> None:
        told = read(started(method, b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n") + NEXT)
        assert told.requests == []
        assert told.refused in (400, 501)

    @KINDS
    def test_chunks_in_http_1_0(self, method: bytes) -> None:
        """RFC 9112, section 6.1: such a length cannot be trusted."""
        data = (
            b" /a HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )
        assert read(method + data + NEXT).refused == 400
