"""ACL policies through the API: versions, ends, and when a change counts."""

import base64

import pytest

from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.operation import Operation

READ_A = 'path "kv/a" { capabilities = ["read"] }'
READ_B = 'path "kv/b" { capabilities = ["read"] }'


async def _kv(node: NodeUnderTest) -> None:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    for name in ("a", "b"):
        await node.ok(f"kv/{name}", {"x": name})


@with_node
async def test_a_changed_policy_counts_from_the_next_request_on(node: NodeUnderTest) -> None:
    await _kv(node)
    other = await node.another()
    await node.ok("sys/policies/acl/p", {"policy": READ_A})
    token = (await node.token(policies=["p"]))["client_token"]
    for each in (node, other):
        assert (await each.read("kv/a", token=token)).status == 200
        assert (await each.read("kv/b", token=token)).status == 403
    await node.ok("sys/policies/acl/p", {"policy": READ_B})
    for each in (other, node):
        assert (await each.read("kv/a", token=token)).status == 403
        assert (await each.read("kv/b", token=token)).status == 200
    await other.delete("sys/policies/acl/p")
    for each in (node, other):
        assert (await each.read("kv/b", token=token)).status == 403


@with_node
async def test_a_policy_may_be_written_after_the_token_that_names_it(node: NodeUnderTest) -> None:
    await _kv(node)
    made = await node.ok("auth/token/create", {"policies": ["later"]})
    assert made.warnings == ['Policy "later" does not exist']
    assert made.auth is not None
    token = made.auth["client_token"]
    assert (await node.read("kv/a", token=token)).status == 403
    await node.ok("sys/policies/acl/LATER", {"policy": READ_A})
    assert (await node.read("kv/a", token=token)).status == 200


@with_node
async def test_a_policy_ends_at_its_time(node: NodeUnderTest) -> None:
    await _kv(node)
    await node.ok("sys/policies/acl/p", {"policy": READ_A, "ttl": "1h"})
    token = (await node.token(policies=["p"]))["client_token"]
    node.clock.advance(3599)
    assert (await node.read("kv/a", token=token)).status == 200
    assert (await node.read("sys/policies/acl/p")).status == 200
    node.clock.advance(1)
    assert (await node.read("kv/a", token=token)).status == 403
    assert (await node.read("sys/policies/acl/p")).status == 404


@pytest.mark.parametrize(
    "when",
    [
        "tomorrow",
        "2001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "99999-01-01T00:00:00Z",
    ],
)
def test_an_end_that_is_no_time_to_come_is_refused(when: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        response = await node.write("sys/policies/acl/p", {"policy": READ_A, "expiration": when})
        assert errors(response)[0].startswith("expiration: ")
        assert (await node.read("sys/policies/acl/p")).status == 404

    body()


@with_node
async def test_a_policy_has_one_end(node: NodeUnderTest) -> None:
    both = {"policy": READ_A, "ttl": "1h", "expiration": "2030-01-01T00:00:00Z"}
    assert (await node.write("sys/policies/acl/p", both)).status == 400
    del both["ttl"]
    await node.ok("sys/policies/acl/p", both)
    shown = await node.read("sys/policies/acl/p")
    assert shown.data["expiration"] == "2030-01-01T00:00:00Z"


@with_node
async def test_cas_writes_only_over_the_version_that_it_names(node: NodeUnderTest) -> None:
    path = "sys/policies/acl/p"
    assert (await node.write(path, {"policy": READ_A, "cas": 1})).status == 400
    await node.ok(path, {"policy": READ_A, "cas": -1})
    assert (await node.write(path, {"policy": READ_B, "cas": -1})).status == 400
    assert (await node.write(path, {"policy": READ_B, "cas": 0})).status == 400
    await node.ok(path, {"policy": READ_B, "cas": 1, "cas_required": True})
    assert (await node.write(path, {"policy": READ_A})).status == 400
    shown = (await node.read(path)).data
    assert (shown["version"], shown["policy"], shown["cas_required"]) == (2, READ_B, True)
    await node.ok(path, {"policy": READ_A, "cas": 2, "cas_required": False})
    await node.ok(path, {"policy": READ_B})


@with_node
async def test_names_have_no_case_and_no_spaces_around_them(node: NodeUnderTest) -> None:
    await node.ok("sys/policies/acl/ Team-A ", {"policy": READ_A})
    for name in ("team-a", "TEAM-A", " team-a"):
        assert (await node.read(f"sys/policies/acl/{name}")).data["name"] == "team-a"
    assert (await node.delete("sys/policies/acl/TEAM-a")).status == 204
    assert (await node.read("sys/policies/acl/team-a")).status == 404


@pytest.mark.parametrize("name", ["root", "ROOT", " Root ", "response-wrapping"])
def test_the_built_in_policies_cannot_be_written(name: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        for path in (f"sys/policies/acl/{name}", f"sys/policy/{name}"):
            assert "cannot update" in errors(await node.write(path, {"policy": READ_A}))[0]
            assert "cannot delete" in errors(await node.delete(path))[0]

    body()


@with_node
async def test_the_default_policy_can_be_written_but_not_deleted(node: NodeUnderTest) -> None:
    await node.ok("sys/policies/acl/default", {"policy": READ_A})
    assert "cannot delete" in errors(await node.delete("sys/policies/acl/default"))[0]


@with_node
async def test_a_policy_may_come_as_base64_and_is_shown_plain(node: NodeUnderTest) -> None:
    await node.ok("sys/policies/acl/p", {"policy": base64.b64encode(READ_A.encode()).decode()})
    assert (await node.read("sys/policies/acl/p")).data["policy"] == READ_A
    assert (await node.read("sys/policy/p")).data["rules"] == READ_A


@with_node
async def test_what_is_no_policy_leaves_the_old_one(node: NodeUnderTest) -> None:
    await node.ok("sys/policies/acl/p", {"policy": READ_A})
    for wrong in ("", "path {", 'path "a" { capabilities = ["fly"] }', "[" * 60_000):
        assert (await node.write("sys/policies/acl/p", {"policy": wrong})).status == 400
    assert (await node.read("sys/policies/acl/p")).data["version"] == 1


@with_node
async def test_policies_are_listed_with_root_page_by_page(node: NodeUnderTest) -> None:
    for name in ("b", "z"):
        await node.ok(f"sys/policies/acl/{name}", {"policy": READ_A})
    listed = await node.listing("sys/policies/acl")
    assert listed.data["keys"] == ["b", "default", "root", "z"]
    page = await node.listing("sys/policies/acl", query={"after": "b", "limit": "2"})
    assert page.data["keys"] == ["default", "root"]
    detailed = await node.listing("sys/policies/detailed/acl")
    assert detailed.data["key_info"]["b"]["policy"] == READ_A
    assert detailed.data["key_info"]["root"] == {"name": "root"}
    old = await node.read("sys/policy")
    assert old.data["policies"] == old.data["keys"] == listed.data["keys"]


@with_node
async def test_a_templated_policy_follows_the_entity(node: NodeUnderTest) -> None:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    await node.user("ada", token_policies="own")
    await node.user("bob", token_policies="own")
    accessor = (await node.read("sys/auth/userpass")).data["accessor"]
    name = "{{identity.entity.aliases." + accessor + ".name}}"
    await node.policy("own", {f"kv/{name}/*": "create,update,read"})
    tokens = {}
    for user in ("ada", "bob"):
        login = await node.login(user)
        assert login.auth is not None
        tokens[user] = login.auth["client_token"]
    for user, token in tokens.items():
        for folder in tokens:
            response = await node.call(Operation.UPDATE, f"kv/{folder}/x", {"a": "b"}, token=token)
            assert (response.status == 204) == (user == folder)


@with_node
async def test_pages_show_each_name_once_whatever_characters_it_has(node: NodeUnderTest) -> None:
    names = ["a", "a-b", "a.b", "a/b", "a/b-c", "a/b/c", "a0"]
    for name in names:
        await node.ok(f"sys/policies/acl/{name}", {"policy": READ_A})
    shown: list[str] = []
    for _ in range(20):
        query = {"limit": "2", "after": shown[-1] if shown else ""}
        page = (await node.listing("sys/policies/acl", query=query)).data["keys"]
        shown += page
        if len(page) < 2:
            break
    assert shown == [*names, "default", "root"]


@with_node
async def test_an_end_is_not_taken_away_by_an_empty_text(node: NodeUnderTest) -> None:
    await node.ok("sys/policies/acl/p", {"policy": READ_A, "ttl": "1h"})
    for body in ({"expiration": ""}, {"ttl": 0}):
        assert (await node.call(Operation.PATCH, "sys/policies/acl/p", body)).status == 400
    node.clock.advance(3600)
    assert (await node.read("sys/policies/acl/p")).status == 404
