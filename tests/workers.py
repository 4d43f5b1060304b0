"""A server of several workers, and a connection to each of them."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.api import Api, tcp
from tests.server_process import (
    WAIT,
    ServerProcess,
    lmdb_storage,
    plain_listener,
    serving,
    write_config,
)
from tests.servers import free_port

COUNT = 3


class Workers:
    """The server, whose workers come and go."""

    def __init__(self, process: ServerProcess, port: int) -> None:
        self.process = process
        self.port = port
        self.token = ""
        self._apis: list[Api] = []

    def pids(self) -> set[int]:
        """The workers that are there."""
        return {child.pid for child in psutil.Process(self.process.pid).children()}

    def apis(self) -> dict[int, Api]:
        """A connection to each worker, by its process id. Which worker accepts a connection is
        chance, so there are as many as it takes."""
        self.close()
        found: dict[int, Api] = {}
        deadline = time.monotonic() + WAIT
        while len(found) < COUNT:
            assert time.monotonic() < deadline, f"connected with {len(found)} workers only"
            api = Api(tcp(self.port), self.token)
            self._apis.append(api)
            api.get("sys/health")
            found.setdefault(self._whose(api), api)
        return found

    def _whose(self, api: Api) -> int:
        assert api._connection is not None
        own = api._connection.sock.getsockname()[1]
        for pid in self.pids():
            with contextlib.suppress(psutil.NoSuchProcess):
                for each in psutil.Process(pid).net_connections("tcp"):
                    if each.raddr and each.raddr.port == own:
                        return pid
        raise AssertionError("no worker has the connection")

    def close(self) -> None:
        for api in self._apis:
            api.close()
        self._apis.clear()

    def wait_for_others(self, gone: int) -> None:
        """Wait until there are as many workers as before, without the one that is `gone`."""
        deadline = time.monotonic() + WAIT
        while len(self.pids() - {gone}) < COUNT:
            assert time.monotonic() < deadline, "no other worker takes its place"
            time.sleep(0.01)


@contextlib.contextmanager
def workers(folder: Path, *more: str) -> Iterator[Workers]:
    """A new server of `COUNT` workers; `more` are further settings."""
    port = free_port()
    settings = [lmdb_storage(folder / "data", COUNT), plain_listener(port), *more]
    with serving(write_config(folder, *settings), folder=folder) as process:
        found = Workers(process, port)
        try:
            yield found
        finally:
            found.close()
