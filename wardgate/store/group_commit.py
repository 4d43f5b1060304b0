"""Commits that arrive together share one write to disk.

Commits are handed over on the event loop and carried out by one thread, which takes everything that
waits, so that the slower the disk, the larger the groups. The event loop never waits for the disk, nor
for another process that is writing.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from enum import Enum, auto
from queue import SimpleQueue
from threading import Lock, Thread
from typing import NamedTuple, TypeVar

import msgspec

from wardgate.store.interface import Conflict, StoreError
from wardgate.store.keys import CheckedCommit

MAX_GROUP = 1024
"""How many commits share one sync at most; it bounds how long the first of them waits."""

T = TypeVar("T")

_BUSY = 0.1  # seconds after which the event loop is not waited for any more

Outcome = int | Conflict
"""The revision of a commit, or why it was refused."""


class _Waiting(msgspec.Struct, frozen=True):
    commit: CheckedCommit
    future: asyncio.Future[int]


class _Errand(NamedTuple):
    run: Callable[[], None]
    future: asyncio.Future[int]


class _Call(Enum):
    """What the thread is called for, but for errands."""

    WRITE = auto()
    STOP = auto()


_Settled = tuple[asyncio.Future[int], int | Exception]


class GroupCommit:
    """The thread that writes, and the queue before it.

    `write` carries out a group, on the thread, and gives the outcome of each commit that it has taken,
    in order, once they are durable; when it raises, nothing of the group was written. `finish` runs
    last on the thread.
    """

    def __init__(
        self,
        write: Callable[["Group"], Sequence[Outcome]],
        finish: Callable[[], None],
    ) -> None:
        self._write = write
        self._finish = finish
        self._waiting: deque[_Waiting] = deque()
        self._called: asyncio.AbstractEventLoop | None = None
        """Whose call the thread has not taken up yet; of one that has ended, it never comes."""
        self._calls: SimpleQueue[_Call | _Errand] = SimpleQueue()
        # A daemon: a program that ends without closing its store must not hang. What was not
        # acknowledged then may be lost, as in a crash.
        self._thread = Thread(target=self._work, name="wardgate-store", daemon=True)
        self._thread.start()

    async def commit(self, commit: CheckedCommit) -> int:
        """The revision of `commit` once it is durable; raises `Conflict` or `StoreError`.

        When the caller is cancelled, the commit may still happen.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        self._waiting.append(_Waiting(commit, future))
        if self._called is not loop:
            self._called = loop
            # when the event loop is through with what is ready now, and with what clients sent
            # meanwhile: more commits may come of both
            loop.call_soon(lambda: loop.call_soon(self._calls.put, _Call.WRITE))
        return await future

    async def run(self, errand: Callable[[], None]) -> None:
        """Do `errand` on the thread, between two groups; raises the `StoreError` that it raises."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._calls.put(_Errand(errand, future))
        await future

    async def stop(self) -> None:
        """Finish what was handed over, then end the thread. May be called again."""
        self._calls.put(_Call.STOP)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        try:
            while (call := self._calls.get()) is not _Call.STOP:
                if isinstance(call, _Errand):
                    _settle([(call.future, _outcome_of(call.run))])
                else:
                    self._write_group()
            while self._waiting:
                self._write_group()
        finally:
            self._finish()

    def _write_group(self) -> None:
        if not self._waiting:
            return
        group = Group(self._waiting, self._taken)
        outcomes: Sequence[int | Exception]
        try:
            outcomes = self._write(group)
        except Exception as error:
            group.take()
            outcomes = [_failure(error) for _ in group.members]
        _settle(
            [
                (waiting.future, outcome)
                for waiting, outcome in zip(group.members, outcomes, strict=True)
            ]
        )
        if self._waiting and self._called is None:
            self._calls.put(_Call.WRITE)

    def _taken(self) -> None:
        """Whoever comes from now on has to call again."""
        self._called = None


class Group:
    """The commits of one group."""

    def __init__(self, waiting: deque[_Waiting], taken: Callable[[], None]) -> None:
        self.members: list[_Waiting] = []
        self._waiting = waiting
        self._taken = taken
        # one commit alone, and nobody is busy: it is done here and now
        self._loop = waiting[0].future.get_loop() if len(waiting) > 1 else None

    def take(self) -> Sequence[CheckedCommit]:
        """All that wait by now, first of all those that were taken before."""
        self._taken()
        while self._waiting and len(self.members) < MAX_GROUP:
            self.members.append(self._waiting.popleft())
        return [waiting.commit for waiting in self.members]

    def elsewhere(self, work: Callable[[], T]) -> T:
        """Do `work` on the event loop's thread while this one waits, and give what it returns, or
        raise what it raises; here, if the event loop does not come to it soon, or has ended.

        Many short calls that each let go of Python's lock are slow while two threads want it: each
        time, the other one runs for a while. On the event loop's thread nobody else wants it.
        """
        if self._loop is None:
            return work()
        done, turn = Lock(), [work]
        outcome: list[T] = []
        failure: list[BaseException] = []

        def run() -> None:
            try:
                work = turn.pop()  # one of the two threads gets it
            except IndexError:
                return
            try:
                outcome.append(work())
            except BaseException as error:
                failure.append(error)
            finally:
                done.release()

        done.acquire()
        try:
            self._loop.call_soon_threadsafe(run)
        except RuntimeError:  # it is closed
            run()
        if not done.acquire(timeout=_BUSY):
            run()
            done.acquire()
        if failure:
            raise failure[0]
        return outcome[0]


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
