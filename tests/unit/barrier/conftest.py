"""What the barrier's tests stand on. The store is made here and nowhere else."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Protocol, TypeVar

import pytest

from tests.clock import ManualClock
from tests.unit.barrier.dict_store import DictStore
from wardgate.barrier.barrier import Barrier

T = TypeVar("T")
ROOT_KEY = bytes(range(32))


class Run(Protocol):
    """Runs a coroutine to its end; all of a test's run on one event loop."""

    def __call__(self, coroutine: Coroutine[Any, Any, T], /) -> T: ...


@pytest.fixture
def run() -> Iterator[Run]:
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def store() -> DictStore:
    return DictStore()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sealed(store: DictStore, clock: ManualClock, run: Run) -> Barrier:
    """An initialised barrier, still sealed."""
    barrier = Barrier(store, clock)
    run(barrier.initialize(ROOT_KEY))
    return barrier


@pytest.fixture
def barrier(sealed: Barrier, run: Run) -> Barrier:
    """An unsealed barrier."""
    run(sealed.unseal(ROOT_KEY))
    return sealed


@pytest.fixture
def another_process(store: DictStore, clock: ManualClock, run: Run) -> Callable[[], Barrier]:
    """Makes further unsealed barriers over the same store."""

    def make() -> Barrier:
        other = Barrier(store, clock)
        run(other.unseal(ROOT_KEY))
        return other

    return make
