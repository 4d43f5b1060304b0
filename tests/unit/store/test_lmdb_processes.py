"""Several processes on one LMDB directory."""

import asyncio
from pathlib import Path

import pytest

from tests.unit.store.other_process import OtherProcess
from wardgate.store.interface import ABSENT, REMEMBERED, Conflict, Entry, Put
from wardgate.store.lmdb import LmdbStore


def test_a_commit_of_another_process_is_seen_by_the_next_read(tmp_path: Path) -> None:
    async def run() -> None:
        store = LmdbStore.open(tmp_path)
        with OtherProcess(tmp_path) as other:
            for text in "one", "two":
                before = await store.revision()
                revision = other.ask("commit", "a/b", text)
                assert revision > before
                assert await store.revision() == revision
                assert await store.get("a/b") == Entry(text.encode(), revision)
                assert await store.list("") == ["a/"]
        await store.close()

    asyncio.run(run())


def test_conflicts_are_found_across_processes(tmp_path: Path) -> None:
    async def run() -> None:
        store = LmdbStore.open(tmp_path)
        with OtherProcess(tmp_path) as other:
            mine = await store.commit({"a": ABSENT}, [Put("a", b"mine")])
            theirs = other.ask("commit", "a", "theirs")
            with pytest.raises(Conflict):
                await store.commit({"a": mine}, [Put("a", b"lost")])
            assert await store.commit({"a": theirs}, [Put("a", b"mine")]) > theirs
        await store.close()

    asyncio.run(run())


def test_two_processes_count_together(tmp_path: Path) -> None:
    async def run() -> None:
        store = LmdbStore.open(tmp_path)
        with OtherProcess(tmp_path) as other:
            revisions = set()
            for i in range(50):
                mine, theirs = await asyncio.gather(
                    store.commit({}, [Put(f"mine/{i}", b"")]),
                    asyncio.to_thread(other.ask, "commit", f"theirs/{i}", ""),
                )
                revisions |= {mine, theirs}
            assert len(revisions) == 100
            assert await store.revision() == max(revisions)
            assert len(await store.list("mine/")) == len(await store.list("theirs/")) == 50
        await store.close()

    asyncio.run(run())


def test_the_event_loop_goes_on_while_another_process_holds_the_write_lock(tmp_path: Path) -> None:
    """And what waits for the lock shares one sync when it is free."""

    async def run() -> None:
        store = LmdbStore.open(tmp_path)
        first = await store.commit({}, [Put("a", b"1")])
        with OtherProcess(tmp_path) as other:
            other.ask("hold")
            syncs = store.syncs
            commits = [
                asyncio.create_task(store.commit({}, [Put(f"k/{i}", b"1")])) for i in range(300)
            ]
            for _ in range(300):
                await asyncio.sleep(0)
                assert await store.get("a") == Entry(b"1", first)
                assert await store.revision() == first
            assert not any(commit.done() for commit in commits)
            other.ask("release")
            assert len(set(await asyncio.gather(*commits))) == 300
            # The thread had taken a part of them when it began to wait for the lock.
            assert store.syncs - syncs <= 2
        await store.close()

    asyncio.run(run())


def test_a_file_that_another_process_has_grown_is_read_and_written(tmp_path: Path) -> None:
    async def run() -> None:
        store = LmdbStore.open(tmp_path, map_size=16 * 4096)
        assert await store.get("fill/0") is None
        with OtherProcess(tmp_path) as other:
            for round_ in range(1, 4):
                revision = other.ask("fill", 500 * round_, 1000)
                # Each kind of call may be the one that meets the grown file first.
                if round_ == 1:
                    assert await store.get("fill/499") == Entry(bytes(1000), revision)
                elif round_ == 2:
                    assert len(await store.list("fill/")) == 1000
                assert await store.revision() == revision
                mine = await store.commit({"fill/0": revision}, [Put("a", b"mine")])
                assert await store.get("a") == Entry(b"mine", mine)
        await store.close()

    asyncio.run(run())


def test_reads_wait_without_blocking_when_the_grown_file_cannot_be_mapped_yet(
    tmp_path: Path,
) -> None:
    """The map moves on the thread that writes, which may be waiting for another process."""

    async def run() -> None:
        store = LmdbStore.open(tmp_path, map_size=16 * 4096)
        with OtherProcess(tmp_path) as other:
            other.ask("hold")
            commit = asyncio.create_task(store.commit({}, [Put("a", b"1")]))
            await asyncio.sleep(0)
            other.ask("release")
            await commit
            revision = other.ask("fill", 500, 1000)
            other.ask("hold")
            commit = asyncio.create_task(store.commit({}, [Put("a", b"2")]))
            reads = [asyncio.create_task(store.get("fill/0")) for _ in range(3)]
            for _ in range(100):
                await asyncio.sleep(0)
            other.ask("release")
            assert await commit > revision
            assert await asyncio.gather(*reads) == [Entry(bytes(1000), revision)] * 3
        await store.close()

    asyncio.run(run())


def test_what_a_killed_process_was_reading_is_used_again(tmp_path: Path) -> None:
    async def run() -> None:
        store = LmdbStore.open(tmp_path, map_size=1024 * 1024)

        async def rewrite() -> int:
            for i in range(200):
                await store.commit({}, [Put("a", bytes([i]) * 50_000)])
            return (tmp_path / "data.mdb").stat().st_size

        size = await rewrite()
        with OtherProcess(tmp_path) as other:
            other.ask("read")
            other.kill()
            assert await rewrite() == await rewrite() <= 1024 * 1024
        assert size <= 1024 * 1024
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize("others", [1, 3, REMEMBERED + 2])
def test_a_version_that_was_met_before_is_not_believed_again(tmp_path: Path, others: int) -> None:
    async def run() -> None:
        store = LmdbStore.open(tmp_path)
        with OtherProcess(tmp_path) as other:
            version = await store.commit({}, [Put("a", b"mine")])
            for name in "bc":
                await store.commit({"a": version, "d": ABSENT}, [Put(name, b"")])
            for number in range(others):
                other.ask("commit", "ad"[number % 2], f"{number}")
            with pytest.raises(Conflict):
                await store.commit({"a": version}, [Put("e", b"")])
            if others > 1:
                with pytest.raises(Conflict):
                    await store.commit({"d": ABSENT}, [Put("e", b"")])
        await store.close()

    asyncio.run(run())
