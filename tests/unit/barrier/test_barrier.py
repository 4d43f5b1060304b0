"""Encryption at rest: what a barrier hides, what it notices and what it refuses."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.clock import ManualClock
from tests.unit.barrier.conftest import ROOT_KEY, Run
from tests.unit.barrier.dict_store import DictStore
from wardgate.barrier.barrier import Barrier
from wardgate.barrier.errors import AlreadyInitialized, BarrierError, NotInitialized, WrongKey
from wardgate.barrier.keys import KEYRING, SEAL
from wardgate.errors import Sealed
from wardgate.store.interface import ABSENT, Conflict, Delete, Entry, Put, Store, StoreError

SECRET = b"correct horse battery staple"
OTHER_ROOT_KEY = bytes(32)


# A store like any other


def test_it_is_a_store_that_gives_back_what_was_put(barrier: Barrier, run: Run) -> None:
    store: Store = barrier
    revision = run(store.commit({"a/b": ABSENT}, [Put("a/b", SECRET), Put("a/empty", b"")]))
    assert run(store.get("a/b")) == Entry(SECRET, revision)
    assert run(store.get("a/empty")) == Entry(b"", revision)
    assert run(store.get("a/c")) is None
    assert run(store.list("a/")) == ["b", "empty"]
    assert run(store.revision()) == revision
    run(store.commit({"a/b": revision}, [Delete("a/b")]))
    assert run(store.get("a/b")) is None


def test_a_large_value_survives(barrier: Barrier, run: Run) -> None:
    large = bytes(range(256)) * 4096
    run(barrier.commit({}, [Put("large", large)]))
    entry = run(barrier.get("large"))
    assert entry is not None
    assert entry.value == large


def test_a_conflict_below_comes_through_and_nothing_is_written(barrier: Barrier, run: Run) -> None:
    run(barrier.commit({}, [Put("a", b"1")]))
    with pytest.raises(Conflict) as conflict:
        run(barrier.commit({"a": ABSENT}, [Put("a", b"2")]))
    assert conflict.value.key == "a"
    assert run(barrier.get("a")) == Entry(b"1", run(barrier.revision()))


def test_closing_closes_the_store_below_even_when_sealed(
    sealed: Barrier, store: DictStore, run: Run
) -> None:
    run(sealed.close())
    with pytest.raises(StoreError):
        run(store.revision())


# What lies in storage


def test_values_are_hidden_and_the_same_value_never_looks_the_same(
    barrier: Barrier, store: DictStore, run: Run
) -> None:
    run(barrier.commit({}, [Put("a", SECRET), Put("b", SECRET)]))
    run(barrier.commit({}, [Put("c", SECRET)]))
    stored = [store.data[key].value for key in "abc"]
    assert all(SECRET not in value for value in stored)
    assert len({value[5:17] for value in stored}) == 3, "a nonce was used twice"
    assert {len(value) for value in stored} == {5 + 12 + len(SECRET) + 16}
    assert {value[:5] for value in stored} == {b"\x01\x00\x00\x00\x01"}


def test_no_key_shows_in_a_representation(barrier: Barrier, store: DictStore, run: Run) -> None:
    opened = barrier._opened()
    shown = f"{barrier!r} {opened!r} {opened.keyring!r} {opened.keyring.terms!r}"
    assert "key=" not in shown
    assert repr(ROOT_KEY) not in shown
    assert repr(opened.keyring.active.key) not in shown


def test_a_value_moved_to_another_key_is_refused(
    barrier: Barrier, store: DictStore, run: Run
) -> None:
    run(barrier.commit({}, [Put("policy/admin", SECRET), Put("policy/guest", b"nothing")]))
    store.data["policy/guest"] = store.data["policy/admin"]
    with pytest.raises(BarrierError, match="policy/guest") as refusal:
        run(barrier.get("policy/guest"))
    assert "horse" not in str(refusal.value)


@pytest.mark.parametrize("length", [0, 1, 4, 5, 8, 16, 17, 20, 32, 33, 60])
def test_a_truncated_value_is_refused(
    barrier: Barrier, store: DictStore, run: Run, length: int
) -> None:
    run(barrier.commit({}, [Put("a/b", SECRET)]))
    store.data["a/b"] = Entry(store.data["a/b"].value[:length], 1)
    with pytest.raises(BarrierError, match="stored at a/b"):
        run(barrier.get("a/b"))


def test_a_value_that_was_never_encrypted_is_refused(
    barrier: Barrier, store: DictStore, run: Run
) -> None:
    store.data["a"] = Entry(b'{"password": "horse"}' * 9, 1)
    with pytest.raises(BarrierError, match="not encrypted by this server") as refusal:
        run(barrier.get("a"))
    assert "horse" not in str(refusal.value)


def test_a_value_of_another_server_is_refused(
    barrier: Barrier, store: DictStore, clock: ManualClock, run: Run
) -> None:
    foreign_store = DictStore()
    foreign = Barrier(foreign_store, clock)
    run(foreign.initialize(ROOT_KEY))
    run(foreign.unseal(ROOT_KEY))
    run(foreign.commit({}, [Put("a", SECRET)]))
    store.data["a"] = foreign_store.data["a"]
    with pytest.raises(BarrierError, match="stored at a "):
        run(barrier.get("a"))


def test_a_value_of_a_term_that_nobody_knows_is_refused(
    barrier: Barrier, store: DictStore, run: Run
) -> None:
    run(barrier.commit({}, [Put("a", SECRET)]))
    value = store.data["a"].value
    store.data["a"] = Entry(value[:1] + (77).to_bytes(4, "big") + value[5:], 1)
    with pytest.raises(BarrierError, match="stored at a was encrypted under term 77"):
        run(barrier.get("a"))


# Its own records


def test_its_own_records_are_out_of_reach_and_out_of_sight(barrier: Barrier, run: Run) -> None:
    run(barrier.commit({}, [Put("barrier", b"a name like any other"), Put("core/x", b"")]))
    for refused in (
        barrier.get(KEYRING),
        barrier.list("barrier/"),
        barrier.commit({KEYRING: ABSENT}, []),
        barrier.commit({}, [Put(SEAL, b"")]),
        barrier.commit({}, [Put("a", b""), Delete(KEYRING)]),
    ):
        with pytest.raises(BarrierError, match="barrier's own"):
            run(refused)
    assert run(barrier.get("a")) is None
    assert run(barrier.list("")) == ["barrier", "core/"]
    assert run(barrier.list("", limit=2)) == ["barrier", "core/"]
    assert run(barrier.list("", after="barrier", limit=1)) == ["core/"]


# Initialising and unsealing


def test_initialising_leaves_it_sealed_with_everything_in_one_commit(
    store: DictStore, clock: ManualClock, run: Run
) -> None:
    barrier = Barrier(store, clock)
    assert not run(barrier.initialized())
    run(barrier.initialize(ROOT_KEY, seal_record=b"seal", writes=[Put("core/first", SECRET)]))
    assert len(store.commits) == 1
    assert sorted(store.data) == [KEYRING, SEAL, "core/first"]
    assert run(barrier.initialized())
    assert barrier.sealed
    run(barrier.unseal(ROOT_KEY))
    assert run(barrier.get("core/first")) == Entry(SECRET, 1)
    assert barrier.key_status().encryptions == 1


def test_a_second_initialisation_is_refused_and_changes_nothing(
    barrier: Barrier, store: DictStore, clock: ManualClock, run: Run
) -> None:
    before = dict(store.data)
    with pytest.raises(AlreadyInitialized):
        run(Barrier(store, clock).initialize(OTHER_ROOT_KEY, seal_record=b"other"))
    assert store.data == before


def test_a_seal_record_without_a_keyring_is_not_written_over(
    store: DictStore, clock: ManualClock, run: Run
) -> None:
    store.data[SEAL] = Entry(b"from a partial backup", 1)
    with pytest.raises(BarrierError, match="barrier/seal but no barrier/keyring"):
        run(Barrier(store, clock).initialize(ROOT_KEY))
    assert list(store.data) == [SEAL]


def test_unsealing_before_initialising_says_so(
    store: DictStore, clock: ManualClock, run: Run
) -> None:
    with pytest.raises(NotInitialized):
        run(Barrier(store, clock).unseal(ROOT_KEY))


@pytest.mark.parametrize("wrong", [OTHER_ROOT_KEY, ROOT_KEY[:16], b"", ROOT_KEY + b"x"])
def test_a_wrong_root_key_is_refused_and_it_stays_sealed(
    sealed: Barrier, run: Run, wrong: bytes
) -> None:
    with pytest.raises(WrongKey, match="barrier/keyring"):
        run(sealed.unseal(wrong))
    assert sealed.sealed


def test_a_damaged_keyring_is_told_apart(sealed: Barrier, store: DictStore, run: Run) -> None:
    store.data[KEYRING] = Entry(b"\x00" + store.data[KEYRING].value[1:], 1)
    with pytest.raises(BarrierError, match="barrier/keyring in storage is damaged"):
        run(sealed.unseal(ROOT_KEY))


def test_a_root_key_of_another_length_is_refused(
    barrier: Barrier, store: DictStore, clock: ManualClock, run: Run
) -> None:
    with pytest.raises(BarrierError, match="32 bytes"):
        run(Barrier(DictStore(), clock).initialize(b"short"))
    with pytest.raises(BarrierError, match="32 bytes"):
        run(barrier.rekey_root(b""))


CALLS: dict[str, Callable[[Barrier], Coroutine[Any, Any, object]]] = {
    "revision": lambda barrier: barrier.revision(),
    "get": lambda barrier: barrier.get("a"),
    "list": lambda barrier: barrier.list(""),
    "commit": lambda barrier: barrier.commit({}, [Put("a", b"")]),
    "rotate": lambda barrier: barrier.rotate(),
    "rekey_root": lambda barrier: barrier.rekey_root(OTHER_ROOT_KEY),
    "refresh": lambda barrier: barrier.refresh(),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_sealed_barrier_answers_nothing(
    barrier: Barrier, store: DictStore, run: Run, name: str
) -> None:
    run(barrier.commit({}, [Put("a", SECRET)]))
    before = dict(store.data)
    barrier.seal()
    assert barrier.sealed
    with pytest.raises(Sealed):
        run(CALLS[name](barrier))
    with pytest.raises(Sealed):
        barrier.key_status()
    assert store.data == before
    run(barrier.unseal(ROOT_KEY))
    assert run(barrier.get("a")) == Entry(SECRET, 2)
