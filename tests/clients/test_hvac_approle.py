"""hvac's AppRole class, every call of it."""

from collections.abc import Callable, Iterator
from typing import Any

import hvac
import pytest
from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest, VaultError

Connect = Callable[[str], hvac.Client]


@pytest.fixture
def approle(client: hvac.Client) -> Any:
    """hvac's class, as root. Untyped, as hvac's own types lack half of it."""
    return client.auth.approle


@pytest.fixture
def mount(client: hvac.Client, name: str) -> Iterator[str]:
    """The path of an AppRole mount of the test's own."""
    system: Any = client.sys
    system.enable_auth_method("approle", path=name)
    yield name
    system.disable_auth_method(name)


@pytest.fixture
def role_id(approle: Any, mount: str) -> str:
    """The id of a role called `ci`."""
    approle.create_or_update_approle("ci", token_policies=["web"], mount_point=mount)
    found: str = approle.read_role_id("ci", mount_point=mount)["data"]["role_id"]
    return found


def test_a_role_is_written_read_listed_and_deleted(approle: Any, mount: str) -> None:
    written = approle.create_or_update_approle(
        "CI",
        bind_secret_id=True,
        secret_id_bound_cidrs=["127.0.0.0/8"],
        secret_id_num_uses=10,
        secret_id_ttl="10m",
        token_ttl="20m",
        token_max_ttl="30m",
        token_policies=["web", "db"],
        token_bound_cidrs=["127.0.0.0/8"],
        token_explicit_max_ttl="40m",
        token_no_default_policy=True,
        token_num_uses=5,
        token_period="5m",
        token_type="service",
        mount_point=mount,
    )
    assert written.status_code == 204
    role = approle.read_role("ci", mount_point=mount)["data"]
    assert sorted(role["token_policies"]) == ["db", "web"]
    assert (role["secret_id_num_uses"], role["secret_id_ttl"]) == (10, 600)
    assert (role["token_ttl"], role["token_max_ttl"], role["token_period"]) == (1200, 1800, 300)
    assert role["token_no_default_policy"] is True
    approle.create_or_update_approle("ci", token_num_uses=6, mount_point=mount)
    changed = approle.read_role("ci", mount_point=mount)["data"]
    assert changed == {**role, "token_num_uses": 6}
    approle.create_or_update_approle("other", mount_point=mount)
    assert approle.list_roles(mount_point=mount)["data"]["keys"] == ["ci", "other"]
    assert approle.delete_role("ci", mount_point=mount).status_code == 204
    with pytest.raises(InvalidPath):
        approle.read_role("ci", mount_point=mount)


def test_a_role_id_is_read_and_changed(approle: Any, mount: str, role_id: str) -> None:
    assert len(role_id) == 36
    assert approle.update_role_id("ci", f"{mount}-id", mount_point=mount).status_code == 204
    shown = approle.read_role_id("ci", mount_point=mount)["data"]
    assert shown == {"role_id": f"{mount}-id"}


def test_a_secret_id_logs_in(approle: Any, connect: Connect, mount: str, role_id: str) -> None:
    made = approle.generate_secret_id("ci", metadata={"team": "x"}, mount_point=mount)["data"]
    machine = connect("")
    login: Any = machine.auth.approle.login(role_id, made["secret_id"], mount_point=mount)
    assert login["auth"]["policies"] == ["default", "web"]
    assert login["auth"]["metadata"] == {"role_name": "ci", "team": "x"}
    assert machine.is_authenticated()
    own: Any = machine.auth.token.lookup_self()
    assert own["data"]["path"] == f"auth/{mount}/login"
    kept: Any = connect("").auth.approle
    again = kept.login(role_id, secret_id=made["secret_id"], use_token=False, mount_point=mount)
    assert again["auth"]["entity_id"] == login["auth"]["entity_id"]


def test_wrong_credentials_do_not_log_in(
    approle: Any, connect: Connect, mount: str, role_id: str
) -> None:
    made = approle.generate_secret_id("ci", mount_point=mount)["data"]
    stranger: Any = connect("").auth.approle
    for given in ((role_id, "wrong"), (mount, made["secret_id"]), (role_id, None)):
        with pytest.raises(InvalidRequest):
            stranger.login(*given, mount_point=mount)
    with pytest.raises(Forbidden):
        stranger.read_role("ci", mount_point=mount)


def test_a_role_without_secret_ids_logs_in_by_its_id(
    approle: Any, connect: Connect, mount: str, role_id: str
) -> None:
    approle.create_or_update_approle(
        "ci", bind_secret_id=False, token_bound_cidrs=["127.0.0.0/8"], mount_point=mount
    )
    machine: Any = connect("")
    assert machine.auth.approle.login(role_id, mount_point=mount)["auth"]["client_token"]


def test_a_secret_id_is_looked_up_listed_and_destroyed(
    approle: Any, mount: str, role_id: str
) -> None:
    made = approle.generate_secret_id("ci", cidr_list=["127.0.0.0/8"], mount_point=mount)["data"]
    secret_id, accessor = made["secret_id"], made["secret_id_accessor"]
    shown = approle.read_secret_id("ci", secret_id, mount_point=mount)["data"]
    assert (shown["secret_id_accessor"], shown["cidr_list"]) == (accessor, ["127.0.0.0/8"])
    assert approle.read_secret_id_accessor("ci", accessor, mount_point=mount)["data"] == shown
    listed = approle.list_secret_id_accessors("ci", mount_point=mount)["data"]["keys"]
    assert listed == [accessor]
    assert approle.destroy_secret_id("ci", secret_id, mount_point=mount).status_code == 204
    with pytest.raises(InvalidPath):
        approle.list_secret_id_accessors("ci", mount_point=mount)
    with pytest.raises(VaultError):
        approle.read_secret_id_accessor("ci", accessor, mount_point=mount)


def test_a_secret_id_is_destroyed_by_its_accessor(
    approle: Any, connect: Connect, mount: str, role_id: str
) -> None:
    made = approle.generate_secret_id("ci", mount_point=mount)["data"]
    accessor = made["secret_id_accessor"]
    gone = approle.destroy_secret_id_accessor("ci", accessor, mount_point=mount)
    assert gone.status_code == 204
    with pytest.raises(InvalidRequest):
        connect("").auth.approle.login(role_id, made["secret_id"], mount_point=mount)


def test_a_secret_id_of_ones_own(approle: Any, connect: Connect, mount: str, role_id: str) -> None:
    made = approle.create_custom_secret_id(
        "ci",
        "a secret of my own",
        metadata={"team": "y"},
        cidr_list=["127.0.0.0/8"],
        token_bound_cidrs=["127.0.0.1/32"],
        mount_point=mount,
    )["data"]
    assert made["secret_id"] == "a secret of my own"
    machine = connect("")
    login: Any = machine.auth.approle.login(role_id, "a secret of my own", mount_point=mount)
    assert login["auth"]["metadata"]["team"] == "y"
    own: Any = machine.auth.token.lookup_self()
    assert own["data"]["bound_cidrs"] == ["127.0.0.1"]


def test_a_wrapped_secret_id_is_unwrapped_once(
    approle: Any, connect: Connect, mount: str, role_id: str
) -> None:
    for wrapped in (
        approle.generate_secret_id("ci", wrap_ttl="60s", mount_point=mount),
        approle.create_custom_secret_id("ci", "mine", wrap_ttl="60s", mount_point=mount),
    ):
        assert wrapped["data"] is None
        info = wrapped["wrap_info"]
        assert info["wrapped_accessor"]
        machine: Any = connect(info["token"])
        unwrapped = machine.sys.unwrap()["data"]
        assert unwrapped["secret_id_accessor"] == info["wrapped_accessor"]
        with pytest.raises(VaultError):
            machine.sys.unwrap()
        stranger: Any = connect("")
        stranger.auth.approle.login(role_id, unwrapped["secret_id"], mount_point=mount)
        assert stranger.is_authenticated()
