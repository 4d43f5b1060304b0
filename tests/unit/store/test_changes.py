"""What an engine tells about the keys that were changed lately."""

import asyncio
from pathlib import Path

from tests.unit.store.engines import MakeStore, on_every_engine
from tests.unit.store.other_process import OtherProcess
from wardgate.store.interface import ABSENT, REMEMBERED, Conflict, Delete, Put, Store
from wardgate.store.lmdb import LmdbStore


@on_every_engine
async def test_changes_are_the_keys_that_were_put_or_deleted_since(store: Store) -> None:
    first = await store.commit({}, [Put("a", b"1"), Put("b/c", b"2")])
    second = await store.commit({"a": first}, [Delete("a"), Put("d", b"3")])
    assert await store.changes(0) == {"a", "b/c", "d"}
    assert await store.changes(first) == {"a", "d"}
    assert await store.changes(second) == set()


@on_every_engine
async def test_commits_that_arrive_together_are_all_told(store: Store) -> None:
    start = await store.commit({}, [])
    await asyncio.gather(*(store.commit({}, [Put(f"k{n}", b"")]) for n in range(40)))
    assert await store.changes(start) == {f"k{n}" for n in range(40)}


@on_every_engine
async def test_a_refused_commit_changed_nothing(store: Store) -> None:
    start = await store.commit({}, [Put("a", b"1")])
    results = await asyncio.gather(
        store.commit({}, [Put("b", b"")]),
        store.commit({"a": ABSENT}, [Put("c", b"")]),
        return_exceptions=True,
    )
    assert isinstance(results[1], Conflict)
    assert await store.changes(start) == {"b"}


@on_every_engine
async def test_what_is_too_long_ago_is_not_known(store: Store) -> None:
    start = await store.commit({}, [Put("a", b"")])
    for _ in range(REMEMBERED):
        newest = await store.commit({}, [Put("b", b"")])
    assert await store.changes(start) == {"b"}
    for _ in range(REMEMBERED):
        newest = await store.commit({}, [Put("c", b"")])
    assert await store.changes(start) is None
    assert await store.changes(newest - REMEMBERED) == {"c"}
    assert await store.changes(newest + 1) is None


def test_what_another_process_changed_is_told(tmp_path: Path) -> None:
    async def run() -> None:
        store = LmdbStore.open(tmp_path)
        start = await store.commit({}, [Put("a", b"1")])
        with OtherProcess(tmp_path) as other:
            other.ask("commit", "b", "theirs")
            await store.commit({}, [Put("c", b"ours")])
            other.ask("commit", "d/é", "theirs")
        assert await store.changes(start) == {"b", "c", "d/é"}
        await store.close()

    asyncio.run(run())


def test_what_was_changed_before_a_restart_is_told(tmp_path: Path) -> None:
    async def run() -> None:
        store = LmdbStore.open(tmp_path)
        start = await store.commit({}, [Put("a", b"1")])
        await store.commit({}, [Put("b", b"1")])
        await store.close()
        store = LmdbStore.open(tmp_path)
        assert await store.changes(start) == {"b"}
        await store.close()

    asyncio.run(run())


def test_a_huge_change_is_not_told_key_by_key(tmp_path: Path) -> None:
    """It would take longer to go through than to forget everything, and fill the data file."""

    async def run() -> None:
        store = LmdbStore.open(tmp_path)
        start = await store.commit({}, [Put("a", b"1")])
        huge = await store.commit({}, [Put(f"{n}/" + "x" * 400, b"") for n in range(1000)])
        await store.commit({}, [Put("b", b"1")])
        assert await store.changes(start) is None
        assert await store.changes(huge) == {"b"}
        await store.close()

    asyncio.run(run())


def test_what_is_remembered_takes_a_bounded_part_of_the_data_file(
    make_store: MakeStore, tmp_path: Path
) -> None:
    async def run() -> None:
        store = make_store()
        for _ in range(6):
            for _ in range(REMEMBERED):
                await store.commit({}, [Put("a/" + "x" * 100, b"")])
        await store.close()

    asyncio.run(run())
    assert sum(file.stat().st_size for file in tmp_path.rglob("data.mdb")) < 2_000_000
