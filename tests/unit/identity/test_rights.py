"""A token has the policies of its entity and of all groups that the entity is in, as they are at
each request."""

from tests.node import NodeUnderTest, with_node
from tests.odd import mount_odd
from tests.people import alias, entity, group, groups_of, keys, log_in, members_of, opens
from wardgate.core.request import TokenGrant

GRANT = TokenGrant(display_name="a", alias="ada")


@with_node
async def test_policies_of_groups_count_directly_and_through_others(node: NodeUnderTest) -> None:
    await mount_odd(node, GRANT)
    await keys(node, "own", "low", "mid", "top", "other")
    token, ada = await log_in(node)
    assert await opens(node, token, "own", "low", "mid", "top") == []
    await node.ok(f"identity/entity/id/{ada}", {"policies": "own"})
    low = await group(node, "low", policies="low", member_entity_ids=[ada])
    mid = await group(node, "mid", policies="mid", member_group_ids=[low])
    top = await group(node, "top", policies="top", member_group_ids=[mid])
    await group(node, "other", policies="other", member_group_ids=[top])
    assert await opens(node, token, "own", "low", "mid", "top", "other") == [
        "own", "low", "mid", "top", "other",
    ]  # fmt: skip
    await node.ok(f"identity/group/id/{top}", {"member_group_ids": []})
    assert await opens(node, token, "own", "low", "mid", "top", "other") == ["own", "low", "mid"]
    await node.ok(f"identity/group/id/{mid}", {"policies": "other"})
    assert await opens(node, token, "own", "low", "mid", "other") == ["own", "low", "other"]
    await node.delete(f"identity/group/id/{low}")
    assert await opens(node, token, "own", "low", "mid", "other") == ["own"]


@with_node
async def test_a_group_that_is_reached_in_two_ways_counts_once(node: NodeUnderTest) -> None:
    await keys(node, "top")
    ada = await entity(node, "ada")
    sides = [await group(node, side, member_entity_ids=[ada]) for side in ("left", "right")]
    top = await group(node, "top", policies="top", member_group_ids=sides)
    assert sorted(await groups_of(node, ada)) == sorted([*sides, top])
    await node.delete(f"identity/group/id/{sides[0]}")
    assert await groups_of(node, ada) == [sides[1], top]


@with_node
async def test_what_another_node_changed_counts_at_the_next_request(node: NodeUnderTest) -> None:
    await mount_odd(node, GRANT)
    await keys(node, "team", "outer")
    token, ada = await log_in(node)
    other = await node.another()
    team = await group(node, "team", policies="team", member_entity_ids=[ada])
    outer = await group(node, "outer", policies="outer", member_group_ids=[team])
    for _ in range(3):
        assert await opens(node, token, "team", "outer") == ["team", "outer"]
        await other.ok(f"identity/group/id/{outer}", {"member_group_ids": []})
        assert await opens(node, token, "team", "outer") == ["team"]
        await other.ok(f"identity/group/id/{team}", {"member_entity_ids": []})
        assert await opens(node, token, "team", "outer") == []
        await other.ok(f"identity/group/id/{team}", {"member_entity_ids": [ada]})
        await other.ok(f"identity/group/id/{outer}", {"member_group_ids": [team]})
    await other.ok(f"identity/entity/id/{ada}", {"disabled": True})
    assert not await node.lives(token)
    await other.ok(f"identity/entity/id/{ada}", {"disabled": False})
    assert await node.lives(token)
    await other.delete(f"identity/entity/id/{ada}")
    assert not await node.lives(token)


@with_node
async def test_children_of_a_token_have_its_entity_and_lose_their_rights_with_it(
    node: NodeUnderTest,
) -> None:
    await mount_odd(node, TokenGrant(display_name="a", alias="ada", policies=("maker",)))
    await node.policy("maker", {"auth/token/create": "update"})
    await keys(node, "team")
    token, ada = await log_in(node)
    team = await group(node, "team", policies="team", member_entity_ids=[ada])
    tokens = [
        (await node.token(by=token))["client_token"],
        (await node.token(by=token, type="batch"))["client_token"],
    ]
    assert [await opens(node, each, "team") for each in tokens] == [["team"], ["team"]]
    await node.ok(f"identity/group/id/{team}", {"member_entity_ids": []})
    assert [await opens(node, each, "team") for each in tokens] == [[], []]
    await node.delete(f"identity/entity/id/{ada}")
    assert [await node.lives(each) for each in tokens] == [False, False]


@with_node
async def test_a_token_follows_its_entity_through_merges(node: NodeUnderTest) -> None:
    await mount_odd(node, GRANT)
    await keys(node, "own", "team", "first", "second")
    token, ada = await log_in(node)
    await node.ok(f"identity/entity/id/{ada}", {"policies": "own"})
    team = await group(node, "team", policies="team", member_entity_ids=[ada])
    first = await entity(node, "first", policies="first")
    second = await entity(node, "second", policies="second")
    await node.ok("identity/entity/merge", {"to_entity_id": first, "from_entity_ids": [ada]})
    assert await opens(node, token, "own", "team", "first", "second") == ["team", "first"]
    await node.ok("identity/entity/merge", {"to_entity_id": second, "from_entity_ids": [first]})
    assert await opens(node, token, "own", "team", "first", "second") == ["team", "second"]
    assert await members_of(node, team) == [second]
    assert (await log_in(node))[1] == second
    await node.delete("identity/entity/name/second")
    assert not await node.lives(token)
    assert await node.keys_below("identity/merged/") == []


@with_node
async def test_templates_see_the_groups_as_they_are_now(node: NodeUnderTest) -> None:
    await mount_odd(node, TokenGrant(display_name="a", alias="ada", policies=("t",)))
    await keys(node, "red", "blue")
    token, ada = await log_in(node)
    team = await group(node, "team", metadata={"colour": "red"}, member_entity_ids=[ada])
    await group(node, "outer", metadata={"colour": "blue"}, member_group_ids=[team])
    await node.policy(
        "t",
        {
            f"sys/policies/acl/{{{{identity.groups.ids.{team}.metadata.colour}}}}": "read",
            "sys/policies/acl/{{identity.groups.names.outer.metadata.colour}}": "read",
        },
    )
    assert await opens(node, token, "red", "blue") == ["red", "blue"]
    await node.ok(f"identity/group/id/{team}", {"metadata": {"colour": "green"}})
    assert await opens(node, token, "red", "blue") == ["blue"]
    await node.ok("identity/group/name/outer", {"name": "ignored", "metadata": {"colour": "*"}})
    assert await opens(node, token, "red", "blue") == []
    await node.ok("identity/group/name/outer", {"metadata": {"colour": "red"}})
    assert await opens(node, token, "red", "blue") == ["red"]
    await node.ok(f"identity/group/id/{team}", {"member_entity_ids": []})
    assert await opens(node, token, "red", "blue") == []


@with_node
async def test_a_token_without_an_entity_looks_at_no_identity(node: NodeUnderTest) -> None:
    token = (await node.token(policies=["default"]))["client_token"]
    assert await node.lives(token)
    reads: list[str] = []
    get = node.node.barrier.get

    async def counted(key: str) -> object:
        reads.append(key)
        return await get(key)

    node.node.barrier.get = counted  # type: ignore[method-assign,assignment]
    node.core.forget()
    assert await node.lives(token)
    assert reads
    assert not [key for key in reads if key.startswith("identity/")]


@with_node
async def test_rights_are_not_worked_out_again_while_nothing_changes(node: NodeUnderTest) -> None:
    await mount_odd(node, GRANT)
    token, ada = await log_in(node)
    await group(node, "team", policies="default", member_entity_ids=[ada])
    assert await node.lives(token)
    transaction = await node.core.storage.begin()
    first = await node.core.standings.of(transaction, ada)
    await node.ok("sys/policies/acl/x", {"policy": 'path "a" { capabilities = ["read"] }'})
    transaction = await node.core.storage.begin()
    assert await node.core.standings.of(transaction, ada) is first
    assert {key.partition("/")[2] for key in transaction.reads} == {
        f"entity/{ada}",
        f"group/{(await groups_of(node, ada))[0]}",
    }


@with_node
async def test_an_alias_brings_its_login_to_the_entity_that_has_it(node: NodeUnderTest) -> None:
    await mount_odd(node, GRANT)
    ann, bea = await entity(node, "ann"), await entity(node, "bea")
    made = await alias(node, "ADA", ann)
    assert (await log_in(node))[1] == ann
    await node.ok(f"identity/entity-alias/id/{made}", {"canonical_id": bea})
    assert (await log_in(node))[1] == bea
    await node.delete(f"identity/entity-alias/id/{made}")
    assert (await log_in(node))[1] not in (ann, bea)


@with_node
async def test_templates_give_nobody_the_rights_of_tokens_without_an_entity(
    node: NodeUnderTest,
) -> None:
    await mount_odd(node, TokenGrant(display_name="a", alias="ada", policies=("own",)))
    await node.policy("own", {"sys/tools/{{identity.entity.name}}": "update"})
    plain = str((await node.token(policies=["own"]))["client_token"])
    token, ada = await log_in(node)
    await node.ok(f"identity/entity/id/{ada}", {"name": "random"})

    # whoever comes first, the other's rights are worked out anew
    for _ in range(2):
        assert (await node.write("sys/tools/random", {}, token=plain)).status == 403
        assert (await node.write("sys/tools/random", {}, token=token)).status == 200


@with_node
async def test_an_unsafe_name_takes_rights_from_its_own_entity_only(node: NodeUnderTest) -> None:
    grant = TokenGrant(display_name="a", alias="ada", policies=("tools", "denied"))
    odd = await mount_odd(node, grant)
    await node.policy("tools", {"sys/tools/random": "update"})
    await node.policy("denied", {"sys/tools/{{identity.entity.metadata.team}}": "deny"})
    ada_token, ada = await log_in(node)
    await node.ok(f"identity/entity/id/{ada}", {"metadata": {"team": "*"}})
    odd.grant = TokenGrant(display_name="b", alias="bob", policies=("tools", "denied"))
    bob_token, bob = await log_in(node)
    await node.ok(f"identity/entity/id/{bob}", {"metadata": {"team": "hash"}})

    for _ in range(2):
        assert (await node.write("sys/tools/random", {}, token=ada_token)).status == 403
        assert (await node.write("sys/tools/random", {}, token=bob_token)).status == 200
