"""Keys of seals and self-initialising servers (security cases 42, 47 and 49)."""

import asyncio
import os
import stat
from pathlib import Path

import pytest

from tests.api import Api, unix
from tests.clock import ManualClock
from tests.node import NodeUnderTest, errors, share
from tests.server_process import lmdb_storage, serving, write_config
from tests.unit.barrier.keeper import Keeper
from wardgate.barrier.auto_seal import AutoSeal
from wardgate.core.settings import Settings
from wardgate.server.node import Node
from wardgate.store.memory import MemoryStore

SECRET = "hunter2-Zq9-correct-horse"


def test_49_every_file_of_a_running_server_is_for_its_owner_only(tmp_path: Path) -> None:
    """Even when it was started with a umask that lets everybody in."""
    key = tmp_path / "key"
    key.write_bytes(os.urandom(32))
    config = write_config(
        tmp_path,
        lmdb_storage(tmp_path / "data"),
        f'listener "unix" {{ address = "{tmp_path}/socket" }}',
        f'seal "static" {{ current_key_id = "a" current_key = "file://{key}" }}',
        f'pid_file = "{tmp_path}/pid"',
    )
    old = os.umask(0)
    try:
        with serving(config, folder=tmp_path), Api(unix(tmp_path / "socket")) as api:
            assert api.call("PUT", "sys/init", {"recovery_shares": 1}).status == 200
            made = [tmp_path / "socket", tmp_path / "pid", *(tmp_path / "data").iterdir()]
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in made}
            assert modes == dict.fromkeys(modes, 0o600)
            assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    finally:
        os.umask(old)


def test_42_neither_log_nor_process_list_shows_what_an_initialisation_is_given(
    tmp_path: Path,
) -> None:
    (tmp_path / "password").write_text(SECRET)
    config = write_config(
        tmp_path,
        lmdb_storage(tmp_path / "data"),
        f'listener "unix" {{ address = "{tmp_path}/socket" }}',
        f'seal "static" {{ current_key_id = "a" current_key = "{"5a" * 32}" }}',
        f"""
        initialize "a" {{
          request "mount" {{
            operation = "update"
            path = "sys/auth/userpass"
            data = {{ type = "userpass" description = "{SECRET}" }}
          }}
          request "refused" {{
            operation = "update"
            path = "auth/userpass/users/ada"
            allow_failure = true
            data = {{
              password = {{ eval_source = "file" eval_type = "string"
                path = "{tmp_path}/password" }}
              token_ttl = "{SECRET}"
            }}
          }}
        }}
        """,
    )
    arguments = (config, "-log-level=trace")
    with serving(*arguments, folder=tmp_path) as process, Api(unix(tmp_path / "socket")) as api:
        process.wait_for_log("initialised by the configuration")
        assert api.get("sys/health").status == 200
        said = process.log + process.output
        said += Path(f"/proc/{process.pid}/cmdline").read_text()
    assert "was refused, which is allowed: 400" in said
    for secret in (SECRET, "5a5a5a5a"):
        assert secret not in said


@pytest.mark.parametrize(
    "body",
    [
        {"recovery_shares": 10**30, "recovery_threshold": 2},
        {"recovery_shares": [1], "recovery_threshold": {}},
        {"recovery_shares": 1.5},
        {"recovery_pgp_keys": ["x"] * 1000, "recovery_shares": 1000, "recovery_threshold": 2},
        {"recovery_shares": 255, "recovery_threshold": 256},
    ],
)
def test_47_impossible_initialisations_are_refused_and_do_nothing(body: dict[str, object]) -> None:
    async def run() -> None:
        store, clock = MemoryStore(), ManualClock()
        node = Node(store, Settings(), clock, wrapper=Keeper())
        server = NodeUnderTest(node, store, clock, [])
        assert (await server.write("sys/init", body, token="")).status == 400
        assert await store.revision() == 0

    asyncio.run(run())


def test_47_recovery_keys_of_strangers_are_bounded_and_open_nothing() -> None:
    async def run() -> None:
        store, clock, keeper = MemoryStore(), ManualClock(), Keeper()
        node = Node(store, Settings(), clock, wrapper=keeper)
        assert isinstance(node.seal, AutoSeal)
        server = NodeUnderTest(node, store, clock, [])
        made = await server.write("sys/init", {"recovery_shares": 5, "recovery_threshold": 3})
        keys = [bytes.fromhex(key) for key in made.data["recovery_keys"]]
        node.barrier.seal()
        asked = keeper.asked
        for number in range(1, 200):
            stranger = os.urandom(32) + bytes((number,))
            answer = await server.write("sys/unseal", {"key": share(stranger)}, token="")
            if answer.status == 400:
                assert share(stranger) not in errors(answer)[0]
            assert node.seal.progress.progress < 3
        assert node.barrier.sealed
        assert keeper.asked - asked <= 200 // 3
        await server.write("sys/unseal", {"reset": True}, token="")
        for key in keys[2:]:
            last = await server.write("sys/unseal", {"key": share(key)}, token="")
        assert last.data["sealed"] is False

    asyncio.run(run())
