"""Many requests of one connection, requests without an end, and what follows a bad one."""

import contextlib
import itertools
from collections.abc import Iterator

import pytest

from tests.unit.http.arriving import (
    CHUNKED,
    KINDS,
    LINE,
    NEXT,
    Told,
    cut,
    one,
    peak,
    read,
    started,
)
from wardgate.http.reading import MAX_FIELDS, MAX_HEAD, BadMessage, Reader

PIECE = 64 * 1024


class TestSeveralRequests:
    def test_they_are_told_in_order_however_they_are_cut(self) -> None:
        data = b"".join(
            [
                started(b"LIST", b"\r\n"),
                NEXT,
                started(b"SCAN", b"Content-Length: 4\r\n\r\nLIST"),
                started(b"POST", b"Content-Length: 3\r\n\r\n{S}"),
                started(b"LIST", b"\r\n"),
                CHUNKED + b"3\r\nSCA\r\n0\r\n\r\n",
                started(b"SCAN", b"\r\n"),
                NEXT,
            ]
        )
        methods = ["LIST", "GET", "SCAN", "POST", "LIST", "POST", "SCAN", "GET"]
        bodies = [b"", b"", b"LIST", b"{S}", b"", b"SCA", b"", b""]
        for place in range(len(data)):
            told = read(*cut(data, place, place + 3))
            assert told.refused is None
            assert [each.head.method for each in told.requests] == methods
            assert [each.body for each in told.requests] == bodies

    def test_an_odd_method_may_come_in_any_pieces(self) -> None:
        data = started(b"SCAN", b"\r\n")
        for places in itertools.combinations(range(7), 3):
            (request,) = read(*cut(data, *places)).requests
            assert request.said == one(data).said

    def test_methods_that_begin_like_the_odd_ones(self) -> None:
        for method in (b"SEARCH", b"SUBSCRIBE", b"LINK", b"LOCK", b"SOURCE"):
            data = started(method, b"\r\n")
            for place in range(8):
                assert read(*cut(NEXT + data, len(NEXT) + place)).paths == ["/next", "/a"]

    def test_a_reader_may_be_stopped(self) -> None:
        class Stopping(Told):
            def end(self, *, keep_alive: bool) -> None:
                super().end(keep_alive=keep_alive)
                reader.stop()

        told = Stopping()
        reader = Reader(told)
        reader.feed(started(b"LIST", b"\r\n") + NEXT)
        reader.feed(NEXT)
        assert told.paths == ["/a"]

    @pytest.mark.parametrize(
        "data",
        [
            NEXT * 7000 + started(b"LIST"),
            CHUNKED + b"3a98e\r\n" + b"\n\r\n" * 80_000 + started(b"LIST"),
            CHUNKED + b"3a98e\r\n" + b"\n\r\nLIST " * 30_000,
            b"\r\n" * 50_000 + started(b"LIST"),
        ],
        ids=range(4),
    )
    def test_an_odd_one_that_is_hard_to_find_costs_little(self, data: bytes) -> None:
        """Looking for it copies the data each time, so it is not done without end."""
        copied = 0

        class Counting(Reader):
            def _some(self, data: bytes) -> bytes:
                nonlocal copied
                rest = super()._some(data)
                copied += len(rest)
                return rest

        with contextlib.suppress(BadMessage):
            Counting(Told()).feed(data)
        assert copied < 300 * len(data)

    def test_between_two_requests_nothing_has_arrived(self) -> None:
        for method in (b"POST", b"LIST"):
            reader, between = Reader(Told()), []
            for piece in (started(method, b"Content-Length: 2\r\n"), b"\r\nh", b"i"):
                between.append(reader.between)
                reader.feed(piece)
            assert [*between, reader.between] == [True, False, False, True]

    @KINDS
    @pytest.mark.parametrize("protocol", [b"websocket", b"h2c", b"TLS/1.0"])
    def test_a_request_for_another_protocol_is_as_any_other(
        self, method: bytes, protocol: bytes
    ) -> None:
        """RFC 9110, section 7.8: whoever does not speak it answers as if it was not asked for."""
        wish = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol + b"\r\n"
        inner = b"LIST /inner HTTP/1.1\r\nHost: a\r\n\r\n"
        bodies = [(b"", b""), (b"Content-Length: 0\r\n", b"")]
        bodies.append((b"Content-Length: %d\r\n" % len(inner), inner))
        for lines, body in bodies:
            data = started(method, wish + lines + b"\r\n") + body + NEXT
            for place in range(len(data)):
                told = read(*cut(data, place))
                assert (told.paths, told.refused) == (["/a", "/next"], None)
                assert told.requests[0].body == body
                assert told.requests[0].keep_alive

    def test_a_request_for_another_protocol_may_have_chunks(self) -> None:
        wish = b"Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n"
        data = LINE + wish + b"2\r\nhi\r\n0\r\nX-A: b\r\n\r\n" + NEXT
        for place in range(len(data)):
            told = read(*cut(data, place))
            assert (told.paths, told.refused) == (["/a", "/next"], None)
            assert told.requests[0].body == b"hi"

    def test_a_request_for_another_protocol_may_be_the_last(self) -> None:
        wish = b"Connection: Upgrade, close\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi"
        assert one(LINE + wish).keep_alive is False
        assert one(LINE.replace(b"1.1", b"1.0") + wish.replace(b", close", b"")).keep_alive is False

    def test_a_tunnel_is_none(self) -> None:
        assert read(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT).refused == 400
        data = b"CONNECT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 34\r\n\r\n" + b"x" * 34 + NEXT
        assert read(data).paths == ["/a", "/next"]


class TestTooMuch:
    @KINDS
    def test_the_longest_head(self, method: bytes) -> None:
        def filled(size: int) -> bytes:
            return started(method, b"X: " + b"x" * size + b"\r\n\r\n")

        assert one(filled(MAX_HEAD - 200)).keep_alive
        for pieces in ([filled(MAX_HEAD)], cut(filled(MAX_HEAD), *range(0, MAX_HEAD, 1000))):
            told = read(*pieces)
            assert (told.requests, told.refused) == ([], 431)

    @KINDS
    def test_the_most_fields(self, method: bytes) -> None:
        assert one(started(method, b"X: y\r\n" * (MAX_FIELDS - 1) + b"\r\n")).keep_alive
        told = read(started(method, b"X: y\r\n" * MAX_FIELDS + b"\r\n") + NEXT)
        assert (told.requests, told.refused) == ([], 431)

    @KINDS
    def test_a_long_target(self, method: bytes) -> None:
        told = read(method + b" /" + b"x" * MAX_HEAD + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (told.requests, told.refused) == ([], 431)

    @pytest.mark.parametrize(
        ("start", "again"),
        [
            (b"", b"\r\n"),
            (b"GET /", b"x"),
            (b"LIST /", b"x"),
            (b"LIST / HTTP/1.1\r\nX: ", b"x"),
            (b"GET / HTTP/1.1\r\nX: ", b"x"),
            (b"GET / HTTP/1.1\r\n", b"x"),
            (b"GET / HTTP/1.1\r\n", b"X: y\r\n"),
            (b"LIST / HTTP/1.1\r\n", b"X: y\r\n"),
            (CHUNKED, b"0"),
            (CHUNKED + b"2;", b"x"),
            (CHUNKED + b"2;a=", b"x"),
            (CHUNKED + b"0\r\nX: ", b"x"),
            (CHUNKED + b"0\r\n", b"X: y\r\n"),
        ],
        ids=range(13),
    )
    def test_what_never_ends_is_not_kept(self, start: bytes, again: bytes) -> None:
        def pieces() -> Iterator[bytes]:
            yield start or b"\r\n"
            for _ in range(1000):
                yield again * (PIECE // len(again))

        told = Told()
        assert peak(pieces(), told) < 2 * 1024 * 1024
        assert told.refused in (400, 431)

    def test_requests_without_number_leave_nothing(self) -> None:
        class Forgetful(Told):
            def end(self, *, keep_alive: bool) -> None:
                self.requests.clear()

        data = CHUNKED + b"2;a=b\r\nhi\r\n0\r\nX-A: b\r\n\r\n" + started(b"LIST", b"\r\n") + NEXT
        told = Forgetful()
        assert peak((data for _ in range(2000)), told) < 100_000
        assert told.refused is None


class TestAfterwards:
    @pytest.mark.parametrize(
        "bad",
        [
            b"\0",
            started(b"LIST", b"X : y\r\n\r\n"),
            started(b"POST", b"Content-Length: x\r\n\r\n"),
            started(b"POST", b"X: y\r\n" * MAX_FIELDS + b"\r\n"),
            started(b"POST", b"X: y\r\n" * MAX_FIELDS + b"Content-Length: 2\r\n\r\nhi"),
            started(
                b"POST", b"X: y\r\n" * MAX_FIELDS + b"Connection: Upgrade\r\nUpgrade: a\r\n\r\n"
            ),
            b"GET http://b:99999/ HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
        ids=range(7),
    )
    def test_nothing_more_is_told(self, bad: bytes) -> None:
        for following in (NEXT, started(b"LIST", b"\r\n"), b"\r\n" + NEXT):
            told = read(NEXT + bad + following)
            assert told.paths == ["/next"]
            assert told.refused is not None

    def test_the_message_repeats_nothing(self) -> None:
        for data in (
            b"GET /hunter2 HTTP/3.0\r\n\r\n",
            b"LIST /hunter2 x\r\n\r\n",
            b"hunter2\r\n\r\n",
        ):
            with pytest.raises(BadMessage) as refused:
                Reader(Told()).feed(data)
            assert "hunter2" not in str(refused.value)
            assert refused.value.__cause__ is None
