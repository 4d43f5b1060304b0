"""A server for each test, bare or with a secret engine at ``secret/``."""

from collections.abc import Iterator

import pytest

from tests.unit.secrets.server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def kv1(server: Server) -> Server:
    server.mount("1")
    return server


@pytest.fixture
def kv2(server: Server) -> Server:
    server.mount("2")
    return server
