"""The connections of a listener: each reads requests, has them answered in turn, and ends in time.

One event loop does all of it, without a thread in between: a request that waits for nothing costs two
calls of the system, one to receive it and one to send the answer.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from wardgate.clock import Clock
from wardgate.core.json import encode
from wardgate.core.unexpected import log_unexpected
from wardgate.http.answering import JSON_HEADERS
from wardgate.http.exchange import ClientGone, Exchange, malformed
from wardgate.http.head import Head
from wardgate.http.reading import BadMessage, Reader
from wardgate.http.writing import CONTINUE, Fields, answer_bytes, date_bytes

MOST_WAITING = 100
"""Requests that a client may send before the first of them is answered. Those beyond are left, as
RFC 9112, section 9.3.2, allows."""
LINGER = 2
"""Seconds for which a client that is still sending may read why nobody listens any more."""


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds that a client has: for a request's head; from an answer to the next request; to take
    what has been answered."""

    head: int = 30
    idle: int = 300
    write: int = 60


DEFAULT_TIMES = Times()

Answer = Callable[[Exchange], Awaitable[None]]


class Connections:
    """The connections of one listener, at most `most`."""

    def __init__(self, answer: Answer, clock: Clock, most: int, times: Times) -> None:
        self.answer = answer
        self.times = times
        """Those that hold from now on."""
        self.now = 0
        """Seconds since these connections are watched: near enough for what is measured by it."""
        self.ending = False
        self.at_room: Callable[[bool], None] = lambda room: None
        """Told when there is no room for another connection any more, and when there is again."""
        self._clock = clock
        self._most = most
        self._all: set[Connection] = set()
        self._gone: asyncio.Future[None] | None = None
        self.date = date_bytes(clock.now())

    @property
    def room(self) -> bool:
        """Whether there is room for another connection."""
        return len(self._all) < self._most

    def __call__(self) -> "Connection":
        return Connection(self)

    async def watch(self) -> None:
        """End the connections whose time is over, for ever; stop it by cancelling."""
        while True:
            await asyncio.sleep(1)
            self.now += 1
            self.date = date_bytes(self._clock.now())
            for connection in list(self._all):
                connection.look_at_time()

    async def end(self) -> None:
        """Answer what has arrived, and return when all connections are gone."""
        self.ending = True
        for connection in list(self._all):
            connection.end_when_idle()
        if self._all:
            self._gone = asyncio.get_running_loop().create_future()
            await self._gone

    def abort(self) -> None:
        """End all connections at once."""
        for connection in list(self._all):
            connection.abort()

    def add(self, connection: "Connection") -> None:
        self._all.add(connection)
        if len(self._all) >= self._most:
            self.at_room(False)

    def remove(self, connection: "Connection") -> None:
        self._all.discard(connection)
        if len(self._all) == self._most - 1:
            self.at_room(True)
        if self._gone is not None and not self._all and not self._gone.done():
            self._gone.set_result(None)


class Connection(asyncio.Protocol):
    """One client's connection."""

    __slots__ = (
        "_arriving",
        "_blocked",
        "_client",
        "_current",
        "_drained",
        "_house",
        "_lingering",
        "_loop",
        "_overrun",
        "_paused",
        "_reader",
        "_since",
        "_task",
        "_transport",
        "_waiting",
    )

    def __init__(self, house: Connections) -> None:
        self._house = house
        self._loop = asyncio.get_running_loop()
        self._reader: Reader | None = Reader(self)
        self._waiting: deque[Exchange | BadMessage] = deque()
        self._current: Exchange | None = None
        self._arriving: Exchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._since = house.now  # when it became idle, or a head began
        self._paused = False
        self._overrun = False  # the client has sent more than is answered
        self._lingering = False
        self._blocked: int | None = None  # since when the client takes nothing
        self._drained: asyncio.Future[None] | None = None

    # What the event loop calls.

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport
        self._client = _address(transport.get_extra_info("peername"))
        self._house.add(self)
        if self._house.ending:
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._house.remove(self)
        self._reader = None
        self._waiting.clear()
        if self._arriving is not None:
            self._arriving.fail(ClientGone())
            self._arriving = None
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        if reader is None:
            return  # nobody reads this any more
        began = reader.between
        try:
            reader.feed(data)
        except BadMessage as error:
            self._reader = None
            if self._arriving is not None:  # its body is what cannot be read
                self._arriving.fail(malformed())
                self._arriving = None
            else:
                self._take(error)
        # empty lines between requests begin none
        if began and not reader.between and self._current is None:
            self._since = self._house.now

    def eof_received(self) -> bool:
        """The client will send no more, but may wait for answers."""
        self._reader = None
        if self._arriving is not None:
            self._arriving.fail(ClientGone())
            self._arriving = None
        # TLS as it is implemented here cannot be closed on one side only
        return self._task is not None and self._transport.can_write_eof()

    def pause_writing(self) -> None:
        self._blocked = self._house.now

    def resume_writing(self) -> None:
        self._blocked = None
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    # What the reader tells.

    def head(self, head: Head) -> None:
        head.client = self._client
        exchange = self._arriving = Exchange(self, head)
        self._take(exchange)

    def body(self, piece: bytes) -> None:
        if self._arriving is not None:
            self._arriving.add(piece)

    def end(self, *, keep_alive: bool) -> None:
        exchange, self._arriving = self._arriving, None
        if exchange is None:
            return
        exchange.finish(keep_alive=keep_alive)
        if len(self._waiting) >= MOST_WAITING:
            exchange.keep_alive = False
            self._overrun = True
        if not exchange.keep_alive and self._reader is not None:
            self._reader.stop()
            self._reader = None

    def _take(self, what: Exchange | BadMessage) -> None:
        self._waiting.append(what)
        if self._current is None and self._task is None:
            self._task = self._loop.create_task(self._answer_all())

    # What an exchange asks for.

    def wanted(self) -> None:
        exchange = self._arriving
        if exchange is not None and "expect" in exchange.head.headers:
            expected = exchange.head.headers.get("expect") or ""
            exchange.head.headers.drop("expect")
            if expected.lower() == "100-continue" and exchange.head.http_version != "1.0":
                self._transport.write(CONTINUE)
        self._resume()

    def full(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def answer(
        self, exchange: Exchange, status: int, fields: Fields, body: bytes, *, bare: bool
    ) -> None:
        stays = exchange.arrived and exchange.keep_alive and not self._house.ending
        said = ""
        if not stays:
            exchange.keep_alive = False
            said = "close"
        elif exchange.head.http_version == "1.0":
            said = "keep-alive"
        self._transport.write(
            answer_bytes(status, fields, body, self._house.date, connection=said, bare=bare)
        )

    # What the listener asks for.

    def look_at_time(self) -> None:
        """End the connection if its time is over."""
        house = self._house
        if self._blocked is not None:
            over = house.now - self._blocked > house.times.write
        elif self._lingering:
            over = house.now - self._since > LINGER
        elif self._current is not None:
            over = False  # the request has its own limits
        else:
            idle = self._reader is None or self._reader.between
            limit = house.times.idle if idle else house.times.head
            over = house.now - self._since > limit
        if over:
            self._transport.abort()

    def end_when_idle(self) -> None:
        """Hang up, unless a request is here or on its way."""
        if self._task is None and (self._reader is None or self._reader.between):
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    async def _answer_all(self) -> None:
        """Have what waits answered, one after the other."""
        try:
            while self._waiting and not self._transport.is_closing():
                what = self._waiting.popleft()
                if isinstance(what, BadMessage):
                    self._refuse(what)
                    return
                self._current = what
                try:
                    await self._house.answer(what)
                except Exception as error:
                    log_unexpected("answering a request", error)
                finally:
                    self._current = None
                    if not what.answered:
                        self._transport.abort()
                if not what.keep_alive:
                    self._hang_up(listening=self._overrun or not what.arrived)
                    return
                if self._blocked is not None:
                    self._drained = self._loop.create_future()
                    await self._drained
            if self._reader is None:
                self._hang_up(listening=False)
            self._since = self._house.now
            self._resume()
        finally:
            self._task = None

    def _refuse(self, error: BadMessage) -> None:
        body = encode({"errors": [str(error)]})
        fields, date = JSON_HEADERS, self._house.date
        self._transport.write(
            answer_bytes(error.status, fields, body, date, connection="close", bare=False)
        )
        self._hang_up(listening=True)

    def _hang_up(self, *, listening: bool) -> None:
        """Close. While the client may still be sending, it gets a moment to read the answer: what
        arrives on a closed connection would take it away. TLS waits by itself when it is closed."""
        self._reader = None
        self._waiting.clear()
        self._arriving = None
        if listening and self._transport.can_write_eof() and not self._transport.is_closing():
            self._lingering, self._since = True, self._house.now
            self._transport.write_eof()
            self._resume()
        else:
            self._transport.close()

    def _resume(self) -> None:
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()


_MAPPED = "::ffff:"
"""How an IPv4 address begins where it came to a listener for both kinds (RFC 4291, 2.5.5.2)."""


def _address(peer: Any) -> str:
    """Address and port; empty over a unix socket. An IPv4 address is written as one, at whatever
    listener: for whoever looks at networks, all mapped ones would be in the same."""
    if not isinstance(peer, tuple):
        return ""
    host, port = peer[0], peer[1]
    if host.startswith(_MAPPED) and "." in host:
        host = host[len(_MAPPED) :]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
