"""A server whose contract is tested."""

from collections.abc import Iterator

import pytest

from tests.api import Api, tcp
from tests.contract.parts import PARTS
from tests.servers import ROOT_TOKEN, wardgate_dev


@pytest.fixture(scope="session")
def api() -> Iterator[Api]:
    """The root token at a dev server that has each method mounted, for its document."""
    with wardgate_dev() as server, Api(tcp(server.port), ROOT_TOKEN) as api:
        for number, part in enumerate(PARTS):
            part.prepare(api, f"documented{number}")
        yield api
