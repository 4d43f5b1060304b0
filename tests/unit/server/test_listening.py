"""A listener: accepts as many connections as it may have, and again when there is room; what may be
changed while it is open."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

from tests.clock import ManualClock
from tests.node import NodeUnderTest, with_node
from wardgate.http.connection import Times
from wardgate.http.rules import DEFAULT_RULES
from wardgate.server.listeners import TcpListener
from wardgate.server.listening import Listener

HEALTH = b"GET /v1/sys/health HTTP/1.1\r\nHost: a\r\n\r\n"
MOST = 3


@contextlib.asynccontextmanager
async def listening(node: NodeUnderTest) -> AsyncIterator[Listener]:
    """A listener on any port, with room for a few."""
    config = TcpListener(host="127.0.0.1", port=0, tls=None)
    listener = Listener(config, node.node.application(DEFAULT_RULES), ManualClock(), MOST)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


class Client:
    """One connection to the listener."""

    @classmethod
    async def to(cls, listener: Listener) -> "Client":
        host, port = listener.name.split(":")
        client = cls()
        client.reader, client.writer = await asyncio.open_connection(host, int(port))
        client.writer.write(HEALTH)
        return client

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def status(self) -> int:
        head = await self.reader.readuntil(b"\r\n\r\n")
        (length,) = [line for line in head.split(b"\r\n") if line.startswith(b"content-length")]
        await self.reader.readexactly(int(length.split()[1]))
        return int(head.split()[1])

    async def leave(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@with_node
async def test_those_beyond_the_most_wait_until_others_leave(node: NodeUnderTest) -> None:
    async with asyncio.timeout(30), listening(node) as listener:
        for _ in range(3):  # it is no matter of the first time
            served = [await Client.to(listener) for _ in range(MOST)]
            assert [await each.status() for each in served] == [200] * MOST
            waiting = [await Client.to(listener) for _ in range(MOST)]
            late = asyncio.create_task(waiting[0].status())
            for client in served:  # those that are here go on meanwhile
                client.writer.write(HEALTH)
                assert await client.status() == 200
            assert not late.done()
            for client in served:
                await client.leave()
            assert await late == 200
            assert [await each.status() for each in waiting[1:]] == [200] * (MOST - 1)
            for client in waiting:
                await client.leave()


@with_node
async def test_a_full_listener_stops(node: NodeUnderTest) -> None:
    async with asyncio.timeout(30):
        async with listening(node) as listener:
            served = [await Client.to(listener) for _ in range(MOST)]
            assert [await each.status() for each in served] == [200] * MOST
            waiting = await Client.to(listener)
        for client in (*served, waiting):
            with contextlib.suppress(ConnectionError):
                assert await client.reader.read() == b""
            await client.leave()


@with_node
async def test_a_listener_that_cannot_accept_again_at_once_tries_until_it_can(
    node: NodeUnderTest,
) -> None:
    """As when too many files are open."""
    async with asyncio.timeout(30), listening(node) as listener:
        served = [await Client.to(listener) for _ in range(MOST)]
        assert [await each.status() for each in served] == [200] * MOST
        accept, tries = listener._accept, 0

        async def failing_at_first() -> asyncio.Server:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise OSError(24, "Too many open files")
            return await accept()

        listener._accept = failing_at_first  # type: ignore[method-assign]
        for client in served:
            await client.leave()
        late = await Client.to(listener)
        assert await late.status() == 200
        assert tries == 2
        await late.leave()


@with_node
async def test_how_long_clients_may_take_can_be_changed_while_they_are_connected(
    node: NodeUnderTest,
) -> None:
    async with asyncio.timeout(30), listening(node) as listener:
        client = await Client.to(listener)
        assert await client.status() == 200
        listener._connections.now += 10
        for connection in list(listener._connections._all):
            connection.look_at_time()
        client.writer.write(HEALTH)
        assert await client.status() == 200
        assert listener.use(dataclasses.replace(listener.config, times=Times(idle=5)))
        assert listener.as_configured
        listener._connections.now += 10
        for connection in list(listener._connections._all):
            connection.look_at_time()
        assert await client.reader.read() == b""
        await client.leave()
