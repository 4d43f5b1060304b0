"""hvac's identity class at a day's work: entities, aliases, groups, merging, looking up."""

from collections.abc import Callable, Iterator
from typing import Any

import hvac
import pytest
from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest

Connect = Callable[[str], hvac.Client]


@pytest.fixture
def identity(client: hvac.Client) -> Any:
    """The identity mount, as root. Untyped, as hvac's own types lack half of it."""
    return client.secrets.identity


@pytest.fixture
def mount(client: hvac.Client, name: str) -> Iterator[str]:
    """The accessor of a userpass mount with the user `ann`, whose path is `name`."""
    system: Any = client.sys
    system.enable_auth_method("userpass", path=name)
    client.auth.userpass.create_or_update_user("ann", password="a password", mount_point=name)
    yield _accessor(system, name)
    system.disable_auth_method(name)


def _accessor(system: Any, path: str) -> str:
    found: str = system.list_auth_methods()["data"][f"{path}/"]["accessor"]
    return found


def test_an_entity_is_made_read_changed_listed_and_deleted(identity: Any, name: str) -> None:
    made = identity.create_or_update_entity(name, metadata={"team": "x"}, policies=["p"])
    entity_id = made["data"]["id"]
    assert identity.read_entity(entity_id)["data"]["metadata"] == {"team": "x"}
    assert identity.read_entity_by_name(name.upper())["data"]["id"] == entity_id
    assert identity.update_entity(entity_id, policies=["q"]).status_code == 204
    identity.create_or_update_entity_by_name(name, disabled=True)
    shown = identity.read_entity(entity_id)["data"]
    assert (shown["policies"], shown["disabled"]) == (["q"], True)
    assert entity_id in identity.list_entities()["data"]["keys"]
    assert name in identity.list_entities_by_name()["data"]["keys"]
    assert identity.lookup_entity(name=name)["data"]["id"] == entity_id
    assert identity.delete_entity(entity_id).status_code == 204
    with pytest.raises(InvalidPath):
        identity.read_entity(entity_id)
    identity.create_or_update_entity_by_name(name)
    assert identity.delete_entity_by_name(name).status_code == 204


def test_an_alias_leads_a_login_to_its_entity(
    client: hvac.Client, identity: Any, mount: str, name: str
) -> None:
    entity_id = identity.create_or_update_entity(name)["data"]["id"]
    made = identity.create_or_update_entity_alias("ann", entity_id, mount)
    alias_id = made["data"]["id"]
    login = client.auth.userpass.login("ann", "a password", mount_point=name, use_token=False)
    assert login["auth"]["entity_id"] == entity_id
    assert identity.read_entity_alias(alias_id)["data"]["canonical_id"] == entity_id
    assert alias_id in identity.list_entity_aliases()["data"]["keys"]
    found = identity.lookup_entity(alias_name="ann", alias_mount_accessor=mount)
    assert found["data"]["id"] == entity_id
    other = identity.create_or_update_entity(f"{name}-other")["data"]["id"]
    identity.update_entity_alias(alias_id, "ann", other, mount)
    assert identity.lookup_entity(alias_id=alias_id)["data"]["id"] == other
    with pytest.raises(InvalidRequest):
        identity.create_or_update_entity_alias("ann", entity_id, "wrong")
    assert identity.delete_entity_alias(alias_id).status_code == 204
    for each in (entity_id, other):
        identity.delete_entity(each)


def test_a_group_gives_rights_and_takes_them_back(
    client: hvac.Client, connect: Connect, identity: Any, mount: str, name: str
) -> None:
    system: Any = client.sys
    system.create_or_update_policy(name, 'path "sys/mounts" { capabilities = ["read"] }')
    login = client.auth.userpass.login("ann", "a password", mount_point=name, use_token=False)
    ann: Any = connect(login["auth"]["client_token"])
    with pytest.raises(Forbidden):
        ann.sys.list_mounted_secrets_engines()
    inner = identity.create_or_update_group(
        name, policies=["x"], member_entity_ids=[login["auth"]["entity_id"]]
    )["data"]["id"]
    outer = identity.create_or_update_group_by_name(
        f"{name}-outer", policies=[name], member_group_ids=[inner]
    )["data"]["id"]
    assert ann.sys.list_mounted_secrets_engines()
    assert ann.auth.token.lookup_self()["data"]["identity_policies"] == [name, "x"]
    assert identity.read_group(inner)["data"]["parent_group_ids"] == [outer]
    assert identity.read_group_by_name(name)["data"]["id"] == inner
    assert {inner, outer} <= set(identity.list_groups()["data"]["keys"])
    assert name in identity.list_groups_by_name()["data"]["keys"]
    assert identity.lookup_group(name=name)["data"]["id"] == inner
    identity.update_group(inner, name, member_entity_ids=[])
    with pytest.raises(Forbidden):
        ann.sys.list_mounted_secrets_engines()
    assert identity.delete_group(outer).status_code == 204
    assert identity.delete_group_by_name(name).status_code == 204
    system.delete_policy(name)


def test_an_external_group_has_an_alias(identity: Any, mount: str, name: str) -> None:
    group_id = identity.create_or_update_group(name, group_type="external")["data"]["id"]
    alias_id = identity.create_or_update_group_alias(
        "staff", mount_accessor=mount, canonical_id=group_id
    )["data"]["id"]
    identity.update_group_alias(alias_id, "crew", mount_accessor=mount, canonical_id=group_id)
    assert identity.read_group_alias(alias_id)["data"]["name"] == "crew"
    assert alias_id in identity.list_group_aliases()["data"]["keys"]
    found = identity.lookup_group(alias_name="crew", alias_mount_accessor=mount)
    assert found["data"]["id"] == group_id
    assert identity.delete_group_alias(alias_id).status_code == 204
    assert identity.delete_group(group_id).status_code == 204


def test_entities_are_merged(identity: Any, name: str) -> None:
    one = identity.create_or_update_entity(f"{name}-1")["data"]["id"]
    two = identity.create_or_update_entity(f"{name}-2")["data"]["id"]
    assert identity.merge_entities([two], one).status_code == 204
    assert identity.read_entity(one)["data"]["merged_entity_ids"] == [two]
    with pytest.raises(InvalidPath):
        identity.read_entity(two)
    with pytest.raises(InvalidRequest):
        identity.merge_entities([two], one)
    identity.delete_entity(one)
