"""Reading, committing and conflicts, the same on every engine."""

import asyncio

import pytest

from tests.unit.store.engines import MakeStore, on_every_engine
from wardgate.store.interface import ABSENT, Conflict, Delete, Entry, Put, Store, StoreError


@on_every_engine
async def test_an_empty_store_has_revision_0_and_nothing_in_it(store: Store) -> None:
    assert await store.revision() == 0
    assert await store.get("a") is None
    assert await store.list("") == []


@on_every_engine
async def test_what_was_put_is_read_back_with_the_revision_that_wrote_it(store: Store) -> None:
    first = await store.commit({}, [Put("a", b"1"), Put("b/c", b"2")])
    second = await store.commit({}, [Put("a", b"3")])
    assert second > first > 0
    assert await store.revision() == second
    assert await store.get("a") == Entry(b"3", second)
    assert await store.get("b/c") == Entry(b"2", first)


@pytest.mark.parametrize("size", [0, 1, 8, 5000, 3_000_000])
def test_a_value_may_have_any_size(make_store: MakeStore, size: int) -> None:
    async def run() -> None:
        store = make_store()
        value = b"\xff" * size
        revision = await store.commit({}, [Put("a", value)])
        assert await store.get("a") == Entry(value, revision)
        await store.close()

    asyncio.run(run())


@on_every_engine
async def test_a_deleted_key_is_gone_and_deleting_it_again_is_no_error(store: Store) -> None:
    await store.commit({}, [Put("a", b"1")])
    await store.commit({}, [Delete("a")])
    assert await store.get("a") is None
    revision = await store.commit({"a": ABSENT}, [Delete("a")])
    assert await store.revision() == revision


@on_every_engine
async def test_writes_are_applied_in_order(store: Store) -> None:
    revision = await store.commit(
        {}, [Put("a", b"1"), Delete("a"), Put("b", b"1"), Put("b", b"2"), Delete("c")]
    )
    assert await store.get("a") is None
    assert await store.get("b") == Entry(b"2", revision)


@on_every_engine
async def test_a_commit_that_expects_what_is_there_succeeds(store: Store) -> None:
    a = await store.commit({"a": ABSENT, "b": ABSENT}, [Put("a", b"1")])
    b = await store.commit({"a": a, "b": ABSENT}, [Put("b", b"1")])
    await store.commit({"a": a, "b": b}, [Put("a", b"2")])
    entry = await store.get("a")
    assert entry is not None
    assert entry.value == b"2"


@on_every_engine
async def test_a_conflict_names_the_first_key_and_changes_nothing(store: Store) -> None:
    a = await store.commit({}, [Put("a", b"1")])
    b = await store.commit({}, [Put("b", b"1")])
    for expect, first in [
        ({"a": ABSENT}, "a"),
        ({"a": b}, "a"),
        ({"a": a, "b": a, "c": ABSENT}, "b"),
        ({"c": b, "a": b}, "c"),
    ]:
        with pytest.raises(Conflict) as conflict:
            await store.commit(expect, [Put("a", b"lost"), Put("d", b"lost"), Delete("b")])
        assert conflict.value.key == first
        assert await store.revision() == b
        assert await store.get("a") == Entry(b"1", a)
        assert await store.get("d") is None
        assert await store.get("b") == Entry(b"1", b)


@on_every_engine
async def test_a_key_that_was_deleted_and_put_again_has_a_new_version(store: Store) -> None:
    first = await store.commit({}, [Put("a", b"1")])
    await store.commit({}, [Delete("a"), Put("a", b"1")])
    with pytest.raises(Conflict):
        await store.commit({"a": first}, [])


@on_every_engine
async def test_a_commit_without_writes_checks_and_gets_a_revision(store: Store) -> None:
    first = await store.commit({"a": ABSENT}, [])
    second = await store.commit({}, [])
    assert 0 < first < second == await store.revision()


@on_every_engine
async def test_a_value_that_could_still_change_is_refused(store: Store) -> None:
    with pytest.raises(TypeError):
        await store.commit({}, [Put("a", b"1"), Put("b", bytearray(b"2"))])  # type: ignore[arg-type]
    assert await store.get("a") is None


@on_every_engine
async def test_200_parallel_increments_with_retry_count_to_200(store: Store) -> None:
    async def increment() -> None:
        while True:
            entry = await store.get("counter")
            count, version = (int(entry.value), entry.version) if entry else (0, ABSENT)
            await asyncio.sleep(0)  # let the others read the same version
            try:
                await store.commit({"counter": version}, [Put("counter", b"%d" % (count + 1))])
                return
            except Conflict:
                continue

    await asyncio.gather(*(increment() for _ in range(200)))
    entry = await store.get("counter")
    assert entry is not None
    assert entry.value == b"200"


@on_every_engine
async def test_each_of_many_parallel_commits_has_its_own_revision(store: Store) -> None:
    before = await store.revision()
    revisions = await asyncio.gather(
        *(store.commit({}, [Put(f"k/{i}", b"%d" % i)]) for i in range(2000))
    )
    assert sorted(revisions) == list(range(before + 1, before + 2001))
    for i, revision in enumerate(revisions):
        assert await store.get(f"k/{i}") == Entry(b"%d" % i, revision)


@on_every_engine
async def test_of_parallel_commits_that_expect_the_same_version_one_succeeds(store: Store) -> None:
    outcomes = await asyncio.gather(
        *(store.commit({"a": ABSENT}, [Put("a", b"%d" % i)]) for i in range(50)),
        return_exceptions=True,
    )
    assert len([o for o in outcomes if isinstance(o, int)]) == 1
    assert len([o for o in outcomes if isinstance(o, Conflict)]) == 49


@on_every_engine
async def test_a_cancelled_caller_disturbs_nobody(store: Store) -> None:
    tasks = [asyncio.create_task(store.commit({}, [Put(f"k{i}", b"1")])) for i in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, int) for outcome in outcomes[1::2])
    last = await store.commit({}, [Put("after", b"1")])
    assert await store.get("after") == Entry(b"1", last)


def test_close_finishes_what_was_committed_and_refuses_the_rest(make_store: MakeStore) -> None:
    async def run() -> None:
        store = make_store()
        pending = [asyncio.create_task(store.commit({}, [Put(f"k{i}", b"1")])) for i in range(20)]
        await asyncio.sleep(0)
        await asyncio.gather(store.close(), store.close())
        await store.close()
        assert all(isinstance(revision, int) for revision in await asyncio.gather(*pending))
        for call in (
            store.revision(),
            store.get("k0"),
            store.list(""),
            store.commit({}, [Put("a", b"1")]),
        ):
            with pytest.raises(StoreError, match="closed"):
                await call

    asyncio.run(run())


@on_every_engine
async def test_a_version_that_was_met_before_is_not_met_after_a_commit(store: Store) -> None:
    first = await store.commit({}, [Put("a", b"1")])
    await store.commit({"a": first, "b": ABSENT}, [Put("c", b"")])
    second = await store.commit({"a": first, "b": ABSENT}, [Put("a", b"2"), Put("b", b"")])
    for stale in ({"a": first}, {"b": ABSENT}):
        with pytest.raises(Conflict):
            await store.commit(stale, [Put("c", b"")])
    await store.commit({"a": second, "b": second}, [Delete("a")])
    with pytest.raises(Conflict):
        await store.commit({"a": second}, [Put("c", b"")])
    assert await store.commit({"a": ABSENT}, [Put("c", b"")])
