"""New keys: rotation, other root keys, counts, and several processes that share a store."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.clock import ManualClock
from tests.unit.barrier.conftest import ROOT_KEY, Run
from tests.unit.barrier.dict_store import DictStore
from wardgate.barrier.barrier import Barrier
from wardgate.barrier.errors import BarrierError, WrongKey
from wardgate.barrier.handover import HANDOVER, LIFETIME, MOST_LINKS
from wardgate.barrier.keys import KEYRING, SEAL, KeyStatus
from wardgate.errors import Sealed
from wardgate.store.interface import Conflict, Entry, Put

OTHER_ROOT_KEY = bytes(32)

Process = Callable[[], Barrier]


class Meanwhile(DictStore):
    """A store in which something else happens once, while a read is under way."""

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[], Awaitable[object]] | None = None

    async def get(self, key: str) -> Entry | None:
        found = await super().get(key)
        if self.then is not None:
            then, self.then = self.then, None
            await then()
        return found


@pytest.fixture
def store() -> Meanwhile:
    return Meanwhile()


def term_in_storage(store: DictStore, key: str) -> int:
    return int.from_bytes(store.data[key].value[1:5], "big")


def test_rotation_writes_under_a_new_term_and_reads_the_old_ones(
    barrier: Barrier, store: Meanwhile, run: Run
) -> None:
    run(barrier.commit({}, [Put("old", b"1")]))
    assert run(barrier.rotate()) == 2
    run(barrier.commit({}, [Put("new", b"2")]))
    assert (term_in_storage(store, "old"), term_in_storage(store, "new")) == (1, 2)
    barrier.seal()
    run(barrier.unseal(ROOT_KEY))
    assert run(barrier.get("old")) == Entry(b"1", 2)
    assert run(barrier.get("new")) == Entry(b"2", 4)


def test_key_status_tells_term_time_and_writes(
    barrier: Barrier, clock: ManualClock, run: Run
) -> None:
    start = clock.now()
    assert barrier.key_status() == KeyStatus(term=1, install_time=start, encryptions=0)
    run(barrier.commit({}, [Put("a", b""), Put("b", b"")]))
    run(barrier.commit({}, [Put("a", b"")]))
    assert barrier.key_status().encryptions == 3
    clock.advance(60)
    run(barrier.rotate())
    assert barrier.key_status() == KeyStatus(term=2, install_time=start + 60, encryptions=0)


def test_counts_of_all_processes_come_together_once_saved(
    barrier: Barrier, another_process: Process, run: Run
) -> None:
    other = another_process()
    run(barrier.commit({}, [Put("a", b"")]))
    run(other.commit({}, [Put("b", b""), Put("c", b"")]))
    run(barrier.save_counts())
    run(barrier.save_counts())
    run(other.save_counts())
    assert other.key_status().encryptions == 3
    assert another_process().key_status().encryptions == 3
    run(barrier.refresh())
    assert barrier.key_status().encryptions == 3


def test_saving_counts_writes_nothing_when_nothing_was_encrypted(
    barrier: Barrier, store: Meanwhile, run: Run
) -> None:
    commits = len(store.commits)
    run(barrier.save_counts())
    assert len(store.commits) == commits


def test_a_value_under_a_term_of_another_process_is_read(
    barrier: Barrier, another_process: Process, store: Meanwhile, run: Run
) -> None:
    other = another_process()
    run(other.rotate())
    run(other.commit({}, [Put("a", b"from the other")]))
    assert barrier.key_status().term == 1
    assert run(barrier.get("a")) == Entry(b"from the other", 3)
    assert barrier.key_status().term == 2


def test_refreshing_takes_up_the_term_of_another_process(
    barrier: Barrier, another_process: Process, store: Meanwhile, run: Run
) -> None:
    run(another_process().rotate())
    run(barrier.commit({}, [Put("before", b"")]))
    run(barrier.refresh())
    run(barrier.commit({}, [Put("after", b"")]))
    assert term_in_storage(store, "before") == 1
    assert term_in_storage(store, "after") == 2


def test_processes_that_rotate_at_once_each_get_a_term_of_their_own(
    barrier: Barrier, another_process: Process, run: Run
) -> None:
    others = [another_process() for _ in range(3)]

    async def at_once() -> list[int]:
        return await asyncio.gather(*(process.rotate() for process in (barrier, *others)))

    assert sorted(run(at_once())) == [2, 3, 4, 5]
    for process in others:
        run(process.commit({}, [Put("a", b"x")]))
        entry = run(barrier.get("a"))
        assert entry is not None
        assert entry.value == b"x"


def test_rotation_starts_again_when_another_process_comes_first(
    barrier: Barrier, store: Meanwhile, run: Run
) -> None:
    """The other's term must not be lost: it may have written values already."""
    other = Barrier(store, ManualClock())
    run(other.unseal(ROOT_KEY))
    version = store.data[KEYRING].version

    store.then = other.rotate
    assert run(barrier.rotate()) == 3
    assert store.data[KEYRING].version == version + 2
    run(other.commit({}, [Put("a", b"under term 2")]))
    assert run(barrier.get("a")) is not None


# Another root key


def test_another_root_key_replaces_the_first_one_in_one_commit_with_the_seal(
    barrier: Barrier, store: Meanwhile, run: Run
) -> None:
    run(barrier.commit({}, [Put("a", b"1")]))
    commits = len(store.commits)
    run(barrier.rekey_root(OTHER_ROOT_KEY, seal_record=b"new record"))
    assert len(store.commits) == commits + 1
    assert store.data[SEAL].value == b"new record"
    assert run(barrier.rotate()) == 2, "the process that changed it works on"
    barrier.seal()
    with pytest.raises(WrongKey):
        run(barrier.unseal(ROOT_KEY))
    run(barrier.unseal(OTHER_ROOT_KEY))
    assert run(barrier.get("a")) == Entry(b"1", 2)


def test_a_process_with_a_former_root_key_finds_the_newest(
    barrier: Barrier, another_process: Process, run: Run
) -> None:
    other = another_process()
    for number in range(3):
        run(other.rekey_root(bytes([number]) * 32))
        run(other.rotate())
    run(other.commit({}, [Put("a", b"under the newest term")]))
    assert run(barrier.get("a")) is not None
    assert run(barrier.rotate()) == 5
    run(other.refresh())
    assert other.key_status().term == 5


def test_an_old_root_key_leads_nowhere_after_an_hour(
    barrier: Barrier, another_process: Process, store: Meanwhile, clock: ManualClock, run: Run
) -> None:
    other = another_process()
    run(other.rekey_root(OTHER_ROOT_KEY))
    clock.advance(LIFETIME - 1)
    run(other.forget_old_keys())
    assert HANDOVER in store.data
    clock.advance(1)
    run(other.forget_old_keys())
    assert HANDOVER not in store.data
    run(barrier.commit({}, [Put("a", b"still works")]))
    with pytest.raises(BarrierError, match="seal and unseal this process"):
        run(barrier.rotate())


def test_only_so_many_links_are_kept(barrier: Barrier, store: Meanwhile, run: Run) -> None:
    for number in range(MOST_LINKS + 5):
        run(barrier.rekey_root(bytes([number]) * 32))
    assert store.data[HANDOVER].value.count(b'"made"') == MOST_LINKS


def test_damaged_links_are_refused_with_their_name(
    barrier: Barrier, another_process: Process, store: Meanwhile, run: Run
) -> None:
    other = another_process()
    run(other.rekey_root(OTHER_ROOT_KEY))
    run(store.commit({}, [Put(HANDOVER, b"nonsense")]))
    with pytest.raises(BarrierError, match=HANDOVER):
        run(barrier.rotate())


def test_values_and_expectations_go_into_the_commit_of_another_root_key(
    barrier: Barrier, store: Meanwhile, run: Run
) -> None:
    version = run(barrier.commit({}, [Put("a", b"1")]))
    commits = len(store.commits)
    with pytest.raises(Conflict):
        run(barrier.rekey_root(OTHER_ROOT_KEY, expect={"a": version - 1}, writes=[Put("b", b"2")]))
    assert len(store.commits) == commits
    run(barrier.unseal(ROOT_KEY))

    run(barrier.rekey_root(OTHER_ROOT_KEY, expect={"a": version}, writes=[Put("b", b"2")]))
    assert len(store.commits) == commits + 1
    found = run(barrier.get("b"))
    assert found is not None
    assert found.value == b"2"


def test_values_of_another_root_key_cannot_be_the_barriers_own(barrier: Barrier, run: Run) -> None:
    with pytest.raises(BarrierError):
        run(barrier.rekey_root(OTHER_ROOT_KEY, writes=[Put(KEYRING, b"")]))


def test_a_root_key_may_be_prepared_and_is_worth_nothing_after_another(
    barrier: Barrier, run: Run
) -> None:
    link = barrier.link_to(OTHER_ROOT_KEY)
    assert barrier.linked(link) == OTHER_ROOT_KEY
    run(barrier.rekey_root(bytes([7]) * 32))
    with pytest.raises(WrongKey):
        barrier.linked(link)


def test_of_processes_that_find_a_key_due_one_rotates(
    barrier: Barrier, another_process: Process, store: Meanwhile, run: Run
) -> None:
    other = another_process()
    assert run(other.rotate(after=1)) == 2
    assert run(barrier.rotate(after=1)) == 2
    assert barrier.key_status().term == 2

    store.then = lambda: other.rotate(after=2)
    assert run(barrier.rotate(after=2)) == 3
    assert barrier.key_status().term == other.key_status().term == 3


# Sealed in the middle


def sealing(barrier: Barrier) -> Callable[[], Awaitable[None]]:
    async def seal() -> None:
        barrier.seal()

    return seal


def test_a_read_under_way_when_it_is_sealed_gives_nothing(
    barrier: Barrier, store: Meanwhile, run: Run
) -> None:
    run(barrier.commit({}, [Put("a", b"secret")]))
    store.then = sealing(barrier)
    with pytest.raises(Sealed):
        run(barrier.get("a"))


def test_a_reload_under_way_does_not_undo_sealing(
    barrier: Barrier, store: Meanwhile, run: Run
) -> None:
    store.then = sealing(barrier)
    with pytest.raises(Sealed):
        run(barrier.refresh())
    assert barrier.sealed


def test_a_rotation_under_way_does_not_undo_sealing(
    barrier: Barrier, store: Meanwhile, run: Run
) -> None:
    store.then = sealing(barrier)
    assert run(barrier.rotate()) == 2
    assert barrier.sealed


def test_unsealing_twice_does_not_go_back_to_an_older_keyring(
    barrier: Barrier, store: Meanwhile, run: Run
) -> None:
    store.then = barrier.rotate
    run(barrier.unseal(ROOT_KEY))
    assert barrier.key_status().term == 2
