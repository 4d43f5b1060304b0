"""Several worker processes behind the same listeners, over the same storage.

The process that was started opens the sockets, forks the workers and does nothing but watch over
them: it has no event loop, no threads and not the data file, so that it can fork at any time. All
workers are equal, but that the first one does alone what has to be done once; the others are started
when it works, so that what keeps the server from starting is said once. A worker that dies is replaced
by one that has the same sockets, with all that waits in their queues. When this process dies, however
it does, the workers see it and stop.
"""

import contextlib
import logging
import os
import select
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

_READY = b"R"
_NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_SHORTEST = 1.0
"""Seconds that a worker must have lived to be replaced at once; else the next one waits for that."""

_log = logging.getLogger("wardgate.server")


@dataclass(slots=True)
class _Child:
    number: int
    since: float
    ready: bool = False


class Worker:
    """What a worker process knows of the one that forked it."""

    def __init__(self, number: int, ready: int, parent: int) -> None:
        self.number = number
        self._ready = ready
        self.parent = parent
        """A descriptor that becomes readable when the parent has died."""

    @property
    def is_orphan(self) -> bool:
        """Whether the parent has died. (Its descriptors are closed some time before the number of a
        process's parent changes.)"""
        return bool(select.select([self.parent], [], [], 0)[0])

    def tell_ready(self) -> None:
        """Say that requests are answered."""
        os.write(self._ready, _READY)
        os.close(self._ready)


class Supervisor:
    """The process that forks the workers. `on_ready` is called when all of them answer requests for
    the first time; `on_reload` when SIGHUP came and `on_stop` when it is time to end, before they
    are told."""

    def __init__(
        self,
        count: int,
        on_ready: Callable[[], None],
        on_reload: Callable[[], None],
        on_stop: Callable[[], None],
    ) -> None:
        self._count = count
        self._on_ready = on_ready
        self._on_reload = on_reload
        self._on_stop = on_stop
        self._children: dict[int, _Child] = {}
        self._failure = 0
        self._stopping = False
        self._greeted = False
        self._waiting: dict[int, float] = {}  # numbers of workers, and when they may start
        self._signals, self._waker = socket.socketpair()
        self._alive, self._parent = os.pipe()
        self._selector = selectors.DefaultSelector()

    def run(self) -> Worker | None:
        """Fork the workers and watch over them.

        Returns in each worker, with what it has to know; here when all have ended, after SIGTERM or
        SIGINT. Raises SystemExit when one could not start at all.
        """
        for end in (self._signals, self._waker):
            end.setblocking(False)
        before = {number: signal.signal(number, _noticed) for number in _NUMBERS}
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._signals, selectors.EVENT_READ)
        self._waiting = {0: 0.0}
        while self._children or (self._waiting and not self._stopping):
            worker = self._fork_due()
            if worker is not None:
                signal.set_wakeup_fd(-1)
                for number, handler in before.items():
                    signal.signal(number, handler)
                self._close()
                return worker
            for key, _ in self._selector.select(self._patience()):
                if key.fileobj is self._signals:
                    self._handle(set(self._signals.recv(4096)))
                else:
                    self._hear(key.fd, key.data)
        if self._failure:
            sys.exit(self._failure)
        return None

    def _patience(self) -> float | None:
        if not self._waiting:
            return None
        return max(0.0, min(self._waiting.values()) - time.monotonic())

    def _fork_due(self) -> Worker | None:
        """Start the workers that are to start by now; in a new one, what it is."""
        now = time.monotonic()
        for number, due in list(self._waiting.items()):
            if due > now or self._stopping:
                continue
            del self._waiting[number]
            hear, tell = os.pipe()
            sys.stdout.flush()
            sys.stderr.flush()
            pid = os.fork()
            if pid == 0:
                os.close(hear)
                # held open by the parent alone, so that it closes with it
                os.close(self._parent)
                return Worker(number, tell, self._alive)
            os.close(tell)
            self._children[pid] = _Child(number, now)
            self._selector.register(hear, selectors.EVENT_READ, pid)
        return None

    def _close(self) -> None:
        """Let go, in a worker, of what is the parent's."""
        for key in list(self._selector.get_map().values()):
            if key.fileobj is not self._signals:
                os.close(key.fd)
        self._selector.close()
        self._signals.close()
        self._waker.close()

    def _hear(self, descriptor: int, pid: int) -> None:
        told = os.read(descriptor, 1)
        self._selector.unregister(descriptor)
        os.close(descriptor)
        child = self._children.get(pid)
        if told == _READY and child is not None:
            child.ready = True
            if len(self._children) == 1 and not self._greeted:
                self._waiting = dict.fromkeys(range(1, self._count), 0.0)
            if not self._greeted and len(self._ready()) == self._count:
                self._greeted = True
                self._on_ready()

    def _ready(self) -> list[_Child]:
        return [child for child in self._children.values() if child.ready]

    def _handle(self, numbers: set[int]) -> None:
        if numbers & {signal.SIGTERM, signal.SIGINT}:
            self._stop()
        if signal.SIGHUP in numbers:
            self._on_reload()
            self._tell(signal.SIGHUP)
        self._reap()

    def _stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            self._on_stop()
        self._tell(signal.SIGTERM)

    def _tell(self, number: signal.Signals) -> None:
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _reap(self) -> None:
        for pid in list(self._children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self._ended(self._children.pop(pid), os.waitstatus_to_exitcode(status))

    def _ended(self, child: _Child, code: int) -> None:
        if self._stopping:
            self._failure = self._failure or max(code, 0)
            return
        if not self._greeted and code > 0:
            self._failure = code  # it has said why
            self._stop()
            return
        how = f"by signal {-code}" if code < 0 else f"with status {code}"
        _log.error("worker %d ended %s; another one takes its place", child.number, how)
        now = time.monotonic()
        self._waiting[child.number] = now if now - child.since > _SHORTEST else now + _SHORTEST


def _noticed(number: int, frame: object) -> None:
    """Signals wake the selector; this keeps them from doing anything else."""
