"""The data file of the LMDB engine: who may read it, how it grows, what happens when it is bad."""

import asyncio
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb
import pytest

from tests.unit.store.other_process import REPOSITORY
from wardgate.store.interface import Entry, Put, StoreError
from wardgate.store.lmdb import LmdbStore


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def run_on(path: Path, *values: bytes) -> None:
    """Open, put each of `values` under ``v/<number>``, close."""

    async def run() -> None:
        store = LmdbStore.open(path)
        for i, value in enumerate(values):
            await store.commit({}, [Put(f"v/{i}", value)])
        await store.close()

    asyncio.run(run())


def test_only_the_owner_can_read_the_data(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        run_on(tmp_path / "new" / "data", b"1")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new" / "data") == 0o700
    assert mode(tmp_path / "new" / "data" / "data.mdb") == 0o600
    assert mode(tmp_path / "new" / "data" / "lock.mdb") == 0o600


def test_a_stricter_umask_is_respected(tmp_path: Path) -> None:
    before = os.umask(0o277)
    try:
        asyncio.run(LmdbStore.open(tmp_path).close())
    except StoreError:
        pass  # files that nobody may write are of no use, except to root
    finally:
        os.umask(before)
    assert mode(tmp_path / "lock.mdb") == 0o400


def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    async def run() -> None:
        store = LmdbStore.open(tmp_path)
        first = await store.commit({}, [Put("a", b"1")])
        await store.close()
        store = LmdbStore.open(tmp_path)
        assert await store.revision() == first
        assert await store.get("a") == Entry(b"1", first)
        assert await store.commit({"a": first}, [Put("a", b"2")]) > first
        await store.close()

    asyncio.run(run())


def test_a_store_can_be_used_by_one_event_loop_after_another(tmp_path: Path) -> None:
    store = LmdbStore.open(tmp_path)

    async def abandon() -> None:
        task = asyncio.create_task(store.commit({}, [Put("a", b"1")]))
        await asyncio.sleep(0)
        task.cancel()

    for _ in range(20):
        asyncio.run(abandon())
        asyncio.run(store.commit({}, [Put("b", b"1")]))
    asyncio.run(store.close())


def test_the_map_grows_while_reads_and_commits_go_on(tmp_path: Path) -> None:
    async def run() -> None:
        store = LmdbStore.open(tmp_path, map_size=16 * 4096)

        async def write(name: str) -> None:
            for i in range(50):
                revision = await store.commit({}, [Put(f"{name}/{i}", bytes(5000))])
                assert await store.get(f"{name}/{i}") == Entry(bytes(5000), revision)

        await asyncio.gather(*(write(f"n{n}") for n in range(8)))
        assert len(await store.list("")) == 8
        await store.close()
        assert (tmp_path / "data.mdb").stat().st_size > 2_000_000

    asyncio.run(run())


def test_a_directory_is_opened_once_in_a_process(tmp_path: Path) -> None:
    store = LmdbStore.open(tmp_path)
    with pytest.raises(StoreError, match="already open"):
        LmdbStore.open(tmp_path)
    asyncio.run(store.close())
    asyncio.run(LmdbStore.open(tmp_path).close())


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot open"):
        LmdbStore.open(tmp_path / "file")


@pytest.mark.parametrize("content", [b"x", b"not a database" * 1000, bytes(100_000)])
def test_a_file_that_is_not_lmdb_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.mdb").write_bytes(content)
    with pytest.raises(StoreError, match="cannot open"):
        LmdbStore.open(tmp_path)
    assert (tmp_path / "data.mdb").read_bytes() == content


def test_the_data_of_another_program_is_refused(tmp_path: Path) -> None:
    with lmdb.open(str(tmp_path)) as environment, environment.begin(write=True) as txn:
        txn.put(b"key", b"value")
    with pytest.raises(StoreError, match="another program"):
        LmdbStore.open(tmp_path)


def test_a_format_of_the_future_is_refused(tmp_path: Path) -> None:
    run_on(tmp_path, b"1")
    with lmdb.open(str(tmp_path)) as environment, environment.begin(write=True) as txn:
        txn.put(b"\xffformat", b"wardgate lmdb 2")
    with pytest.raises(StoreError, match="format"):
        LmdbStore.open(tmp_path)


@pytest.mark.parametrize("pages", [2, 3, 5, 100, 300])
def test_a_file_that_was_cut_short_is_an_error_and_not_a_crash(tmp_path: Path, pages: int) -> None:
    """Reading beyond its end would kill the process with SIGBUS, hence a process of its own."""
    run_on(tmp_path, *(bytes(3000) for _ in range(500)))
    os.truncate(tmp_path / "data.mdb", pages * 4096)
    read_all = """
import asyncio, sys
from pathlib import Path
from wardgate.store.interface import StoreError
from wardgate.store.lmdb import LmdbStore

async def main():
    try:
        store = LmdbStore.open(Path(sys.argv[1]))
        for i in range(500):
            await store.get(f"v/{i}")
    except StoreError:
        print("StoreError")

asyncio.run(main())
"""
    reader = subprocess.run(
        [sys.executable, "-c", read_all, str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (reader.returncode, reader.stdout) == (0, "StoreError\n"), reader.stderr


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size`: writing more fails, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_when_the_disk_is_full_nothing_is_written_and_it_goes_on_with_space(tmp_path: Path) -> None:
    async def run() -> None:
        store = LmdbStore.open(tmp_path)
        revision = await store.commit({}, [Put("a", b"1")])
        with largest_file((tmp_path / "data.mdb").stat().st_size):
            outcomes = await asyncio.gather(
                *(store.commit({}, [Put("a", b"2"), Put(f"b/{i}", bytes(9000))]) for i in range(9)),
                return_exceptions=True,
            )
            for outcome in outcomes:
                assert isinstance(outcome, StoreError)
                assert "nothing was written" in str(outcome)
            assert await store.get("a") == Entry(b"1", revision)
            assert await store.revision() == revision
            assert await store.list("b/") == []
        assert await store.commit({"a": revision}, [Put("b/c", bytes(9000))]) > revision
        assert await store.list("b/") == ["c"]
        await store.close()

    asyncio.run(run())


def test_a_new_store_on_a_full_disk_is_refused(tmp_path: Path) -> None:
    with largest_file(0), pytest.raises(StoreError):
        LmdbStore.open(tmp_path)
    asyncio.run(LmdbStore.open(tmp_path).close())


def test_when_address_space_is_short_nothing_is_written_and_it_goes_on_with_more() -> None:
    """The limit holds for a whole process, hence one of its own."""
    starve = """
import asyncio, os, resource, sys, tempfile
from pathlib import Path
from wardgate.store.interface import Put, StoreError
from wardgate.store.lmdb import LmdbStore

PAGE = os.sysconf("SC_PAGE_SIZE")

async def main(path):
    store = LmdbStore.open(Path(path), map_size=16 * 4096)
    revision = await store.commit({}, [Put("a", b"1")])
    used = int(Path("/proc/self/statm").read_text().split()[0]) * PAGE
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 40_000_000, limits[1]))
    value = bytes(30_000_000)
    for _ in range(2):
        try:
            await store.commit({}, [Put("b", value)])
            print("written")
        except StoreError as error:
            print(error)
        assert (await store.get("a")).version == await store.revision() == revision
    resource.setrlimit(resource.RLIMIT_AS, limits)
    await store.commit({}, [Put("b", value)])
    assert len((await store.get("b")).value) == len(value)
    await store.close()

with tempfile.TemporaryDirectory() as path:
    asyncio.run(main(path))
"""
    process = subprocess.run(
        [sys.executable, "-c", starve], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    first, second = process.stdout.splitlines()
    assert "nothing was written" in first
    assert "nothing was written" in second


def test_after_an_error_that_lmdb_calls_fatal_the_file_is_opened_anew(tmp_path: Path) -> None:
    def fatal(write: bool = False) -> None:
        raise lmdb.PanicError("as after an I/O error on the root page")

    async def run() -> None:
        store = LmdbStore.open(tmp_path)
        revision = await store.commit({}, [Put("a", b"1")])
        for call in (
            store.revision,
            lambda: store.get("a"),
            lambda: store.list(""),
            lambda: store.commit({"a": revision}, []),
        ):
            store._file.begin = fatal  # type: ignore[assignment]
            assert await call()
        assert await store.get("a") == Entry(b"1", revision)
        await store.close()

    asyncio.run(run())


def test_the_engines_own_records_are_not_in_the_way(tmp_path: Path) -> None:
    async def run() -> None:
        store = LmdbStore.open(tmp_path)
        await store.commit({}, [Put("\U0010ffff", b"1")])
        assert await store.list("") == ["\U0010ffff"]
        for name in "revision", "format", "\xffrevision", "\x00revision":
            assert await store.get(name.lstrip("\0")) is None
        await store.close()

    asyncio.run(run())
