"""What a connection may take: time, memory, room; and how connections end."""

import asyncio

import pytest

from tests.unit.http.served import GET, POST, Client, Served, holding, on_the_loop, serving, until
from wardgate.http.connection import LINGER, Times
from wardgate.http.exchange import HIGH_WATER, Exchange

MEGABYTE = 1024 * 1024
TIMES = Times(head=30, idle=300, write=60)
FINE = [("content-type", "text/plain")]


async def refuse(exchange: Exchange) -> None:
    exchange.respond(413, FINE, b"too large")


class TestTimes:
    @pytest.mark.parametrize(
        "half", [b"GET /", b"GET /a HTTP/1.1\r\nHost", b"LIST /a HTTP/1.1\r\nHost"]
    )
    @on_the_loop
    async def test_a_head_must_arrive_in_time_however_slowly_it_comes(self, half: bytes) -> None:
        async with serving(times=TIMES) as served:
            client = await served.client()
            served.later(200)
            await begun(served, client, half)
            for _ in range(TIMES.head):
                served.later(1)
                client.send(b"x")
                await client.sent()
            await asyncio.sleep(0)
            assert served.count == 1
            served.later(1)
            assert await client.gone()

    @on_the_loop
    async def test_a_connection_on_which_nothing_happens_ends(self) -> None:
        async with serving(times=TIMES) as served:
            silent, answered = await served.client(), await served.client()
            served.later(TIMES.idle)
            answered.send(GET % b"a")
            assert await answered.said() == "GET /a "
            assert served.count == 2
            served.later(1)
            assert await silent.gone()
            assert served.count == 1
            served.later(TIMES.idle)
            assert await answered.gone()

    @on_the_loop
    async def test_empty_lines_are_nothing(self) -> None:
        async with serving(times=TIMES) as served:
            client = await served.client()
            served.later(TIMES.idle)
            client.send(b"\r\n")
            other = await served.client()
            other.send(GET % b"a")
            await other.said()
            served.later(1)
            assert await client.gone()

    @on_the_loop
    async def test_what_is_being_answered_takes_its_own_time(self) -> None:
        release = asyncio.Event()
        async with serving(holding(release), times=TIMES) as served:
            client, sending = await served.client(), await served.client()
            client.send(GET % b"slow", b"GET /b")
            sending.send(POST % (b"a", 2), b"h")
            await until(lambda: busy(served) == 2)
            served.later(10_000)
            sending.send(b"i")
            assert await sending.said() == "POST /a hi"
            release.set()
            assert await client.said() == "GET /slow "
            served.later(TIMES.head)
            client.send(b" HTTP/1.1\r\nHost: a\r\n\r\n")
            assert await client.said() == "GET /b "

    @on_the_loop
    async def test_a_client_that_takes_nothing_is_left(self) -> None:
        async def answer(exchange: Exchange) -> None:
            exchange.respond(200, FINE, b"x" * 32 * MEGABYTE)

        async with serving(answer, times=TIMES) as served:
            client = await served.client(buffer=4096)
            client.send(GET % b"a")
            await until(lambda: any(each._blocked is not None for each in served.connections._all))
            served.later(TIMES.write)
            assert served.count == 1
            served.later(1)
            await until(lambda: served.count == 0)

    @on_the_loop
    async def test_a_refused_client_that_never_stops_sending_is_left(self) -> None:
        async with serving(refuse) as served:
            client = await served.client()
            client.send(POST % (b"a", MEGABYTE), b"x")
            assert (await client.answer())[0] == 413
            assert await client.rest() == b""
            served.later(LINGER)
            client.send(b"x")
            assert served.count == 1
            served.later(1)
            await until(lambda: served.count == 0)

    @on_the_loop
    async def test_times_may_be_changed_while_there_are_connections(self) -> None:
        async with serving(times=TIMES) as served:
            client = await served.client()
            served.connections.times = Times(idle=5)
            served.later(6)
            assert await client.gone()


class TestMemory:
    @on_the_loop
    async def test_a_body_that_nobody_takes_is_not_sent(self) -> None:
        take = asyncio.Event()
        arrived: list[int] = []

        async def answer(exchange: Exchange) -> None:
            if exchange.head.path == "/slow":
                await take.wait()
            size = 0
            async for piece in exchange.pieces():
                size += len(piece)
                await asyncio.sleep(0)
            arrived.append(size)
            exchange.respond(200, FINE, b"taken")

        for pieces in (
            (POST % (b"slow", 32 * MEGABYTE),),
            (GET % b"slow", POST % (b"next", 32 * MEGABYTE)),
        ):
            take.clear()
            async with serving(answer) as served:
                client = await served.client()
                client.send(*pieces, b"x" * 32 * MEGABYTE)
                await until(lambda: not served.reading)
                (connection,) = served.connections._all
                exchange = connection._arriving
                assert exchange is not None
                assert exchange._size < HIGH_WATER + 512 * 1024
                take.set()
                for _ in pieces:
                    assert await client.said() == "taken"
        assert arrived == [32 * MEGABYTE, 0, 32 * MEGABYTE]

    @on_the_loop
    async def test_a_client_that_reads_nothing_is_not_answered_further(self) -> None:
        asked = 0

        async def answer(exchange: Exchange) -> None:
            nonlocal asked
            asked += 1
            exchange.respond(200, FINE, b"x" * 8 * MEGABYTE)

        async with serving(answer) as served:
            client, other = await served.client(buffer=65536), await served.client()
            client.send((GET % b"a") * 20)
            await until(lambda: any(each._drained is not None for each in served.connections._all))
            for _ in range(20):
                await asyncio.sleep(0)
            assert asked == 1
            other.send(GET % b"b")
            assert len(await other.said()) == 8 * MEGABYTE
            for _ in range(20):
                assert len(await client.said()) == 8 * MEGABYTE
            assert asked == 21

    @on_the_loop
    async def test_a_client_that_reads_nothing_and_leaves_is_forgotten(self) -> None:
        async def answer(exchange: Exchange) -> None:
            exchange.respond(200, FINE, b"x" * 32 * MEGABYTE)

        tasks = asyncio.all_tasks()
        async with serving(answer) as served:
            client = await served.client(buffer=4096)
            client.send((GET % b"a") * 3)
            await until(lambda: any(each._drained is not None for each in served.connections._all))
            client.abort()
            await until(lambda: served.count == 0)
            await until(lambda: asyncio.all_tasks() == tasks)


class TestRoom:
    @on_the_loop
    async def test_it_is_told_when_there_is_none_and_when_there_is_again(self) -> None:
        async with serving(most=2) as served:
            told: list[bool] = []
            served.connections.at_room = told.append
            rooms = [served.connections.room]
            first = await served.client()
            rooms.append(served.connections.room)
            assert told == []
            second = await served.client()
            rooms.append(served.connections.room)
            assert told == [False]
            third = await served.client()  # accepted before anybody could stop that
            third.send(GET % b"a")
            assert await third.said() == "GET /a "
            first.close()
            await until(lambda: served.count == 2)
            rooms.append(served.connections.room)
            assert True not in told
            second.close()
            await until(lambda: served.count == 1)
            rooms.append(served.connections.room)
            assert told[-1] is True
            assert rooms == [True, True, False, False, True]


class TestEnding:
    @on_the_loop
    async def test_idle_connections_end_at_once(self) -> None:
        async with serving() as served:
            silent, answered = await served.client(), await served.client()
            answered.send(GET % b"a")
            await answered.said()
            await served.connections.end()
            assert served.count == 0
            assert await silent.rest() == await answered.rest() == b""

    @on_the_loop
    async def test_what_has_arrived_or_begun_is_answered_first(self) -> None:
        release = asyncio.Event()
        async with serving(holding(release)) as served:
            slow, half, body = [await served.client() for _ in range(3)]
            slow.send(GET % b"slow")
            body.send(POST % (b"b", 2), b"h")
            await begun(served, half, b"GET /a HTTP/1.1\r\n")
            await until(lambda: busy(served) == 2)
            ending = asyncio.create_task(served.connections.end())
            await asyncio.sleep(0)
            assert served.count == 3
            half.send(b"Host: a\r\n\r\n")
            body.send(b"i")
            release.set()
            for client, said in ((slow, b"GET /slow "), (half, b"GET /a "), (body, b"POST /b hi")):
                _, fields, content = await client.answer()
                assert (fields["connection"], content) == ("close", said)
                assert await client.rest() == b""
            await ending

    @on_the_loop
    async def test_new_connections_are_hung_up_on(self) -> None:
        release = asyncio.Event()
        async with serving(holding(release)) as served:
            slow = await served.client()
            slow.send(GET % b"slow")
            await until(lambda: busy(served) == 1)
            ending = asyncio.create_task(served.connections.end())
            await asyncio.sleep(0)
            assert await (await served.client()).gone()
            assert not ending.done()
            release.set()
            assert await slow.said() == "GET /slow "
            await ending

    @on_the_loop
    async def test_with_nobody_there_it_is_over(self) -> None:
        async with serving() as served:
            await served.connections.end()

    @on_the_loop
    async def test_connections_may_be_cut_off(self) -> None:
        release = asyncio.Event()
        async with serving(holding(release)) as served:
            clients = [await served.client() for _ in range(4)]
            clients[0].send(GET % b"slow")
            clients[1].send(POST % (b"b", 2), b"h")
            clients[2].send(b"GET /a HT")
            await until(lambda: busy(served) == 2)
            served.connections.abort()
            await served.connections.end()
            for client in clients:
                assert await client.gone()
            release.set()


def busy(served: Served) -> int:
    """How many connections have a request that is being answered."""
    return len([each for each in served.connections._all if each._current is not None])


async def begun(served: Served, client: Client, half: bytes) -> None:
    """Send half a head, and return when it has arrived."""
    client.send(half)
    await until(
        lambda: any(
            each._reader is not None and not each._reader.between and each._current is None
            for each in served.connections._all
        )
    )
