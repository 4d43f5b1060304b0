"""A server with the mounts whose contract is tested."""

from collections.abc import Iterator

import pytest

from tests.api import Api, tcp
from tests.servers import ROOT_TOKEN, wardgate_dev


@pytest.fixture(scope="session")
def api() -> Iterator[Api]:
    """The root token at a dev server that has userpass mounted."""
    with wardgate_dev() as server, Api(tcp(server.port), ROOT_TOKEN) as api:
        assert api.post("sys/auth/userpass", {"type": "userpass"}).status == 204
        yield api
