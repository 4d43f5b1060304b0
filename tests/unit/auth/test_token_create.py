"""Making tokens without a role: what a child may have of its parent."""

from typing import Any

import pytest

from tests.node import NodeUnderTest, errors, with_node

SUBSET = ["child policies must be subset of parent"]


async def _token(node: NodeUnderTest, capabilities: str, *policies: str, **fields: Any) -> str:
    """A token with these policies and the given capabilities on auth/token/create."""
    await node.policy(
        "maker", {"auth/token/create": capabilities, "auth/token/create-orphan": capabilities}
    )
    made = await node.token(policies=["maker", *policies], **fields)
    token: str = made["client_token"]
    return token


@with_node
async def test_a_child_has_its_parents_policies_or_some_of_them(node: NodeUnderTest) -> None:
    parent = await _token(node, "update", "a", "b")
    assert (await node.token(by=parent))["policies"] == ["a", "b", "default", "maker"]
    assert (await node.token(by=parent, policies=["A", " b"]))["policies"] == ["a", "b", "default"]
    for wish in (["c"], ["a", "c"], ["root"], [" Root"]):
        response = await node.write("auth/token/create", {"policies": wish}, token=parent)
        assert errors(response) == SUBSET


@with_node
async def test_default_can_be_left_out(node: NodeUnderTest) -> None:
    parent = await _token(node, "update", "a")
    made = await node.token(by=parent, policies=["a"], no_default_policy=True)
    assert made["policies"] == ["a"]
    made = await node.token(by=parent, policies=["a", "Default"], no_default_policy=True)
    assert made["policies"] == ["a"]
    made = await node.token(by=parent, no_default_policy=True)
    assert made["policies"] == ["a", "maker"]


@with_node
async def test_sudo_may_give_any_policy_but_root(node: NodeUnderTest) -> None:
    parent = await _token(node, "update,sudo")
    made = await node.token(by=parent, policies=["other"], id="chosen", period="1h", no_parent=True)
    assert made["policies"] == ["default", "other"]
    assert (made["client_token"], made["orphan"], made["lease_duration"]) == ("chosen", True, 3600)
    for wish in ("root", " Root", "ROOT "):
        response = await node.write("auth/token/create", {"policies": [wish]}, token=parent)
        assert errors(response) == [
            "root tokens may not be created without parent token being root"
        ]


@pytest.mark.parametrize("field", [{"id": "chosen"}, {"no_parent": True}, {"period": "1h"}])
def test_without_sudo_some_fields_are_refused(field: dict[str, Any]) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        parent = await _token(node, "update")
        message = errors(await node.write("auth/token/create", field, token=parent))[0]
        assert message.startswith("root or sudo privileges required")

    body()


@with_node
async def test_nobody_gives_the_wrapping_policy(node: NodeUnderTest) -> None:
    body = {"policies": ["Response-Wrapping"]}
    message = errors(await node.write("auth/token/create", body))
    assert message == ['cannot assign policy "response-wrapping"']


@with_node
async def test_the_fields_of_a_token_are_shown(node: NodeUnderTest) -> None:
    made = await node.token(
        policies=["default"], meta={"a": "b"}, display_name="Ada's!", ttl="1h", num_uses=7
    )
    looked = await node.ok("auth/token/lookup", {"token": made["client_token"]})
    shown = looked.data
    assert shown["meta"] == {"a": "b"}
    assert shown["display_name"] == "token-Ada-s"
    assert (shown["num_uses"], shown["path"]) == (7, "auth/token/create")
    assert shown["accessor"] == made["accessor"]


@with_node
async def test_a_kind_of_token_that_is_unknown_is_refused(node: NodeUnderTest) -> None:
    assert "token_type" in errors(await node.write("auth/token/create", {"type": "hunter2"}))[0]


@with_node
async def test_an_alias_needs_a_role_that_allows_it(node: NodeUnderTest) -> None:
    refused = await node.write("auth/token/create", {"entity_alias": "ada"})
    assert "only allowed in combination with token role" in errors(refused)[0]
    await node.ok("auth/token/roles/people", {"allowed_entity_aliases": "ada,team-*"})
    ids = {
        (await node.token(path="create/people", entity_alias=name))["entity_id"]
        for name in ("ada", "ADA")
    }
    assert len(ids) == 1
    assert (await node.token(path="create/people", entity_alias="team-x"))["entity_id"]
    body = {"entity_alias": "bob"}
    assert errors(await node.write("auth/token/create/people", body)) == [
        "invalid 'entity_alias' value"
    ]


@with_node
async def test_accessors_lead_to_tokens_without_showing_them(node: NodeUnderTest) -> None:
    made = await node.token(policies=["default"], ttl="1h")
    token, accessor = made["client_token"], made["accessor"]
    listed = await node.listing("auth/token/accessors")
    assert accessor in listed.data["keys"]
    looked = await node.ok("auth/token/lookup-accessor", {"accessor": accessor})
    assert (looked.data["id"], looked.data["accessor"]) == ("", accessor)
    renewed = await node.ok("auth/token/renew-accessor", {"accessor": accessor})
    assert renewed.auth is not None
    assert renewed.auth["client_token"] == ""
    await node.ok("auth/token/revoke-accessor", {"accessor": accessor})
    assert not await node.lives(token)
    assert accessor not in (await node.listing("auth/token/accessors")).data["keys"]
    gone = await node.write("auth/token/revoke-accessor", {"accessor": accessor})
    assert gone.warnings == ["No token found with this accessor"]
    for action in ("lookup", "renew"):
        response = await node.write(f"auth/token/{action}-accessor", {"accessor": accessor})
        assert errors(response) == ["invalid accessor"]


@with_node
async def test_an_accessor_is_no_token(node: NodeUnderTest) -> None:
    accessor = (await node.token(policies=["default"]))["accessor"]
    assert not await node.lives(accessor)
    revoke = await node.write("auth/token/revoke", {"token": accessor})
    assert revoke.status == 204
    looked = await node.write("auth/token/lookup-accessor", {"accessor": accessor})
    assert looked.status == 200


@with_node
async def test_no_token_and_no_accessor_is_stored_in_clear_as_a_key(node: NodeUnderTest) -> None:
    made = await node.token(policies=["default"])
    everything = "\n".join(await node.keys_below(""))
    assert made["client_token"] not in everything
    assert made["accessor"] not in everything
