"""Servers that set themselves up by what their configuration says."""

import os
import signal
from pathlib import Path

from tests.api import Api, tcp
from tests.server_process import (
    ServerProcess,
    lmdb_storage,
    plain_listener,
    refused,
    serving,
    write_config,
)
from tests.servers import free_port

SEAL = f'seal "static" {{ current_key_id = "a" current_key = "{os.urandom(32).hex()}" }}'
ADMIN = """
initialize "operators" {
  request "userpass" {
    operation = "update"
    path      = "sys/auth/userpass"
    data      = { type = "userpass" }
  }
  request "admin" {
    operation = "update"
    path      = "auth/userpass/users/admin"
    data      = {
      password       = { eval_source = "file" eval_type = "string" path = "%s" }
      token_policies = ["admin"]
    }
  }
}
"""
BAD = 'initialize "bad" { request "one" { operation = "update" path = "no/where" } }'


def config(folder: Path, port: int, *blocks: str) -> str:
    return write_config(folder, lmdb_storage(folder / "data"), plain_listener(port), SEAL, *blocks)


def test_it_is_ready_when_it_listens_and_says_nothing_secret(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse")
    port = free_port()
    flag = config(tmp_path, port, ADMIN % password)
    with serving(flag, "-log-level=debug", folder=tmp_path) as process, Api(tcp(port)) as api:
        assert api.get("sys/health").status == 200
        login = api.post("auth/userpass/login/admin", {"password": "correct horse"})
        assert login.auth["policies"] == ["admin", "default"]
        assert "initialised by the configuration; requests made: 2" in process.log
        assert "correct horse" not in process.log + process.output
    password.unlink()
    with serving(flag, folder=tmp_path) as process, Api(tcp(port)) as api:
        assert api.post("auth/userpass/login/admin", {"password": "correct horse"}).status == 200
        assert "initialised by" not in process.log


def test_what_fails_is_said_and_begins_afresh_the_next_time(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse")
    port = free_port()
    said = refused(config(tmp_path, port, ADMIN % password, BAD), folder=tmp_path)
    assert 'initialize "bad": request "one": was refused: 404' in said
    assert "correct horse" not in said
    flag = config(tmp_path, port, ADMIN % password)
    with serving(flag, folder=tmp_path) as process, Api(tcp(port)) as api:
        process.wait_for_log("initialised by the configuration; requests made: 2")
        assert api.post("auth/userpass/login/admin", {"password": "correct horse"}).status == 200


def test_killed_half_way_it_begins_afresh(tmp_path: Path) -> None:
    """A request reads its password from a pipe that nobody writes to, until the server is killed."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    port = free_port()
    process = ServerProcess([config(tmp_path, port, ADMIN % pipe)], tmp_path)
    with pipe.open("wb"):  # opens when the other end does: the first request has been made
        process.send(signal.SIGKILL)
        process.wait()
    pipe.unlink()
    pipe.write_text("correct horse")
    with (
        serving(config(tmp_path, port, ADMIN % pipe), folder=tmp_path) as again,
        Api(tcp(port)) as api,
    ):
        again.wait_for_log("initialised by the configuration; requests made: 2")
        assert api.post("auth/userpass/login/admin", {"password": "correct horse"}).status == 200
