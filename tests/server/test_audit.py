"""Audit devices of a real server: from its configuration, reloaded, and shared by two processes."""

import json
import os
import resource
import signal
import subprocess
import threading
import time
from pathlib import Path

from tests.api import Api, tcp
from tests.audit import of_path, records, written
from tests.server_process import (
    MEMORY_STORAGE,
    WAIT,
    initialise,
    lmdb_storage,
    plain_listener,
    refused,
    serving,
    unseal,
    write_config,
)
from tests.servers import free_port


def device(name: str, path: Path, more: str = "") -> str:
    """A file device in the configuration."""
    return f'audit "file" "{name}" {{ {more} options {{ file_path = "{path}" }} }}'


def shown(api: Api) -> list[str]:
    return sorted(api.get("sys/audit").data)


def test_devices_of_the_configuration_come_and_go_with_it(tmp_path: Path) -> None:
    port = free_port()
    storage, listener = lmdb_storage(tmp_path / "data"), plain_listener(port)
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    flag = write_config(tmp_path, storage, listener, device("one", one, 'description = "first"'))
    with serving(flag, folder=tmp_path) as process, Api(tcp(port)) as api:
        unseal(api, initialise(api))
        assert api.get("sys/audit").data["one/"] == {
            "description": "first",
            "local": False,
            "options": {"file_path": str(one)},
            "path": "one/",
            "type": "file",
        }
        assert of_path(one, "sys/audit")
        assert one.stat().st_mode & 0o777 == 0o600
        body = {"type": "file", "options": {"file_path": str(two)}}
        refusal = api.post("sys/audit/two", body)
        assert refusal.status == 400
        assert "via API" in refusal.body["errors"][0]
        write_config(tmp_path, storage, listener, device("two", two))
        process.send(signal.SIGHUP)
        process.wait_for_log("two/ (file) is as the configuration has it")
        assert shown(api) == ["two/"]
        write_config(tmp_path, storage, listener, 'audit "nonsense" "two" {}')
        process.send(signal.SIGHUP)
        process.wait_for_log("the configuration stays as it was")
        assert shown(api) == ["two/"]
        write_config(tmp_path, storage, listener, device("one", one))
        assert api.post("sys/config/reload/config", {}).status == 204
        assert shown(api) == ["one/"], "the call does what the signal does"
        write_config(tmp_path, storage, listener, device("two", two))
        process.send(signal.SIGHUP)
        process.wait_for_log("two/ (file) is as the configuration has it", 2)
    assert all(record["request"]["path"] != "sys/seal" for record in records(two))


def test_mistakes_in_the_configuration_are_named(tmp_path: Path) -> None:
    base = (MEMORY_STORAGE, plain_listener(free_port()))
    for block, problem in (
        ('audit "nothing" "a" { }', 'audit "nothing" "a": unknown backend type'),
        ('audit "file" "a" { }', 'audit "file" "a": file_path is required'),
        ('audit "file" { options { file_path = "discard" } path = "" }', "needs a name"),
        ('audit_directory = "relative"', "audit_directory: must be an absolute path"),
        (
            'audit "file" "a" { options { file_path = "discard" prefix = "x" } }',
            "audit log prefixing is not allowed",
        ),
        (
            'audit "file" "a" { options { file_path = "discard" } }\n'
            'audit "file" "a/b" { options { file_path = "discard" } }',
            "has the same path as another audit device",
        ),
    ):
        assert problem in refused(write_config(tmp_path, *base, block), folder=tmp_path)


def test_hangup_begins_a_moved_file_anew(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "audit.log"
    flag = write_config(tmp_path, MEMORY_STORAGE, plain_listener(port), device("one", log))
    with serving(flag, folder=tmp_path) as process, Api(tcp(port)) as api:
        unseal(api, initialise(api))
        api.get("sys/mounts")
        log.rename(tmp_path / "audit.log.1")
        process.send(signal.SIGHUP)
        deadline = time.monotonic() + WAIT
        while not log.exists():
            api.get("sys/mounts")
            assert time.monotonic() < deadline
        assert of_path(log, "sys/mounts")


def test_stdout_is_a_device(tmp_path: Path) -> None:
    port = free_port()
    flag = write_config(
        tmp_path, MEMORY_STORAGE, plain_listener(port), device("out", Path("stdout"))
    )
    with serving(flag, folder=tmp_path) as process, Api(tcp(port)) as api:
        unseal(api, initialise(api))
        api.get("sys/mounts")
        lines = [line for line in process.output.splitlines() if line.startswith("{")]
        assert [json.loads(line)["type"] for line in lines[-2:]] == ["request", "response"]


def test_two_processes_write_whole_lines_to_one_file(tmp_path: Path) -> None:
    first, second, log = tmp_path / "first", tmp_path / "second", tmp_path / "audit.log"
    storage, ports = lmdb_storage(tmp_path / "data"), (free_port(), free_port())
    flags = []
    for folder, port in zip((first, second), ports, strict=True):
        folder.mkdir()
        flags.append(write_config(folder, storage, plain_listener(port), device("one", log)))
    with (
        serving(flags[0], folder=first),
        serving(flags[1], folder=second),
        Api(tcp(ports[0])) as one,
        Api(tcp(ports[1])) as other,
    ):
        keys = initialise(one)
        other.token = one.token
        for api in (one, other):
            unseal(api, keys)

        def ask(port: int, path: str) -> None:
            with Api(tcp(port), one.token) as api:
                for _ in range(200):
                    assert api.get(path).status == 200

        workers = [
            threading.Thread(target=ask, args=(port, path))
            for port in ports
            for path in ("sys/mounts", "sys/auth")
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert len(of_path(log, "sys/mounts")) == len(of_path(log, "sys/auth")) == 800


def test_file_that_may_grow_no_more_refuses_requests_until_it_may(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "audit.log"
    flag = write_config(tmp_path, MEMORY_STORAGE, plain_listener(port), device("one", log))
    with serving(flag, folder=tmp_path) as process, Api(tcp(port)) as api:
        unseal(api, initialise(api))
        assert api.get("sys/mounts").status == 200
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        limit = (log.stat().st_size + 1000, resource.RLIM_INFINITY)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limit)
        refusal = api.post("sys/policies/acl/new", {"policy": 'path "a" { }'})
        assert refusal.status == 500
        assert "audit" in refusal.body["errors"][0]
        process.wait_for_log("audit device one/ is failing: File too large")
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)
        assert api.get("sys/policies/acl/new").status == 404
        process.wait_for_log("audit device one/ writes again")
        lines = written(log).splitlines()
        torn = [line for line in lines if not line.endswith("}")]
        assert len(torn) <= 1
        assert json.loads(lines[-1])["request"]["path"] == "sys/policies/acl/new"


def test_full_file_system_refuses_requests(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        return _without_mounting(tmp_path)
    try:
        _fill(tmp_path, small / "audit.log")
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
    return None


def _without_mounting(folder: Path) -> None:
    """Where no file system may be mounted, the device that is always full stands in for one."""
    port = free_port()
    flag = write_config(
        folder, MEMORY_STORAGE, plain_listener(port), device("one", Path("/dev/full"))
    )
    with serving(flag, folder=folder), Api(tcp(port)) as api:
        unseal(api, initialise(api))
        assert api.get("sys/mounts").status == 500


def _fill(folder: Path, log: Path) -> None:
    port = free_port()
    flag = write_config(folder, MEMORY_STORAGE, plain_listener(port), device("one", log))
    with serving(flag, folder=folder) as process, Api(tcp(port)) as api:
        unseal(api, initialise(api))
        statuses = [api.get("sys/mounts").status for _ in range(60)]
        assert statuses[0] == 200
        assert statuses[-1] == 500
        process.wait_for_log("No space left on device")
        os.truncate(log, 0)
        assert api.get("sys/mounts").status == 200
