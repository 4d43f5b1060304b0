"""A full disk: writes are refused as a whole, reads go on, and writes do when there is room again."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api import Answer, Api, tcp
from tests.server_process import (
    ServerProcess,
    initialise,
    lmdb_storage,
    plain_listener,
    serving,
    unseal,
    write_config,
)
from tests.servers import free_port

REFUSED = Answer(503, {"errors": ["the storage could not take the write; try again"]})
LARGE = "x" * 200_000
Limit = Callable[[ServerProcess, bool], None]
"""Fills the disk, or makes room again."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB. Only root can make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "wardgate-test", str(disk)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here: run as root to test a full one")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    def limit(server: ServerProcess, full: bool) -> None:
        if not server.alive:
            return
        # No page of the data can be written, and the system's answer is another than for a full disk.
        most = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (4096 if full else most, most))

    check_full_disk(tmp_path, tmp_path / "data", limit)


def test_a_full_file_system(tmp_path: Path, small_disk: Path) -> None:
    filler = small_disk / "filler"

    def fill(_: ServerProcess, full: bool) -> None:
        if not full:
            filler.unlink()
            return
        room = os.statvfs(small_disk)
        filler.write_bytes(bytes(room.f_bavail * room.f_bsize))

    check_full_disk(tmp_path, small_disk / "data", fill)


def check_full_disk(folder: Path, data: Path, limit: Limit) -> None:
    port = free_port()
    config = write_config(folder, lmdb_storage(data), plain_listener(port))
    with serving(config, folder=folder) as server, Api(tcp(port)) as api:
        keys = initialise(api)
        unseal(api, keys)
        assert api.post("sys/mounts/kv", {"type": "kv", "options": {"version": "2"}}).status == 204
        assert write(api, "before").status == 200

        limit(server, True)
        # What LMDB has free inside of its file may still be used, but not for long.
        answers = [write(api, "full") for _ in range(20)]
        written = answers.index(REFUSED)
        assert all(answer.status == 200 for answer in answers[:written])
        assert answers[written:] == [REFUSED] * (len(answers) - written)
        assert api.get("kv/data/before").data["data"] == {"filler": LARGE}
        assert api.get("auth/token/lookup-self").status == 200
        assert api.get("sys/health").status == 200
        accessors = api.names("auth/token/accessors")
        assert api.post("sys/mounts/other", {"type": "kv", "description": LARGE}) == REFUSED
        made = api.post("auth/token/create", {"meta": {"filler": LARGE}})
        assert made == REFUSED

        limit(server, False)
        assert api.names("auth/token/accessors") == accessors
        assert "other/" not in api.get("sys/mounts").data
        assert write(api, "full").data["version"] == written + 1
        assert write(api, "after").status == 200

        limit(server, True)
        assert server.stop() == 0
        assert "Traceback" not in server.log
        limit(server, False)

    with serving(config, folder=folder), Api(tcp(port), api.token) as again:
        unseal(again, keys)
        for path in ("before", "full", "after"):
            assert again.get(f"kv/data/{path}").data["data"] == {"filler": LARGE}
        assert again.get("kv/metadata/full").data["current_version"] == written + 1


def write(api: Api, path: str) -> Answer:
    return api.post(f"kv/data/{path}", {"data": {"filler": LARGE}})
