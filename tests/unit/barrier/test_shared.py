"""The memory that the processes of one server share."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from tests.clock import ManualClock
from tests.unit.barrier.dict_store import DictStore
from wardgate.barrier.attempt import Attempt
from wardgate.barrier.barrier import Barrier
from wardgate.barrier.shared import NEVER_CHANGED, SharedSecrets, SharedState
from wardgate.errors import InvalidRequest, Sealed
from wardgate.store.interface import Put

KEY = bytes(range(32))


def give(shared: SharedSecrets, share: bytes) -> int:
    """Add a share; how many there are then."""
    with shared.changing() as change:
        given = (*change.before.given, share)
        change.after = msgspec.structs.replace(change.before, given=given)
    return len(given)


def in_child(work: Callable[[], object]) -> int:
    """Fork a process that does `work`; its id."""
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(BaseException):
            work()
            status = 0
        os._exit(status)
    return pid


def test_new_memory_says_sealed() -> None:
    shared = SharedSecrets.make()
    assert shared.read() == (NEVER_CHANGED, SharedState())


def test_what_one_process_writes_another_reads() -> None:
    shared = SharedSecrets.make()
    pid = in_child(lambda: give(shared, b"share"))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    mark, state = shared.read()
    assert mark != NEVER_CHANGED
    assert state == SharedState(given=(b"share",))


def test_nothing_changes_when_the_change_goes_wrong() -> None:
    shared = SharedSecrets.make()
    give(shared, b"one")
    before = shared.read()

    def go_wrong() -> None:
        with shared.changing() as change:
            change.after = SharedState(root_key=KEY)
            raise InvalidRequest("no")

    with pytest.raises(InvalidRequest):
        go_wrong()
    assert shared.read() == before


def test_a_key_that_is_taken_back_is_gone_from_the_memory() -> None:
    shared = SharedSecrets.make()
    with shared.changing() as change:
        change.after = SharedState(root_key=KEY)
    with shared.changing() as change:
        change.after = SharedState(was_open=True)
    assert KEY not in bytes(shared._memory)


def test_processes_that_add_at_once_lose_nothing() -> None:
    shared = SharedSecrets.make()

    def add_many() -> None:
        for number in range(50):
            give(shared, f"{os.getpid()}-{number}".encode())

    pids = [in_child(add_many) for _ in range(4)]
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0] * 4
    _, state = shared.read()
    assert len(set(state.given)) == 200
    for pid in pids:
        own = [share for share in state.given if share.startswith(f"{pid}-".encode())]
        assert own == [f"{pid}-{number}".encode() for number in range(50)]


def test_a_process_that_is_killed_while_it_writes_leaves_a_whole_state() -> None:
    shared = SharedSecrets.make()

    def write_for_ever() -> None:
        for number in range(10**9):
            with shared.changing() as change:
                digit = bytes([number % 256])
                change.after = SharedState(root_key=digit * 32, given=(digit * 32,) * 20)

    for _ in range(40):
        mark = shared.mark
        pid = in_child(write_for_ever)
        deadline = time.monotonic() + 60
        while shared.mark == mark and time.monotonic() < deadline:
            time.sleep(0.001)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        _, state = shared.read()
        assert set(state.given) == {state.root_key}
        assert give(shared, b"mine") == 21


def two_barriers(body: Callable[[Barrier, Barrier, DictStore], Awaitable[None]]) -> None:
    """Run `body` with an initialised store and two sealed barriers of one server over it."""

    async def run() -> None:
        store, shared = DictStore(), SharedSecrets.make()
        one, other = (Barrier(store, ManualClock(), shared) for _ in range(2))
        await one.initialize(KEY, writes=[Put("a", b"1")])
        await body(one, other, store)

    asyncio.run(run())


def test_unsealing_and_sealing_one_barrier_does_so_with_the_other() -> None:
    async def body(one: Barrier, other: Barrier, store: DictStore) -> None:
        forgotten = []
        other.on_sealed = lambda: forgotten.append(True)
        await one.unseal(KEY)
        assert other.known_revision() is None
        assert await other.revision() == await store.revision()
        entry = await other.get("a")
        assert entry is not None
        assert entry.value == b"1"
        forgotten.clear()
        one.seal()
        with pytest.raises(Sealed):
            await other.revision()
        assert forgotten == [True]
        assert other.sealed

    two_barriers(body)


def test_whoever_seals_it_was_open_for_all() -> None:
    async def body(one: Barrier, other: Barrier, store: DictStore) -> None:
        assert not other.was_open
        await one.unseal(KEY)
        await other.follow()
        other.seal()
        third = Barrier(store, ManualClock(), one._shared)
        await third.follow()
        assert [each.was_open for each in (one, other, third)] == [True] * 3
        assert third.sealed

    two_barriers(body)


def test_a_replaced_root_key_is_the_shared_one() -> None:
    async def body(one: Barrier, other: Barrier, store: DictStore) -> None:
        await one.unseal(KEY)
        await other.follow()
        await one.rekey_root(bytes(32))
        await other.follow()
        assert (await other.get("a") or ("",))[0] == b"1"
        third = Barrier(store, ManualClock(), one._shared)
        await third.follow()
        assert not third.sealed
        assert one._shared is not None
        assert one._shared.read()[1].root_key == bytes(32)

    two_barriers(body)


def test_a_process_that_ends_does_not_seal_the_others() -> None:
    async def body(one: Barrier, other: Barrier, store: DictStore) -> None:
        await one.unseal(KEY)
        await other.follow()
        other._forget()
        await one.follow()
        assert not one.sealed
        third = Barrier(store, ManualClock(), one._shared)
        await third.follow()
        assert not third.sealed

    two_barriers(body)


def test_shares_given_to_several_processes_are_of_one_attempt() -> None:
    shared = SharedSecrets.make()
    one, other = Attempt(shared), Attempt(shared)
    shares = [bytes([number]) * 33 for number in (1, 2, 3)]
    one.add(shares[0], 5)
    assert other.progress == one.progress
    other.add(shares[1], 5)
    assert other.take(3) is None
    with pytest.raises(InvalidRequest):
        one.add(b"\x09" * 32 + b"\x02", 5)  # another value for the second share
    one.add(shares[2], 5)
    assert other.take(3) == tuple(shares)
    assert one.take(3) is None
    assert one.progress == (0, "")
