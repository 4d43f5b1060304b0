"""Logins that ask a directory, each on a thread of its own: so many at once and no more.

A directory that hangs has its own mount wait, not the event loop, and not other mounts until there
are `MOST_THREADS` in all. Threads are left behind when the server ends: none is waited for.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar
from weakref import WeakKeyDictionary

from wardgate.auth.ldap.effort import DirectoryFailed, unanswered
from wardgate.errors import Unavailable

T = TypeVar("T")

MOST_AT_ONCE = 16
"""Logins of one mount that ask its directory."""
MOST_WAITING = 100
"""Logins of one mount that wait for their turn."""
MOST_THREADS = 256
"""Of all mounts of a process."""
_NO_TURN = (
    "this login's turn to ask the directory has not come, as earlier ones wait for theirs; try again"
    " soon"
)
_GRACE = 1.0  # seconds that a thread gets to say itself what is wrong

_SHARED: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


class Turns:
    """The logins of one mount. For one event loop."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(MOST_AT_ONCE)
        self._waiting = 0

    async def run(self, work: Callable[[float], T], seconds: float) -> T:
        """What `work` gives on a thread, if its turn comes within half of so many seconds; it is told
        how many are left then, and has to end within them.

        Raises `Unavailable` when too many wait or the turn does not come: the directory was not asked.
        Raises `DirectoryFailed` when time is over after that. A thread that is given up keeps its
        place until it ends.
        """
        if self._waiting >= MOST_WAITING:
            raise Unavailable("too many logins wait for the directory; try again soon")
        loop = asyncio.get_running_loop()
        shared = _SHARED.setdefault(loop, asyncio.Semaphore(MOST_THREADS))
        until = loop.time() + seconds
        self._waiting += 1
        try:
            async with asyncio.timeout_at(until - seconds / 2):
                await self._free.acquire()
                try:
                    await shared.acquire()
                except BaseException:
                    self._free.release()
                    raise
        except TimeoutError:
            raise Unavailable(_NO_TURN) from None
        finally:
            self._waiting -= 1
        left = until - loop.time()
        try:
            async with asyncio.timeout(left + _GRACE):
                return await asyncio.shield(_on_a_thread(lambda: work(left), self._free, shared))
        except TimeoutError:
            raise DirectoryFailed(unanswered(left)) from None


def _on_a_thread(work: Callable[[], T], *taken: asyncio.Semaphore) -> "asyncio.Future[T]":
    """What `work` will give; then the places that it has `taken` are free again."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def ended(settle: Callable[[], None]) -> None:
        for each in taken:
            each.release()
        if not future.done():
            settle()
            future.exception()  # nobody may be there any more to take it

    def run() -> None:
        settle: Callable[[], None]
        try:
            result = work()
        except BaseException as error:
            failure = error
            settle = lambda: future.set_exception(failure)  # noqa: E731
        else:
            settle = lambda: future.set_result(result)  # noqa: E731
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(ended, settle)

    threading.Thread(target=run, name="ldap", daemon=True).start()
    return future
