"""The two servers of the conformance tests: a pair that lives for the whole run, or for one test.

`WARDGATE_CONFORMANCE_TARGET` says what is compared with OpenBao: `wardgate` (the default), a second
`openbao` (which proves that the comparison itself finds nothing where nothing differs), or the
address of a Wardgate in development mode that was just started with the root token `root`.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.conformance.exchange import Client
from tests.conformance.given import Given
from tests.conformance.rewordings import Rewordings
from tests.conformance.scenario import Scenario, configuration
from tests.servers import (
    Server,
    openbao_dev,
    openbao_uninitialised,
    wardgate_dev,
    wardgate_uninitialised,
)

TARGET = os.environ.get("WARDGATE_CONFORMANCE_TARGET", "wardgate")


@dataclass(frozen=True, slots=True)
class Pair:
    """Connections to the server under test and to OpenBao."""

    ours: Client
    theirs: Client
    rewordings: Rewordings | None


class Pairs:
    """The server under test beside one version of OpenBao and another: each is started when it is
    first needed, and runs until the end."""

    def __init__(self, running: ExitStack, rewordings: Rewordings | None) -> None:
        self._running = running
        self._rewordings = rewordings
        self._made: dict[str, Pair] = {}

    def beside(self, version: str) -> Pair:
        """The server under test and this version of OpenBao; the usual one where it is empty."""
        if version not in self._made:
            enter = self._running.enter_context
            theirs = enter(closing(Client(enter(openbao_dev(version)))))
            if TARGET == "openbao" or not self._made:
                ours = enter(closing(Client(enter(_target(version)))))
            else:
                ours = next(iter(self._made.values())).ours
            self._made[version] = Pair(ours, theirs, self._rewordings)
        return self._made[version]


@pytest.fixture(scope="session")
def rewordings() -> Rewordings | None:
    """The differences in wording that the whole run needed; None for OpenBao beside itself."""
    return None if TARGET == "openbao" else Rewordings()


@pytest.fixture(scope="session")
def given() -> Iterator[Given]:
    """The local services that scenarios name."""
    with ExitStack() as running:
        yield Given(running)


@pytest.fixture(scope="session")
def pairs(rewordings: Rewordings | None) -> Iterator[Pairs]:
    """The server under test beside OpenBaos, all in development mode."""
    with ExitStack() as running:
        yield Pairs(running, rewordings)


@pytest.fixture(scope="session")
def pair(pairs: Pairs) -> Pair:
    """The server under test beside the usual OpenBao."""
    return pairs.beside("")


@pytest.fixture
def uninitialised_pair(scenario: Scenario, rewordings: Rewordings | None) -> Iterator[Pair]:
    """Two fresh servers that nobody has initialised, configured as the topic asks for."""
    start = openbao_uninitialised if TARGET == "openbao" else wardgate_uninitialised
    blocks = configuration(scenario.topic)
    with (
        start(blocks) as ours,
        openbao_uninitialised(blocks) as theirs,
        _connected(ours, theirs, rewordings) as pair,
    ):
        yield pair


@contextmanager
def _connected(ours: Server, theirs: Server, rewordings: Rewordings | None) -> Iterator[Pair]:
    with closing(Client(ours)) as our_client, closing(Client(theirs)) as their_client:
        yield Pair(our_client, their_client, rewordings)


def _target(version: str) -> AbstractContextManager[Server]:
    if TARGET == "wardgate":
        return wardgate_dev()
    if TARGET == "openbao":
        return openbao_dev(version)
    address = urlsplit(TARGET)
    return nullcontext(Server(address.hostname or "127.0.0.1", address.port or 8200))
