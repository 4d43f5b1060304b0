"""`wardgate` sets AppRole up, and a machine logs in with a secret id that nobody else has seen."""

import json
from pathlib import Path

import pytest

from tests.clients.shell import Shell
from tests.servers import ROOT_TOKEN, Server


@pytest.fixture
def root(server: Server, tmp_path: Path) -> Shell:
    return Shell(tmp_path, server.address, {"VAULT_TOKEN": ROOT_TOKEN})


@pytest.fixture
def machine(server: Server, tmp_path: Path) -> Shell:
    """A shell without a token."""
    home = tmp_path / "machine"
    home.mkdir()
    return Shell(home, server.address)


@pytest.fixture
def mount(root: Shell, name: str) -> str:
    """The path of an AppRole mount with a role called `ci`."""
    root.ok("auth", "enable", f"-path={name}", "approle")
    root.ok("write", f"auth/{name}/role/ci", "token_policies=default", "secret_id_num_uses=1")
    return f"auth/{name}"


def test_a_machine_logs_in_with_what_it_unwraps(root: Shell, machine: Shell, mount: str) -> None:
    role_id = root.ok("read", "-field=role_id", f"{mount}/role/ci/role-id").strip()
    path = f"{mount}/role/ci/secret-id"
    wrapping = root.ok("write", "-f", "-wrap-ttl=1m", "-field=wrapping_token", path)
    secret_id = machine.ok("unwrap", "-field=secret_id", "-", stdin=wrapping).strip()
    # The secret id comes from stdin and the token goes into the file: neither is ever in argv.
    words = ("write", f"{mount}/login", f"role_id={role_id}", "secret_id=-")
    token = machine.ok("write", "-field=token", *words[1:], stdin=secret_id).strip()
    machine.ok("login", "-no-print", "-", stdin=token)
    assert machine.ok("token", "lookup", "-field=path").strip() == f"{mount}/login"

    again = machine.run(*words, stdin=secret_id)
    assert again.returncode == 2
    assert "invalid role or secret ID" in again.stderr
    assert secret_id not in again.stderr
    assert machine.run("unwrap", "-", stdin=wrapping).returncode == 2


def test_roles_and_secret_ids_are_managed(root: Shell, mount: str) -> None:
    role = f"{mount}/role/ci"
    assert root.ok("list", "-format=json", f"{mount}/role").split() == ["[", '"ci"', "]"]
    root.ok("write", f"{role}/token-ttl", "token_ttl=5m")
    assert root.ok("read", "-field=token_ttl", f"{role}/token-ttl").strip() == "300"
    made = json.loads(root.ok("write", "-f", "-format=json", f"{role}/secret-id"))["data"]
    accessor = made["secret_id_accessor"]
    assert accessor in root.ok("list", f"{role}/secret-id")
    words = ("write", f"{role}/secret-id-accessor/lookup", f"secret_id_accessor={accessor}")
    shown = root.ok(*words)
    assert accessor in shown
    assert made["secret_id"] not in shown
    root.ok("write", f"{role}/secret-id-accessor/destroy", f"secret_id_accessor={accessor}")
    assert root.run(*words).returncode == 2
    root.ok("delete", role)
    assert root.run("read", role).returncode == 2
