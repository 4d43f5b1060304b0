"""A server of several processes: what they have together, and what each of them is."""

import asyncio
import contextlib
import itertools
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wardgate.barrier.shared import SharedSecrets
from wardgate.core.quotas import Counters, SharedCounters
from wardgate.errors import WardgateError
from wardgate.server.config import ServerConfig
from wardgate.server.dev import DevKeys
from wardgate.server.devtls import DevTls
from wardgate.server.greeting import greet, pid_file, remove_pid_file, write_pid_file
from wardgate.server.listeners import UnixListener, uses_tls
from wardgate.server.log_file import LogFile
from wardgate.server.node import Node
from wardgate.server.notify import notify
from wardgate.server.options import DevOptions
from wardgate.server.peers import Peers
from wardgate.server.reloading import Reloading
from wardgate.server.sockets import name_of, open_for
from wardgate.server.workers import Supervisor, Worker

_log = logging.getLogger("wardgate.server")

_RELOADED = "reloaded"
"""The question whether a worker has read the configuration again since it began."""


@dataclass(frozen=True)
class Place:
    """What a worker got from the process that forked it; nothing, where there is but one process.
    The `sockets` are those of the listeners, in their order."""

    worker: Worker | None = None
    shared: SharedSecrets | None = None
    counters: Counters | None = None
    folder: Path | None = None
    """Where the workers have sockets to ask each other by."""
    sockets: Sequence[socket.socket] = ()

    @property
    def first(self) -> bool:
        """Whether it is the process that does what has to be done once."""
        return self.worker is None or self.worker.number == 0

    async def join(self, node: Node, reloading: Reloading) -> None:
        """Let a worker know the others, before anybody is answered. Raises `PeersError`."""
        if self.worker is None or self.folder is None:
            return
        peers = Peers(self.folder, self.worker.number)

        async def has_reloaded(_: object) -> bool:
            return reloading.done

        peers.serve(_RELOADED, has_reloaded)
        await node.join(peers)
        if any(await peers.ask(_RELOADED, kind=bool)):
            # the configuration that was inherited is older than what the others go by
            await reloading.run()

    def watch(self, stop: Callable[[], None]) -> None:
        """Call `stop` when the process that forked this one has died."""
        if self.worker is not None:
            asyncio.get_running_loop().add_reader(self.worker.parent, stop)

    def leave(self) -> None:
        """The last worker of a parent that was killed clears away what that one made."""
        if self.worker is not None and self.folder is not None and self.worker.is_orphan:
            with contextlib.suppress(OSError):  # others are still at it
                self.folder.rmdir()

    @contextlib.contextmanager
    def announced(
        self,
        config: ServerConfig,
        listeners: Sequence[tuple[str, bool]],
        dev: DevOptions | None,
        keys: DevKeys | None,
        tls: DevTls | None,
    ) -> Iterator[None]:
        """Say that requests are answered, for as long as they are; see `greet`."""
        if self.worker is not None:
            self.worker.tell_ready()
            yield
            return
        with pid_file(config.pid_file):
            greet(config, listeners, dev, keys, tls)
            notify("READY=1")
            yield
            notify("STOPPING=1")


ALONE = Place()


def in_workers(config: ServerConfig, log_file: LogFile | None) -> Place | None:
    """Fork the workers. Returns in each of them, and here, with None, when all have ended.

    Raises a `WardgateError` when the server cannot start, SystemExit when a worker cannot.
    """
    sockets: list[list[socket.socket]] = []  # for each listener, those of the workers
    shared, counters = SharedSecrets.make(), SharedCounters.make()

    def ready() -> None:
        pairs = list(zip(config.listeners, sockets, strict=True))
        greet(config, [(name_of(listener, own[0]), uses_tls(listener)) for listener, own in pairs])
        notify("READY=1")

    def reload() -> None:
        if log_file is not None:
            try:
                log_file.reopen()
            except WardgateError as error:
                _log.error("the log file stays as it was: %s", error)

    def stop() -> None:
        notify("STOPPING=1")
        _close(itertools.chain.from_iterable(sockets))

    # callbacks, so that nothing of it happens in a worker when it is collected there
    parents = contextlib.ExitStack()
    try:
        folder = Path(tempfile.mkdtemp(prefix="wardgate-"))
        parents.callback(shutil.rmtree, folder, ignore_errors=True)
        write_pid_file(config.pid_file)
        parents.callback(remove_pid_file, config.pid_file)
        for listener in config.listeners:
            opened = open_for(listener, config.workers)
            sockets.append(opened)
            parents.callback(_close, opened)
            if isinstance(listener, UnixListener):
                parents.callback(listener.path.unlink, missing_ok=True)
        worker = Supervisor(config.workers, ready, reload, stop).run()
    except BaseException:
        parents.close()
        raise
    if worker is None:
        parents.close()
        return None
    os.environ.pop("NOTIFY_SOCKET", None)
    own = [of_listener[worker.number] for of_listener in sockets]
    _close(each for each in itertools.chain.from_iterable(sockets) if each not in own)
    return Place(worker, shared, counters, folder, own)


def _close(sockets: Iterable[socket.socket]) -> None:
    """Close them, in this process."""
    for each in sockets:
        each.close()
