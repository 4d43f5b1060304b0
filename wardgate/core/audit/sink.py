"""One enabled device at work: a thread of its own, a bounded queue, and how it is doing.

The records of two passes of the event loop are handed to the thread together, which writes them
with one write. Whoever waits for a record has a `Ticket`; it is settled when the first device has
written the record, or when none can any more. A device that hangs is not waited for: from then on
its records are lost to it once its queue is full, and nobody else notices.
"""

import asyncio
import contextlib
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from wardgate.core.audit.target import SomeNotWritten, Target, TargetError

PATIENCE = 3.0
"""Seconds after which nobody waits for a record any more, and its device counts as hanging."""

MOST_WAITING = 16 * 1024 * 1024
"""Bytes of records that may wait for one device."""

_GRACE = 5.0  # seconds that requests under way may still write to a device that was taken away
_STOPPING = 2.0  # seconds that the last records get when the server stops

_log = logging.getLogger("wardgate.audit")


class Health(msgspec.Struct, kw_only=True):
    """How a device is doing in this process. `state` is ``starting``, ``ok``, ``failing`` or
    ``hanging``; `reason` says why it is not ok. Records are counted since the process began;
    `waiting` is in bytes."""

    state: str = "starting"
    reason: str = ""
    written: int = 0
    failed: int = 0
    dropped: int = 0
    waiting: int = 0


_WORSE = ("starting", "ok", "failing", "hanging")


def health_of_all(processes: Sequence[Health]) -> Health:
    """How a device is doing in several processes: as it is where it is worst."""
    worst = max(processes, key=lambda each: _WORSE.index(each.state))
    return Health(
        state=worst.state,
        reason=worst.reason,
        written=sum(each.written for each in processes),
        failed=sum(each.failed for each in processes),
        dropped=sum(each.dropped for each in processes),
        waiting=sum(each.waiting for each in processes),
    )


class Ticket:
    """Waits for one record, at `chances` devices."""

    __slots__ = ("_chances", "_future", "written")

    def __init__(self, chances: int) -> None:
        self._chances = chances
        self._future: asyncio.Future[None] | None = None
        self.written = False

    def succeeded(self) -> None:
        self.written = True
        self._settle()

    def failed(self) -> None:
        self._chances -= 1
        if self._chances <= 0:
            self._settle()

    def _settle(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    async def wait(self) -> bool:
        """Whether some device has written the record."""
        if not self.written and self._chances > 0:
            self._future = asyncio.get_running_loop().create_future()
            await self._future
        return self.written


class _Batch:
    """The records of two passes."""

    __slots__ = ("due", "expired", "lines", "size", "tickets")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.tickets: list[Ticket | None] = []
        self.size = 0
        self.due = 0.0
        self.expired = False


class Sink:
    """Writes to one target. Everything but the writing happens in the event loop that made it."""

    def __init__(
        self, name: str, target: Target, patience: float = PATIENCE, *, quiet: bool = False
    ) -> None:
        """`quiet` logs no changes of its health."""
        self.health = Health()
        self._name = name
        self._target = target
        self._patience = patience
        self._quiet = quiet
        self._loop = asyncio.get_running_loop()
        self._open: _Batch | None = None
        self._given: deque[_Batch] = deque()
        self._waiting = 0
        self._watching = False
        self._ended = False
        self._gone = asyncio.Event()
        self._queue: queue.SimpleQueue[_Batch | Callable[[], None] | None] = queue.SimpleQueue()
        # nobody can end a thread that hangs in a write, so it must not keep the process alive
        self._thread = threading.Thread(target=self._run, name=f"audit {name}", daemon=True)
        self._thread.start()

    def add(self, line: bytes, ticket: Ticket) -> None:
        """Write `line` with all others of this pass and the next, and tell `ticket`."""
        if self._ended:
            ticket.succeeded()  # the device was taken away: nobody asks for its records any more
            return
        if self._waiting + len(line) > MOST_WAITING:
            self.health.dropped += 1
            ticket.failed()
            return
        batch = self._open
        if batch is None:
            batch = self._open = _Batch()
            # What arrives while this pass runs joins in: a hand-over, with two threads that wake each
            # other up and want Python's lock, costs more than another pass.
            self._loop.call_soon(self._loop.call_soon, self._hand_over)
        batch.lines.append(line)
        batch.size += len(line)
        self._waiting += len(line)
        if self.health.state == "hanging":
            ticket.failed()
            batch.tickets.append(None)
        else:
            batch.tickets.append(ticket)

    def state(self) -> Health:
        """How the device is doing now."""
        self.health.waiting = self._waiting
        return self.health

    def reopen(self) -> None:
        """Let go of what is open: the next record opens it again."""
        self._queue.put(self._target.close)

    def retire(self) -> None:
        """End, when the requests that are under way have written what they had to."""
        self._loop.call_later(_GRACE, self.end)

    async def stop(self) -> None:
        """Write what is left, if that does not take too long, and end."""
        self.end()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._gone.wait(), _STOPPING)

    def end(self) -> None:
        """Take no more records, and end when those that were given are written."""
        self._hand_over()
        if not self._ended:
            self._ended = True
            self._queue.put(None)

    def _hand_over(self) -> None:
        batch, self._open = self._open, None
        if batch is None:
            return
        batch.due = self._loop.time() + self._patience
        self._given.append(batch)
        self._queue.put(batch)
        if not self._watching:
            self._watching = True
            self._loop.call_later(self._patience, self._watch)

    def _watch(self) -> None:
        """Give up on what takes too long."""
        now = self._loop.time()
        due = None
        for batch in self._given:
            if batch.due > now:
                due = batch.due
                break
            if not batch.expired:
                batch.expired = True
                self._change("hanging", f"a write takes longer than {self._patience:g} s")
                self._fail(batch)
        if due is None:
            self._watching = False
        else:
            self._loop.call_at(due, self._watch)

    def _run(self) -> None:
        """The thread."""
        with contextlib.suppress(TargetError):
            self._target.open()
        while True:
            work = self._queue.get()
            if work is None:
                break
            if not isinstance(work, _Batch):
                work()
                continue
            failure: TargetError | None = None
            try:
                self._target.write(work.lines)
            except TargetError as error:
                failure = error
            except Exception as error:  # the thread goes on, whatever one write met
                failure = TargetError(f"an unforeseen {type(error).__name__}")
            try:
                self._loop.call_soon_threadsafe(self._finished, failure)
            except RuntimeError:
                break  # the event loop is closed
        self._target.close()
        with contextlib.suppress(RuntimeError):  # nobody waits any more
            self._loop.call_soon_threadsafe(self._gone.set)

    def _finished(self, failure: TargetError | None) -> None:
        batch = self._given.popleft()
        self._waiting -= batch.size
        lost: frozenset[int] = frozenset()
        if isinstance(failure, SomeNotWritten):
            lost = failure.indexes
        elif failure is not None:
            lost = frozenset(range(len(batch.lines)))
        self.health.written += len(batch.lines) - len(lost)
        self.health.failed += len(lost)
        if failure is None:
            self._change("ok", "")
        else:
            self._change("failing", str(failure))
        if batch.expired:
            return
        if len(lost) == len(batch.lines):
            self._fail(batch)
            return
        for index, ticket in enumerate(batch.tickets):
            if ticket is None:
                continue
            if index in lost:
                ticket.failed()
            else:
                ticket.succeeded()

    @staticmethod
    def _fail(batch: _Batch) -> None:
        for ticket in batch.tickets:
            if ticket is not None:
                ticket.failed()

    def _change(self, state: str, reason: str) -> None:
        before = self.health.state
        if (state, reason) == (before, self.health.reason):
            return
        self.health.state, self.health.reason = state, reason
        if self._quiet:
            return
        if state != "ok":
            _log.error("audit device %s is %s: %s", self._name, state, reason)
        elif before != "starting":
            _log.warning("audit device %s writes again", self._name)
