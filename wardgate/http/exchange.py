"""One request on its connection, and the answer to it."""

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Protocol

from wardgate.errors import InvalidRequest
from wardgate.http.head import Head
from wardgate.http.writing import Fields

HIGH_WATER = 256 * 1024
"""Bytes of a body that are kept for whoever takes it in pieces; the client has to wait then."""


class ClientGone(Exception):
    """The client went away before it had sent its request."""


class Line(Protocol):
    """What an exchange needs of its connection."""

    def wanted(self) -> None:
        """More of the body may come; somebody waits for it."""

    def full(self) -> None:
        """No more of the body may come for now."""

    def answer(
        self, exchange: "Exchange", status: int, fields: Fields, body: bytes, *, bare: bool
    ) -> None:
        """Send the answer."""


class Exchange:
    """A request whose body may still be arriving. It is answered once."""

    __slots__ = (
        "_line",
        "_most",
        "_pieces",
        "_size",
        "_trouble",
        "_waiter",
        "answered",
        "arrived",
        "head",
        "keep_alive",
    )

    def __init__(self, line: Line, head: Head) -> None:
        self.head = head
        self.answered = False
        self.arrived = False
        """Whether all of the request is there."""
        self.keep_alive = False
        """Whether the client may send another request, as far as this one goes."""
        self._line = line
        self._pieces: list[bytes] = []
        self._size = 0
        self._most: float = HIGH_WATER
        self._waiter: asyncio.Future[None] | None = None
        self._trouble: Exception | None = None

    async def body(self) -> bytes:
        """The whole body. Raises `ClientGone`, `InvalidRequest` when it is malformed."""
        self._most = math.inf
        while not self.arrived:
            await self._more()
        return self.whole()

    def whole(self) -> bytes:
        """The whole body, when it has `arrived`."""
        pieces, self._pieces = self._pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises as `body`."""
        while True:
            pieces, self._pieces, self._size = self._pieces, [], 0
            for piece in pieces:
                yield piece
            if not pieces:
                if self.arrived:
                    return
                await self._more()

    def respond(
        self, status: int, fields: Fields, body: bytes = b"", *, bare: bool = False
    ) -> None:
        """Answer; `bare` is for an answer that has no body and does not say how long it would be. What
        was not read of the request ends the connection."""
        if not self.answered:
            self._line.answer(self, status, fields, body, bare=bare)
            self.answered = True

    # What the connection tells.

    def add(self, piece: bytes) -> None:
        """A piece of the body has arrived."""
        if self.answered:
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > self._most:
            self._line.full()
        if self._most != math.inf:
            self._wake()

    def finish(self, *, keep_alive: bool) -> None:
        """All has arrived."""
        self.keep_alive = keep_alive
        self.arrived = True
        self._wake()

    def fail(self, trouble: Exception) -> None:
        """The rest will not come."""
        self._trouble = trouble
        self._wake()

    async def _more(self) -> None:
        if self._trouble is not None:
            raise self._trouble
        self._waiter = asyncio.get_running_loop().create_future()
        self._line.wanted()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def malformed() -> InvalidRequest:
    """What a body turned out to be."""
    return InvalidRequest("the request's body is malformed")
