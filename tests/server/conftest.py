"""Servers to talk to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api import Api, tcp
from tests.server_process import ServerProcess, serving
from tests.servers import ROOT_TOKEN, free_port


@dataclass(frozen=True)
class DevServer:
    """A dev server, and root at it."""

    process: ServerProcess
    port: int
    api: Api


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[DevServer]:
    """A server of the test's own."""
    with _dev_server(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """One server for all tests of a module."""
    with _dev_server(tmp_path_factory.mktemp("shared")) as server:
        yield server


@contextmanager
def _dev_server(folder: Path) -> Iterator[DevServer]:
    port = free_port()
    flags = ["-dev", f"-dev-listen-address=127.0.0.1:{port}", f"-dev-root-token-id={ROOT_TOKEN}"]
    with serving(*flags, folder=folder) as process, Api(tcp(port), ROOT_TOKEN) as api:
        yield DevServer(process, port, api)
