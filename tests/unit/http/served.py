"""Connections as a listener has them, on loopback, and clients of theirs that speak in bytes."""

import asyncio
import functools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvloop

from tests.clock import ManualClock
from wardgate.http.connection import DEFAULT_TIMES, Answer, Connections, Times
from wardgate.http.exchange import Exchange

PATIENCE = 30.0
"""Seconds after which a test that waits has failed."""
GET = b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"


def on_the_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on the event loop that the server uses."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(asyncio.wait_for(test(*arguments, **named), PATIENCE))

    return run


async def until(true: Callable[[], bool]) -> None:
    """Return when something has become true."""
    while not true():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def echo(exchange: Exchange) -> None:
    """Answer with the method, the path and the body."""
    body = await exchange.body()
    said = f"{exchange.head.method} {exchange.head.path} ".encode() + body
    exchange.respond(200, [("content-type", "text/plain")], said)


class Client:
    """One connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, *data: bytes) -> None:
        self._writer.write(b"".join(data))

    def send_end(self) -> None:
        """Say that no more will be sent."""
        self._writer.write_eof()

    async def answer(self, *, bare: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer; it has no body if `bare`."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")[:-2]
        fields = dict(each.split(": ", 1) for each in lines)
        length = 0 if bare else int(fields.get("content-length", "0"))
        return int(line.split()[1]), fields, await self._reader.readexactly(length)

    async def said(self) -> str:
        """The body of the next answer, which must be a good one."""
        status, _, body = await self.answer()
        assert status == 200
        return body.decode()

    async def rest(self) -> bytes:
        """All that comes until the server hangs up, which it must do in an orderly way."""
        return await self._reader.read()

    async def gone(self) -> bool:
        """Whether the server hangs up, in whichever way, without another word."""
        with suppress(ConnectionError):
            return await self._reader.read() == b""
        return True

    async def sent(self) -> None:
        """Return when the system has taken what was sent, or most of it."""
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def left(self) -> None:
        """Return when the connection has ended."""
        await self._writer.wait_closed()


class Served:
    """A server that answers by a coroutine of the test's."""

    def __init__(self, connections: Connections, port: int) -> None:
        self.connections = connections
        self._port = port
        self._clients: list[Client] = []

    @property
    def count(self) -> int:
        """How many connections there are."""
        return len(self.connections._all)

    @property
    def reading(self) -> bool:
        """Whether the only connection takes what its client sends."""
        (connection,) = self.connections._all
        return connection._transport.is_reading()

    async def client(self, *, buffer: int | None = None) -> Client:
        """Connect, with so many bytes at most that may wait to be sent, and to be received."""
        before = self.count
        plain = socket.socket()
        plain.setblocking(False)
        if buffer is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", self._port))
        reader, writer = await asyncio.open_connection(sock=plain, limit=buffer or 65536)
        await until(lambda: self.count > before or self.connections.ending)
        self._clients.append(Client(reader, writer))
        return self._clients[-1]

    async def leave(self) -> None:
        """End all clients."""
        for client in self._clients:
            client.abort()
            with suppress(OSError):
                await client.left()

    def later(self, seconds: int) -> None:
        """So many seconds have passed."""
        self.connections.now += seconds
        for connection in list(self.connections._all):
            connection.look_at_time()


@asynccontextmanager
async def serving(
    answer: Answer = echo, *, most: int = 1000, times: Times = DEFAULT_TIMES
) -> AsyncIterator[Served]:
    """A server. In the end nothing may have gone wrong that nobody was told of."""
    loop = asyncio.get_running_loop()
    wrong: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda loop, context: wrong.append(context))
    connections = Connections(answer, ManualClock(), most, times)
    server = await loop.create_server(connections, "127.0.0.1", 0)
    served = Served(connections, server.sockets[0].getsockname()[1])
    try:
        yield served
    finally:
        await served.leave()
        server.close()
        connections.abort()
        await connections.end()
    assert wrong == []


def holding(release: asyncio.Event, path: str = "/slow") -> Callable[[Exchange], Awaitable[None]]:
    """Answers as `echo`, but what is asked at `path` only when released."""

    async def answer(exchange: Exchange) -> None:
        if exchange.head.path == path:
            await release.wait()
        await echo(exchange)

    return answer
