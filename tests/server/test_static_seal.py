"""Servers that unseal by themselves with a key beside their configuration."""

import contextlib
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api import Api, tcp
from tests.server_process import (
    ServerProcess,
    lmdb_storage,
    plain_listener,
    refused,
    serving,
    when_unsealed,
    write_config,
)
from tests.servers import free_port


class Machine:
    """A folder with data and keys, over which servers come and go on one port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.api = Api(tcp(self.port))

    def close(self) -> None:
        self.api.close()

    def key(self, name: str, content: bytes | None = None) -> Path:
        file = self.folder / name
        if not file.exists():
            file.write_bytes(content or os.urandom(32))
            file.chmod(0o400)
        return file

    def config(self, seal: str | None = None, *more: str) -> str:
        seal = seal or self.static("one")
        storage = lmdb_storage(self.folder / "data")
        return write_config(self.folder, storage, plain_listener(self.port), seal, *more)

    def config_like(self, other: "Machine") -> str:
        """That of a server over the data of `other`."""
        storage = lmdb_storage(other.folder / "data")
        return write_config(self.folder, storage, plain_listener(self.port), other.static("one"))

    def static(self, current: str, previous: str = "") -> str:
        lines = f'current_key_id = "{current}" current_key = "file://{self.key(current)}"'
        if previous:
            lines += f' previous_key_id = "{previous}" previous_key = "file://{self.key(previous)}"'
        return f'seal "static" {{ {lines} }}'

    @contextlib.contextmanager
    def serving(self, seal: str | None = None) -> Iterator[ServerProcess]:
        with serving(self.config(seal), folder=self.folder) as process:
            yield process
        self.api.close()

    def initialise(self) -> list[str]:
        answer = self.api.call("PUT", "sys/init", {"recovery_shares": 3, "recovery_threshold": 2})
        assert answer.status == 200, answer
        assert answer.body["keys"] == []
        self.api.token = answer.body["root_token"]
        assert self.api.post("sys/mounts/kv", {"type": "kv"}).status == 204
        assert self.api.post("kv/a", {"a": 1}).status == 204
        keys: list[str] = answer.body["recovery_keys"]
        return keys

    def has_its_data(self) -> bool:
        answer = when_unsealed(self.api, "kv/a")
        return answer.status == 200 and answer.data == {"a": 1}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with contextlib.closing(Machine(tmp_path)) as machine:
        yield machine


def test_it_is_unsealed_whenever_it_starts(machine: Machine) -> None:
    with machine.serving() as process:
        assert machine.api.get("sys/health").status == 501
        machine.initialise()
        process.kill()
    machine.api.close()
    for _ in range(2):
        with machine.serving():
            assert machine.has_its_data()


def test_it_stays_sealed_when_somebody_has_sealed_it(machine: Machine) -> None:
    with machine.serving() as process:
        keys = machine.initialise()
        assert machine.api.call("PUT", "sys/seal").status == 204
        process.send(signal.SIGHUP)
        assert machine.api.get("sys/health").status == 503
        for key in keys[1:]:
            machine.api.call("PUT", "sys/unseal", {"key": key})
        assert machine.has_its_data()
        assert machine.api.call("PUT", "sys/seal").status == 204
    with machine.serving():
        assert machine.has_its_data()


def test_a_reload_does_not_seal_it(machine: Machine) -> None:
    with machine.serving() as process:
        machine.initialise()
        process.send(signal.SIGHUP)
        assert machine.has_its_data()
        assert process.alive


def test_keys_change_by_way_of_the_previous_one(machine: Machine) -> None:
    with machine.serving():
        machine.initialise()
    with machine.serving(machine.static("two", previous="one")) as process:
        process.wait_for_log("stored under the seal's new key")
        assert machine.has_its_data()
    with machine.serving(machine.static("two")):
        assert machine.has_its_data()


def test_a_wrong_key_leaves_it_sealed_and_says_so(machine: Machine) -> None:
    with machine.serving():
        keys = machine.initialise()
    wrong = machine.key("wrong")
    for seal, reason in [
        (machine.static("two"), "set previous_key and previous_key_id"),
        (
            f'seal "static" {{ current_key_id = "one" current_key = "file://{wrong}" }}',
            "the key of this id is not the one",
        ),
    ]:
        with machine.serving(seal) as process:
            process.wait_for_log(reason)
            assert machine.api.get("sys/health").status == 503
            status = machine.api.get("sys/seal-backend-status", "").body
            assert (status["healthy"], status["backends"][0]["name"]) == (False, "static")
            for key in keys[:2]:
                answer = machine.api.call("PUT", "sys/unseal", {"key": key})
            assert answer.status == 503
            assert "log" in answer.body["errors"][0]
            assert machine.api.get("sys/health").status == 503
            assert "Traceback" not in process.log
    with machine.serving():
        assert machine.has_its_data()


def test_it_does_not_start_without_its_key_file(machine: Machine) -> None:
    config = machine.config()
    machine.key("one").unlink()
    said = refused(config, folder=machine.folder)
    assert 'seal "static": current_key: the key file cannot be read' in said


def test_a_server_does_not_start_over_data_of_another_kind_of_seal(machine: Machine) -> None:
    with machine.serving('seal "shamir" {}'):
        answer = machine.api.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        assert answer.status == 200
    said = refused(machine.config(), folder=machine.folder)
    assert "this storage was initialised with another kind of seal than static" in said


def test_two_processes_come_up_over_one_directory(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    with (
        contextlib.closing(Machine(folder)) as other,
        machine.serving() as one,
        serving(other.config_like(machine), folder=folder) as two,
    ):
        machine.initialise()
        other.api.token = machine.api.token
        two.wait_for_log("unsealed by the static seal")
        assert other.has_its_data()
        one.kill()
        assert other.api.post("kv/b", {"b": 1}).status == 204
    machine.api.close()
    with machine.serving():
        assert machine.api.get("kv/b").data == {"b": 1}


def test_nothing_secret_is_logged_and_nobody_else_may_read_the_data(machine: Machine) -> None:
    key = machine.key("one")
    with machine.serving() as process:
        shares = machine.initialise()
        machine.api.call("PUT", "sys/seal")
        for share in shares:
            machine.api.call("PUT", "sys/unseal", {"key": share})
        said = process.log + process.output
        for file in (machine.folder / "data").iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
        assert stat.S_IMODE((machine.folder / "data").stat().st_mode) == 0o700
    for secret in (*shares, machine.api.token, key.read_bytes().hex()):
        assert secret not in said
