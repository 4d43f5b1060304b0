"""The directory with the data: who may read it, and what happens when it is not what it should be."""

import asyncio
import contextlib
import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from tests.api import Api, tcp
from tests.server_process import (
    MEMORY_STORAGE,
    initialise,
    lmdb_storage,
    plain_listener,
    refused,
    serving,
    unseal,
    write_config,
)
from tests.servers import free_port
from wardgate.store.interface import Put
from wardgate.store.lmdb import LmdbStore


def test_only_its_owner_may_read_the_data(tmp_path: Path) -> None:
    data, port = tmp_path / "new" / "data", free_port()
    config = write_config(tmp_path, lmdb_storage(data), plain_listener(port))
    before = os.umask(0)  # what the server inherits does not matter
    try:
        with serving(config, folder=tmp_path), Api(tcp(port)) as api:
            unseal(api, initialise(api))
            modes = {
                path.name: stat.S_IMODE(path.stat().st_mode) for path in [data, *data.iterdir()]
            }
    finally:
        os.umask(before)

    assert modes == {"data": 0o700, "data.mdb": 0o600, "lock.mdb": 0o600}


def _garbage(data: Path) -> None:
    (data / "data.mdb").write_bytes(b"This is no data file. " * 1000)


def _zeros(data: Path) -> None:
    (data / "data.mdb").write_bytes(bytes(100_000))


def _database_of_another_kind(data: Path) -> None:
    with contextlib.closing(sqlite3.connect(data / "data.mdb")) as database:
        database.execute("CREATE TABLE somebody (name)")


def _another_program(data: Path) -> None:
    with lmdb.open(str(data)) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"somebody", b"else")


def _newer_version(data: Path) -> None:
    with lmdb.open(str(data)) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"\xffformat", b"wardgate lmdb 999")


def _directory(data: Path) -> None:
    (data / "data.mdb").mkdir()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_garbage, "cannot open the data file in"),
        (_zeros, "cannot open the data file in"),
        (_database_of_another_kind, "cannot open the data file in"),
        (_another_program, "belongs to another program; choose an empty directory"),
        (_newer_version, "a format that this version of Wardgate does not know"),
        (_directory, "cannot open the data file in"),
    ],
)
def test_what_is_no_data_of_ours_is_left_alone(
    tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    spoil(data)
    file = data / "data.mdb"
    content = file.read_bytes() if file.is_file() else None
    config = write_config(tmp_path, lmdb_storage(data), plain_listener(free_port()))

    said = refused(config, folder=tmp_path)

    assert message in said
    assert said.count("\n") == 1
    assert content is None or file.read_bytes() == content


def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    config = write_config(tmp_path, lmdb_storage(tmp_path / "data"), plain_listener(free_port()))

    assert "cannot open the data file in" in refused(config, folder=tmp_path)


def test_a_data_file_cut_short_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"

    async def fill() -> None:
        store = LmdbStore.open(data)
        await store.commit({}, [Put(f"key/{number}", bytes(1000)) for number in range(200)])
        await store.close()

    asyncio.run(fill())
    os.truncate(data / "data.mdb", 100_000)
    config = write_config(tmp_path, lmdb_storage(data), plain_listener(free_port()))

    assert "Error: cannot use the data file in" in refused(config, folder=tmp_path)


def test_a_dev_server_does_not_open_what_a_real_one_has_initialised(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    config = write_config(tmp_path, lmdb_storage(data), plain_listener(port))
    with serving(config, folder=tmp_path), Api(tcp(port)) as api:
        initialise(api)

    dev = ["-dev", f"-dev-listen-address=127.0.0.1:{port}", f"--data={data}"]
    assert "is not a dev server; start it with -config" in refused(*dev, folder=tmp_path)


def test_a_second_server_on_the_same_port_is_refused(tmp_path: Path) -> None:
    port = free_port()
    config = write_config(tmp_path, MEMORY_STORAGE, plain_listener(port))
    with serving(config, folder=tmp_path), Api(tcp(port)) as api:
        (tmp_path / "second").mkdir()

        said = refused(config, folder=tmp_path / "second")

        assert said.startswith(f"Error: cannot listen on 127.0.0.1:{port}: ")
        assert said.count("\n") == 1
        assert api.get("sys/seal-status").status == 200
