"""Connections: requests are answered in turn, and whoever has not been heard is told so."""

import asyncio
import logging

import pytest

from tests.unit.http.served import GET, POST, Client, echo, holding, on_the_loop, serving, until
from wardgate.errors import InvalidRequest
from wardgate.http.connection import MOST_WAITING
from wardgate.http.exchange import ClientGone, Exchange

CHUNKED = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
MEGABYTE = 1024 * 1024
SECRET = "hunter2"
FINE = [("content-type", "text/plain")]


class Refusing:
    """Answers 413 without reading the body."""

    async def __call__(self, exchange: Exchange) -> None:
        exchange.respond(413, FINE, b"too large")


class Taking:
    """Takes bodies, whole or in pieces, and keeps what comes of them. Does not answer in trouble."""

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole
        self.bodies: list[bytes] = []
        self.trouble: list[Exception] = []

    async def __call__(self, exchange: Exchange) -> None:
        try:
            if self.whole:
                body = await exchange.body()
            else:
                body = b"".join([piece async for piece in exchange.pieces()])
        except InvalidRequest as error:
            self.trouble.append(error)
            exchange.respond(400, FINE, b"malformed")
        except ClientGone as error:
            self.trouble.append(error)
        else:
            self.bodies.append(body)
            exchange.respond(200, FINE, b"taken")


BOTH = pytest.mark.parametrize("whole", [True, False], ids=["whole", "in pieces"])


class TestAnswers:
    @on_the_loop
    async def test_one_connection_serves_many_requests(self) -> None:
        async with serving() as served:
            client = await served.client()
            for _ in range(3):
                client.send(
                    GET % b"a", POST % (b"b", 2), b"hi", GET.replace(b"GET", b"LIST") % b"c"
                )
                assert [await client.said() for _ in range(3)] == [
                    "GET /a ",
                    "POST /b hi",
                    "LIST /c ",
                ]
            assert served.count == 1
            client.send(GET % b"d")
            status, fields, _ = await client.answer()
            assert status == 200
            assert fields == {
                "content-type": "text/plain",
                "content-length": "7",
                "date": "Tue, 14 Nov 2023 22:13:20 GMT",
            }

    @pytest.mark.parametrize(
        ("version", "field", "said"),
        [
            (b"1.0", b"", "close"),
            (b"1.0", b"Connection: Keep-Alive\r\n", "keep-alive"),
            (b"1.1", b"Connection: close\r\n", "close"),
        ],
    )
    @on_the_loop
    async def test_what_becomes_of_the_connection_is_said(
        self, version: bytes, field: bytes, said: str
    ) -> None:
        async with serving() as served:
            client = await served.client()
            client.send(b"GET /a HTTP/" + version + b"\r\nHost: a\r\n" + field + b"\r\n")
            status, fields, _ = await client.answer()
            assert (status, fields["connection"]) == (200, said)
            if said == "close":
                assert await client.rest() == b""
                await until(lambda: served.count == 0)
            else:
                client.send(GET % b"b")
                assert await client.said() == "GET /b "

    @on_the_loop
    async def test_what_follows_the_last_request_is_not_answered(self) -> None:
        async with serving() as served:
            for method in (b"GET", b"LIST"):
                client = await served.client()
                last = b" /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                client.send(method, last, GET % b"b", GET.replace(b"GET", b"LIST") % b"c")
                assert (await client.rest()).count(b"HTTP/1.1 ") == 1

    @on_the_loop
    async def test_head_and_no_content_have_no_body(self) -> None:
        async def answer(exchange: Exchange) -> None:
            if exchange.head.method == "HEAD":
                exchange.respond(200, FINE, b"unseen", bare=True)
            elif exchange.head.path == "/none":
                exchange.respond(204, FINE)
            else:
                await echo(exchange)

        async with serving(answer) as served:
            client = await served.client()
            client.send(b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n", GET % b"none", GET % b"b")
            assert [(await client.answer(bare=True))[0] for _ in range(2)] == [200, 204]
            assert await client.said() == "GET /b "

    @on_the_loop
    async def test_a_request_is_answered_once(self) -> None:
        async def answer(exchange: Exchange) -> None:
            exchange.respond(200, FINE, b"one")
            exchange.respond(500, FINE, b"other")

        async with serving(answer) as served:
            client = await served.client()
            client.send(GET % b"a", GET % b"b")
            assert [await client.said() for _ in range(2)] == ["one", "one"]

    @on_the_loop
    async def test_the_head_says_where_it_came_from(self) -> None:
        seen: list[str] = []

        async def answer(exchange: Exchange) -> None:
            seen.append(exchange.head.client)
            exchange.respond(204, FINE)

        async with serving(answer) as served:
            client = await served.client()
            client.send(GET % b"a")
            await client.answer()
        assert seen[0].startswith("127.0.0.1:")

    @pytest.mark.parametrize(
        "header", [("x", "a\r\nb"), ("x", "\ud800"), ("x\r\ny", "a"), ("", "a")]
    )
    @on_the_loop
    async def test_what_cannot_be_sent_ends_the_connection(self, header: tuple[str, str]) -> None:
        async def answer(exchange: Exchange) -> None:
            exchange.respond(200, [header] if exchange.head.path == "/bad" else FINE)

        async with serving(answer) as served:
            client, other = await served.client(), await served.client()
            client.send(GET % b"bad", GET % b"good")
            assert await client.gone()
            other.send(GET % b"good")
            assert (await other.answer())[0] == 200

    def test_a_failure_is_logged_by_type_and_place_and_ends_the_connection(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        @on_the_loop
        async def run() -> None:
            async def answer(exchange: Exchange) -> None:
                if exchange.head.path == "/bad":
                    raise RuntimeError(SECRET)
                await echo(exchange)

            async with serving(answer) as served:
                client, other = await served.client(), await served.client()
                client.send(GET % b"bad", GET % b"good")
                assert await client.gone()
                other.send(GET % b"good")
                assert await other.said() == "GET /good "
                assert served.count == 1

        with caplog.at_level(logging.ERROR):
            run()
        (record,) = caplog.records
        assert "RuntimeError" in record.getMessage()
        assert SECRET not in caplog.text


class TestPipelining:
    @on_the_loop
    async def test_answers_come_in_the_order_of_the_requests(self) -> None:
        release = asyncio.Event()
        async with serving(holding(release)) as served:
            client, other = await served.client(), await served.client()
            client.send(GET % b"slow", GET % b"b", POST % (b"c", 2), b"h")
            other.send(GET % b"d")
            assert await other.said() == "GET /d "
            client.send(b"i", GET % b"e")
            release.set()
            said = [await client.said() for _ in range(4)]
            assert said == ["GET /slow ", "GET /b ", "POST /c hi", "GET /e "]

    @on_the_loop
    async def test_a_bad_request_is_answered_after_those_before_it(self) -> None:
        release = asyncio.Event()
        async with serving(holding(release)) as served:
            client = await served.client()
            client.send(GET % b"slow", GET % b"b", b"nonsense\r\n\r\n", GET % b"c")
            release.set()
            assert [await client.said() for _ in range(2)] == ["GET /slow ", "GET /b "]
            status, fields, body = await client.answer()
            assert (status, fields["connection"]) == (400, "close")
            assert body == b'{"errors":["the request is malformed"]}'
            assert await client.rest() == b""

    @pytest.mark.parametrize("count", [MOST_WAITING + 50, 40_000])
    @on_the_loop
    async def test_only_so_many_wait_and_the_client_reads_all_their_answers(
        self, count: int
    ) -> None:
        """RFC 9112, section 9.3.2: the others may be sent again on another connection."""
        release = asyncio.Event()
        async with serving(holding(release)) as served:
            client = await served.client()
            client.send(GET % b"slow", (GET % b"b") * count)
            release.set()
            received = await client.rest()
            answers = received.split(b"HTTP/1.1 200 OK\r\n")[1:]
            assert MOST_WAITING <= len(answers) <= MOST_WAITING + 1
            assert [b"connection: close" in each for each in answers[-2:]] == [False, True]


class TestExpectations:
    @pytest.mark.parametrize("spelling", [b"100-continue", b"100-Continue"])
    @BOTH
    @on_the_loop
    async def test_the_client_is_told_once_that_its_body_is_wanted(
        self, whole: bool, spelling: bytes
    ) -> None:
        async with serving(Taking(whole=whole)) as served:
            client = await served.client()
            expecting = POST.replace(b"\r\n\r\n", b"\r\nExpect: " + spelling + b"\r\n\r\n")
            for _ in range(2):
                client.send(expecting % (b"a", 6))
                assert (await client.answer(bare=True))[0] == 100
                for piece in (b"ab", b"cd", b"ef"):
                    client.send(piece)
                    await asyncio.sleep(0)
                assert await client.said() == "taken"

    @on_the_loop
    async def test_it_is_not_told_what_it_does_not_expect(self) -> None:
        async with serving(Taking(whole=True)) as served:
            for version, field in ((b"1.0", b"100-continue"), (b"1.1", b"more")):
                client = await served.client()
                client.send(
                    b"POST /a HTTP/%s\r\nHost: a\r\nExpect: %s\r\nContent-Length: 2\r\n\r\n"
                    % (version, field)
                )
                await asyncio.sleep(0.01)
                client.send(b"hi")
                assert await client.said() == "taken"

    @on_the_loop
    async def test_a_body_that_is_not_wanted_need_not_be_sent(self) -> None:
        async with serving(Refusing()) as served:
            client = await served.client()
            client.send(POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n") % (b"a", 9))
            status, fields, _ = await client.answer()
            assert (status, fields["connection"]) == (413, "close")
            assert await client.rest() == b""


class TestBodies:
    @on_the_loop
    async def test_whoever_is_refused_early_reads_why_though_it_goes_on_sending(self) -> None:
        async with serving(Refusing()) as served:
            client = await served.client()
            client.send(POST % (b"a", 32 * MEGABYTE), b"x" * 16 * MEGABYTE)
            status, fields, body = await client.answer()
            assert (status, fields["connection"], body) == (413, "close", b"too large")
            client.send(b"x" * 16 * MEGABYTE, GET % b"b")
            assert await client.rest() == b""
            client.close()
            await until(lambda: served.count == 0)

    @BOTH
    @pytest.mark.parametrize("chunked", [False, True])
    @on_the_loop
    async def test_a_body_may_come_in_any_pieces(self, whole: bool, chunked: bool) -> None:
        taking = Taking(whole=whole)
        async with serving(taking) as served:
            client = await served.client()
            data = (
                CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
                if chunked
                else POST % (b"a", 5) + b"abcde"
            )
            for each in data:
                client.send(bytes([each]))
                await client.sent()
                await asyncio.sleep(0)
            assert await client.said() == "taken"
        assert taking.bodies == [b"abcde"]

    @BOTH
    @on_the_loop
    async def test_a_body_that_turns_out_to_be_malformed_is_answered(self, whole: bool) -> None:
        taking = Taking(whole=whole)
        async with serving(taking) as served:
            client = await served.client()
            client.send(CHUNKED + b"3\r\nabc\r\n")
            await until(lambda: served.count == 1)
            client.send(b"nonsense\r\n", GET % b"b")
            status, fields, _ = await client.answer()
            assert (status, fields["connection"]) == (400, "close")
            assert await client.rest() == b""
        assert [type(each) for each in taking.trouble] == [InvalidRequest]

    @BOTH
    @pytest.mark.parametrize("leave", [Client.abort, Client.close, Client.send_end])
    @on_the_loop
    async def test_a_client_that_goes_away_is_not_waited_for(
        self, whole: bool, leave: object
    ) -> None:
        taking = Taking(whole=whole)
        async with serving(taking) as served:
            client = await served.client()
            client.send(POST % (b"a", 5), b"ab")
            await client.sent()
            await until(lambda: any(each._task for each in served.connections._all))
            assert callable(leave)
            leave(client)
            await until(lambda: len(taking.trouble) == 1)
            assert isinstance(taking.trouble[0], ClientGone)
            await until(lambda: served.count == 0)

    @on_the_loop
    async def test_a_client_that_sends_no_more_still_gets_its_answers(self) -> None:
        release = asyncio.Event()
        async with serving(holding(release)) as served:
            client = await served.client()
            client.send(GET % b"slow", GET % b"b")
            client.send_end()
            await asyncio.sleep(0.01)
            release.set()
            assert [await client.said() for _ in range(2)] == ["GET /slow ", "GET /b "]
            assert await client.rest() == b""

    @on_the_loop
    async def test_half_a_head_without_the_rest_is_nothing(self) -> None:
        async with serving() as served:
            for half in (b"", b"LI", b"GET /a HTTP/1.1\r\n", b"LIST /a HTTP/1.1\r\n"):
                client = await served.client()
                client.send(half)
                client.send_end()
                assert await client.rest() == b""
