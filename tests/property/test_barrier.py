"""The barrier against a dictionary, and every stored value against every alteration."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.clock import ManualClock
from tests.unit.barrier.conftest import ROOT_KEY
from tests.unit.barrier.dict_store import DictStore
from wardgate.barrier.barrier import Barrier
from wardgate.barrier.errors import BarrierError
from wardgate.errors import Sealed
from wardgate.store.interface import Delete, Entry, Put

T = TypeVar("T")
KEYS = st.sampled_from(["a", "a/b", "a/b/c", "barrier", "barriers/x", "ключ/é"])
PROCESSES = st.integers(0, 1)


class Processes(RuleBasedStateMachine):
    """Two processes with a barrier each over one store hold what one dictionary holds."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = DictStore()
        self.model: dict[str, bytes] = {}
        self.rotations = 0
        clock = ManualClock()
        self.barriers = [Barrier(self.store, clock) for _ in range(2)]
        self.run(self.barriers[0].initialize(ROOT_KEY))
        for barrier in self.barriers:
            self.run(barrier.unseal(ROOT_KEY))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    def teardown(self) -> None:
        self.runner.close()

    @rule(process=PROCESSES, key=KEYS, value=st.binary(max_size=64))
    def put(self, process: int, key: str, value: bytes) -> None:
        if self.barriers[process].sealed:
            with pytest.raises(Sealed):
                self.run(self.barriers[process].commit({}, [Put(key, value)]))
        else:
            self.run(self.barriers[process].commit({}, [Put(key, value)]))
            self.model[key] = value

    @rule(process=PROCESSES, key=KEYS)
    def delete(self, process: int, key: str) -> None:
        if not self.barriers[process].sealed:
            self.run(self.barriers[process].commit({}, [Delete(key)]))
            self.model.pop(key, None)

    @rule(process=PROCESSES)
    def rotate(self, process: int) -> None:
        if not self.barriers[process].sealed:
            self.rotations += 1
            assert self.run(self.barriers[process].rotate()) == self.rotations + 1

    @rule(process=PROCESSES)
    def refresh_and_save(self, process: int) -> None:
        if not self.barriers[process].sealed:
            self.run(self.barriers[process].refresh())
            self.run(self.barriers[process].save_counts())

    @rule(process=PROCESSES)
    def seal(self, process: int) -> None:
        self.barriers[process].seal()

    @precondition(lambda self: any(barrier.sealed for barrier in self.barriers))
    @rule()
    def unseal(self) -> None:
        for barrier in self.barriers:
            self.run(barrier.unseal(ROOT_KEY))

    @invariant()
    def unsealed_processes_read_what_the_dictionary_holds(self) -> None:
        for barrier in self.barriers:
            if barrier.sealed:
                with pytest.raises(Sealed):
                    self.run(barrier.get("a"))
                continue
            for key, value in self.model.items():
                entry = self.run(barrier.get(key))
                assert entry is not None
                assert entry.value == value
            top = {key.partition("/")[0] + ("/" if "/" in key else "") for key in self.model}
            assert self.run(barrier.list("")) == sorted(top, key=str.encode)


TestProcesses = Processes.TestCase
TestProcesses.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


@given(st.binary(max_size=64), st.data())
@settings(deadline=None)
def test_a_value_with_any_byte_changed_is_refused(value: bytes, data: st.DataObject) -> None:
    async def scenario() -> None:
        store = DictStore()
        barrier = Barrier(store, ManualClock())
        await barrier.initialize(ROOT_KEY)
        await barrier.unseal(ROOT_KEY)
        await barrier.commit({}, [Put("a/b", value)])
        stored = bytearray(store.data["a/b"].value)
        stored[data.draw(st.integers(0, len(stored) - 1))] ^= data.draw(st.integers(1, 255))
        store.data["a/b"] = Entry(bytes(stored), 1)
        with pytest.raises(BarrierError, match="stored at a/b "):
            await barrier.get("a/b")

    asyncio.run(scenario())


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_anything_else_in_place_of_a_value_is_refused(planted: bytes) -> None:
    async def scenario() -> None:
        store = DictStore()
        barrier = Barrier(store, ManualClock())
        await barrier.initialize(ROOT_KEY)
        await barrier.unseal(ROOT_KEY)
        store.data["a/b"] = Entry(b"\x01\x00\x00\x00\x01" + planted, 1)
        with pytest.raises(BarrierError, match="stored at a/b "):
            await barrier.get("a/b")

    asyncio.run(scenario())
