"""The real `bao` command sets AppRole up, hands secret ids out, and machines log in by them."""

import json

import pytest

from tests.clients.conftest import Bao


@pytest.fixture
def role(bao: Bao, name: str) -> str:
    """The path of a role of the test's own."""
    bao("auth", "enable", f"-path={name}", "approle")
    path = f"auth/{name}/role/ci"
    said = bao("write", path, "token_policies=web,db", "token_ttl=20m", "secret_id_num_uses=2")
    assert f"Success! Data written to: {path}" in said
    return path


def _login(bao: Bao, role: str, secret_id: str) -> list[str]:
    """The words of a login; the secret id comes from standard input."""
    role_id = bao("read", "-field=role_id", f"{role}/role-id").strip()
    mount = role.partition("/role/")[0]
    return ["write", f"{mount}/login", f"role_id={role_id}", "secret_id=-"]


def test_a_machine_logs_in_as_often_as_its_secret_id_says(bao: Bao, role: str) -> None:
    secret_id = bao("write", "-f", "-field=secret_id", f"{role}/secret-id").strip()
    machine = bao.carrying("")
    words = _login(bao, role, secret_id)
    for _ in range(2):
        auth = machine.json(*words, stdin=secret_id)["auth"]
        assert auth["policies"] == ["db", "default", "web"]
        assert auth["lease_duration"] == 1200
        assert auth["metadata"] == {"role_name": "ci"}
    said = machine.refused(*words, stdin=secret_id)
    assert "invalid role or secret ID" in said
    assert secret_id not in said
    token = auth["client_token"]
    assert bao.carrying(token).json("token", "lookup")["data"]["meta"] == {"role_name": "ci"}
    assert bao.carrying(token).json("token", "renew")["auth"]["lease_duration"] == 1200


def test_a_role_is_read_listed_changed_by_property_and_deleted(bao: Bao, role: str) -> None:
    roles = role.rpartition("/")[0]
    assert bao.json("list", roles) == ["ci"]
    shown = bao.json("read", role)["data"]
    assert (shown["token_ttl"], shown["secret_id_num_uses"]) == (1200, 2)
    bao("write", f"{role}/token-ttl", "token_ttl=5m")
    assert bao.json("read", f"{role}/token-ttl")["data"] == {"token_ttl": 300}
    bao("delete", f"{role}/token-ttl")
    assert bao.json("read", role)["data"]["token_ttl"] == 0
    bao("write", f"{role}/role-id", "role_id=chosen")
    assert bao("read", "-field=role_id", f"{role}/role-id").strip() == "chosen"
    bao("delete", role)
    bao.refused("read", role)
    assert "No value found" in bao.refused("list", roles)


def test_secret_ids_are_listed_looked_up_and_destroyed(bao: Bao, role: str) -> None:
    metadata = json.dumps({"team": "x"})
    made = bao.json("write", f"{role}/secret-id", f"metadata={metadata}", "ttl=1h")["data"]
    accessor = made["secret_id_accessor"]
    assert bao.json("list", f"{role}/secret-id") == [accessor]
    path = f"{role}/secret-id-accessor"
    shown = bao.json("write", f"{path}/lookup", f"secret_id_accessor={accessor}")["data"]
    assert (shown["metadata"], shown["secret_id_ttl"]) == ({"team": "x"}, 3600)
    looked = bao.json("write", f"{role}/secret-id/lookup", "secret_id=-", stdin=made["secret_id"])
    assert looked["data"] == shown
    bao("write", f"{path}/destroy", f"secret_id_accessor={accessor}")
    machine = bao.carrying("")
    machine.refused(*_login(bao, role, made["secret_id"]), stdin=made["secret_id"])
    bao.refused("list", f"{role}/secret-id")


def test_a_custom_secret_id_logs_in(bao: Bao, role: str) -> None:
    bao("write", f"{role}/custom-secret-id", "secret_id=-", stdin="a secret of my own")
    machine = bao.carrying("")
    words = _login(bao, role, "")
    assert machine.json(*words, stdin="a secret of my own")["auth"]["client_token"]


def test_a_wrapped_secret_id_goes_through_other_hands_unseen(bao: Bao, role: str) -> None:
    wrapping = bao("write", "-f", "-wrap-ttl=60s", "-field=wrapping_token", f"{role}/secret-id")
    machine = bao.carrying("")
    secret_id = machine.carrying(wrapping.strip())("unwrap", "-field=secret_id").strip()
    assert machine.json(*_login(bao, role, secret_id), stdin=secret_id)["auth"]["client_token"]
    machine.carrying(wrapping.strip()).refused("unwrap")


def test_a_login_is_wrapped(bao: Bao, role: str) -> None:
    secret_id = bao("write", "-f", "-field=secret_id", f"{role}/secret-id").strip()
    write, *rest = _login(bao, role, secret_id)
    machine = bao.carrying("")
    wrapped = machine(write, "-wrap-ttl=60s", "-field=wrapping_token", *rest, stdin=secret_id)
    auth = machine.carrying(wrapped.strip()).json("unwrap")["auth"]
    assert auth["token_policies"] == ["db", "default", "web"]


def test_tidying_is_accepted(bao: Bao, role: str) -> None:
    mount = role.partition("/role/")[0]
    bao("write", "-f", f"{mount}/tidy/secret-id")
