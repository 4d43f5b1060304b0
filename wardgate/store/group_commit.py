"""Commits that arrive together share one write to disk.

Commits are handed over on the event loop and carried out by one thread, which takes everything that
waits, so that the slower the disk, the larger the groups. The event loop never waits for the disk.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from wardgate.store.interface import Conflict, StoreError
from wardgate.store.keys import CheckedCommit

MAX_GROUP = 1024
"""How many commits share one sync at most; it bounds how long the first of them waits."""

Outcome = int | Conflict
"""The revision of a commit, or why it was refused."""


class _Waiting(NamedTuple):
    commit: CheckedCommit
    future: asyncio.Future[int]


class _Errand(NamedTuple):
    run: Callable[[], None]
    future: asyncio.Future[int]


class _Stop:
    """The last item of the queue."""


_Item = _Waiting | _Errand | _Stop
_Settled = tuple[asyncio.Future[int], int | Exception]


class GroupCommit:
    """The thread that writes, and the queue before it.

    `write` carries out a group, on the thread, and gives the outcome of each commit in order once
    they are durable; when it raises, nothing of the group was written. `finish` runs last on the
    thread.
    """

    def __init__(
        self,
        write: Callable[[Sequence[CheckedCommit]], Sequence[Outcome]],
        finish: Callable[[], None],
    ) -> None:
        self._write = write
        self._finish = finish
        self._queue: SimpleQueue[_Item] = SimpleQueue()
        # A daemon: a program that ends without closing its store must not hang. What was not
        # acknowledged then may be lost, as in a crash.
        self._thread = Thread(target=self._work, name="wardgate-store", daemon=True)
        self._thread.start()

    async def commit(self, commit: CheckedCommit) -> int:
        """The revision of `commit` once it is durable; raises `Conflict` or `StoreError`.

        When the caller is cancelled, the commit may still happen.
        """
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue.put(_Waiting(commit, future))
        return await future

    async def run(self, errand: Callable[[], None]) -> None:
        """Do `errand` on the thread, between two groups; raises the `StoreError` that it raises."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue.put(_Errand(errand, future))
        await future

    async def stop(self) -> None:
        """Finish what was handed over, then end the thread. May be called again."""
        self._queue.put(_Stop())
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        try:
            stopping = False
            while not stopping:
                items = self._take()
                self._write_group([item for item in items if isinstance(item, _Waiting)])
                for item in items:
                    if isinstance(item, _Errand):
                        _settle([(item.future, _outcome_of(item.run))])
                stopping = any(isinstance(item, _Stop) for item in items)
        finally:
            self._finish()

    def _take(self) -> list[_Item]:
        items = [self._queue.get()]
        try:
            while len(items) < MAX_GROUP:
                items.append(self._queue.get_nowait())
        except Empty:
            pass
        return items

    def _write_group(self, group: list[_Waiting]) -> None:
        if not group:
            return
        outcomes: Sequence[int | Exception]
        try:
            outcomes = self._write([waiting.commit for waiting in group])
        except Exception as error:
            outcomes = [_failure(error) for _ in group]
        _settle(
            [(waiting.future, outcome) for waiting, outcome in zip(group, outcomes, strict=True)]
        )


def _outcome_of(errand: Callable[[], None]) -> int | Exception:
    try:
        errand()
    except Exception as error:
        return _failure(error)
    return 0


def _failure(error: Exception) -> StoreError:
    """A new exception: one object raised in many tasks would mix up their tracebacks."""
    if isinstance(error, StoreError):
        failure = StoreError(*error.args)
    else:
        failure = StoreError(f"the storage engine broke with {type(error).__name__}")
    failure.__cause__ = error
    return failure


def _settle(settled: list[_Settled]) -> None:
    """Wake the callers, with one call for each event loop: in practice there is one, but a caller
    that was cancelled may have left its commit behind when its loop ended."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Settled]] = defaultdict(list)
    for future, outcome in settled:
        by_loop[future.get_loop()].append((future, outcome))
    for loop, group in by_loop.items():
        try:
            loop.call_soon_threadsafe(_wake, group)
        except RuntimeError:  # the loop is closed; nobody waits any more
            continue


def _wake(settled: list[_Settled]) -> None:
    for future, outcome in settled:
        if future.done():  # cancelled
            continue
        if isinstance(outcome, int):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)
