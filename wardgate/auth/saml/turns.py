"""Who reads a provider's answer next: strangers may send many, and nobody else is to wait for that."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from wardgate.errors import Unavailable

T = TypeVar("T")

AT_ONCE = 2
"""Threads that work on answers at a time. One takes a millisecond, and a bad one some dozens."""
MOST_WAITING = 500
PATIENCE = 10.0  # seconds


class Turns:
    """Runs work on threads, a little of it at a time. For one event loop."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` gives. Raises `Unavailable` when too many wait, or for too long."""
        if self._waiting >= MOST_WAITING:
            raise Unavailable("too many logins are being checked; try again soon")
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable("too many logins are being checked; try again soon") from None
        finally:
            self._waiting -= 1
        try:
            return await asyncio.to_thread(work)
        finally:
            self._free.release()
