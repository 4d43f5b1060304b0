"""Attacks by way of entities, aliases and groups (security cases 29 to 34)."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.node import NodeUnderTest, errors, with_node
from tests.odd import mount_odd
from tests.people import (
    accessor,
    alias,
    entity,
    external_group,
    group,
    groups_of,
    keys,
    log_in,
    opens,
)
from wardgate.core.identity import ENTITIES, ENTITY
from wardgate.core.identity.records import GROUP, GROUPS
from wardgate.core.operation import Operation
from wardgate.core.request import TokenGrant
from wardgate.core.storage import Transaction

GRANT = TokenGrant(display_name="a", alias="ada")
ROOTS = ["root", "Root", "ROOT", " root", "root ", " Root ", "\troot", "root\n", "rOOt\u00a0"]


@pytest.mark.parametrize("name", ROOTS)
def test_29_no_spelling_of_root_is_a_policy_of_an_entity_or_group(name: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        ada, team = await entity(node, "ada"), await group(node, "team")
        paths = (
            "identity/entity", "identity/entity/name/ada", "identity/entity/name/new",
            f"identity/entity/id/{ada}", "identity/group", "identity/group/name/team",
            "identity/group/name/new", f"identity/group/id/{team}",
        )  # fmt: skip
        for path in paths:
            forms: tuple[Any, ...] = (name, [name], ["x", name], f"x,{name}")
            for policies in forms:
                refused = await node.write(path, {"policies": policies})
                assert errors(refused) == ["policies cannot contain root"], (path, policies)
        assert (await node.read(f"identity/entity/id/{ada}")).data["policies"] == ()
        assert (await node.read(f"identity/group/id/{team}")).data["policies"] is None

    body()


@pytest.mark.parametrize("name", ROOTS)
def test_30_root_that_was_written_past_the_checks_has_no_effect(name: str) -> None:
    """Whoever can write the storage, or whatever bug lets it in: identity never gives root."""

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await mount_odd(node, GRANT)
        token, ada = await log_in(node)
        team = await group(node, "team", member_entity_ids=[ada])

        async def work(transaction: Transaction) -> None:
            person = await transaction.get(ENTITIES + ada, ENTITY)
            crowd = await transaction.get(GROUPS + team, GROUP)
            assert person is not None
            assert crowd is not None
            transaction.put(
                ENTITIES + ada, msgspec.structs.replace(person, policies=(name,)), ENTITY
            )
            transaction.put(GROUPS + team, msgspec.structs.replace(crowd, policies=(name,)), GROUP)

        await node.core.storage.transact(work)
        assert (await node.read("sys/mounts", token=token)).status == 403
        again, _ = await log_in(node)
        assert (await node.read("sys/mounts", token=again)).status == 403
        shown = (await node.read("auth/token/lookup-self", token=token)).data
        assert "root" not in shown.get("identity_policies", ())
        capabilities = await node.ok("sys/capabilities", {"token": token, "paths": "sys/mounts"})
        assert capabilities.data["sys/mounts"] == ["deny"]
        made = await node.write("auth/token/create", {"policies": ["root"]}, token=token)
        assert made.auth is None

    body()


@with_node
async def test_30_entities_and_groups_called_root_are_nothing_special(node: NodeUnderTest) -> None:
    odd = await mount_odd(node, TokenGrant(display_name="root", alias="root"))
    odd.grant = msgspec.structs.replace(odd.grant, group_aliases=("root",))
    await external_group(node, "root")
    token, made = await log_in(node)
    await node.ok(f"identity/entity/id/{made}", {"name": "root", "metadata": {"root": "root"}})
    assert (await node.read("sys/mounts", token=token)).status == 403


async def _alias_of(node: NodeUnderTest, entity_id: str) -> str:
    found: str = (await node.read(f"identity/entity/id/{entity_id}")).data["aliases"][0]["id"]
    return found


@with_node
async def test_31_an_alias_write_takes_over_nobodys_entity(node: NodeUnderTest) -> None:
    """The attacker may write aliases, and tries to become the victim, or a part of them."""
    odd = await mount_odd(node, TokenGrant(display_name="v", alias="victim"))
    await mount_odd(node, GRANT, "auth/else/")
    at, elsewhere = await accessor(node, "auth/odd/"), await accessor(node, "auth/else/")
    await keys(node, "secret")
    _, victim = await log_in(node)
    await node.ok(f"identity/entity/id/{victim}", {"policies": "secret"})
    odd.grant = TokenGrant(display_name="m", alias="mallory")
    token, mallory = await log_in(node)
    mine, theirs = await _alias_of(node, mallory), await _alias_of(node, victim)
    other = await alias(node, "mallory", mallory, "auth/else/")
    attempts: tuple[tuple[str, dict[str, str]], ...] = (
        (f"identity/entity-alias/id/{mine}", {"canonical_id": victim}),
        (f"identity/entity-alias/id/{mine}", {"entity_id": victim}),
        (f"identity/entity-alias/id/{mine}", {"name": "victim"}),
        (f"identity/entity-alias/id/{mine}", {"name": "VICTIM"}),
        (f"identity/entity-alias/id/{mine}", {"name": "victim", "canonical_id": victim}),
        (f"identity/entity-alias/id/{other}", {"name": "victim", "mount_accessor": at}),
        (f"identity/entity-alias/id/{theirs}", {"canonical_id": mallory}),
        (f"identity/entity-alias/id/{theirs}", {"name": "mallory"}),
        ("identity/entity-alias", {"id": mine, "canonical_id": victim}),
        ("identity/entity-alias", {"id": mine, "name": "victim"}),
        (
            "identity/entity-alias",
            {"name": "mallory", "mount_accessor": at, "canonical_id": victim},
        ),
        (
            "identity/entity-alias",
            {"name": "victim", "mount_accessor": at, "canonical_id": mallory},
        ),
        ("identity/alias", {"name": "mallory", "mount_accessor": at, "canonical_id": victim}),
        (f"identity/alias/id/{mine}", {"canonical_id": victim}),
        ("identity/entity-alias", {"name": "x", "mount_accessor": at, "canonical_id": victim}),
    )
    before = (await node.read(f"identity/entity/id/{victim}")).data
    for path, body in attempts:
        assert (await node.write(path, body)).status == 400, (path, body)
    assert (await node.read(f"identity/entity/id/{victim}")).data == before
    assert await opens(node, token, "secret") == []
    assert (await log_in(node))[1] == mallory
    # the old persona paths write entities only
    for path in ("identity/persona", f"identity/persona/id/{mallory}"):
        await node.write(path, {"entity_id": victim, "mount_accessor": at, "name": "p"})
    assert (await node.read(f"identity/entity/id/{victim}")).data == before
    assert elsewhere != at


@with_node
async def test_31_of_many_who_grab_one_alias_at_once_one_gets_it(node: NodeUnderTest) -> None:
    await mount_odd(node, GRANT)
    at = await accessor(node, "auth/odd/")
    people = [await entity(node, f"e{number}") for number in range(10)]
    answers = await asyncio.gather(
        log_in(node),
        *(
            node.write(
                "identity/entity-alias",
                {"name": "ada", "mount_accessor": at, "canonical_id": each},
            )
            for each in people
        ),
        return_exceptions=True,
    )
    assert not [answer for answer in answers if isinstance(answer, BaseException)]
    _, owner = await log_in(node)
    everybody = [*people, *(await node.listing("identity/entity/id")).data["keys"]]
    holders = [
        each
        for each in set(everybody)
        if (await node.read(f"identity/entity/id/{each}")).data["aliases"]
    ]
    assert holders == [owner]
    assert len(await node.keys_below("identity/alias-id/")) == 1


@with_node
async def test_31_writing_aliases_needs_a_policy_for_it(node: NodeUnderTest) -> None:
    await mount_odd(node, GRANT)
    token, ada = await log_in(node)
    own = await _alias_of(node, ada)
    at = await accessor(node, "auth/odd/")
    for path in (
        "identity/entity-alias", "identity/alias", "identity/persona", "identity/entity",
        f"identity/entity-alias/id/{own}", f"identity/alias/id/{own}", "identity/entity/merge",
        f"identity/entity/id/{ada}", "identity/group", "identity/group-alias",
        "identity/entity/batch-delete", "identity/lookup/entity", "identity/lookup/group",
    ):  # fmt: skip
        body = {"name": "x", "mount_accessor": at, "id": ada, "policies": "p"}
        assert (await node.write(path, body, token=token)).status == 403, path
    for operation in (Operation.DELETE, Operation.LIST):
        for path in (f"identity/entity/id/{ada}", "identity/entity/id", "identity/group/id"):
            assert (await node.call(operation, path, token=token)).status in (403, 404), path
    assert (await node.read(f"identity/entity/id/{ada}", token=token)).status == 200
    assert (await node.read(f"identity/entity/id/{ada}", token="")).status == 403


@with_node
async def test_32_a_template_takes_the_alias_of_the_mount_that_it_names(
    node: NodeUnderTest,
) -> None:
    """Also when the entity has aliases at many mounts, and after they were moved, renamed, merged."""
    odd = await mount_odd(node, TokenGrant(display_name="a", alias="here", policies=("t",)))
    await mount_odd(node, GRANT, "auth/else/")
    await keys(node, "here", "there", "moved", "meta")
    at, elsewhere = await accessor(node, "auth/odd/"), await accessor(node, "auth/else/")
    await node.policy(
        "t",
        {
            f"sys/policies/acl/{{{{identity.entity.aliases.{at}.name}}}}": "read",
            f"sys/policies/acl/{{{{identity.entity.aliases.{at}.metadata.m}}}}": "read",
        },
    )
    token, ada = await log_in(node)
    everything = ("here", "there", "moved", "meta")
    there = await alias(node, "there", ada, "auth/else/")
    assert await opens(node, token, *everything) == ["here"]
    own = next(
        shown["id"]
        for shown in (await node.read(f"identity/entity/id/{ada}")).data["aliases"]
        if shown["mount_accessor"] == at
    )
    await node.ok(f"identity/entity-alias/id/{own}", {"name": "moved"})
    assert await opens(node, token, *everything) == ["moved"]
    await node.delete(f"identity/entity-alias/id/{own}")
    assert await opens(node, token, *everything) == []
    await node.ok(f"identity/entity-alias/id/{there}", {"mount_accessor": at})
    assert await opens(node, token, *everything) == ["there"]
    odd.grant = msgspec.structs.replace(odd.grant, alias="there", alias_metadata={"m": "meta"})
    assert (await log_in(node))[1] == ada
    assert await opens(node, token, *everything) == ["there", "meta"]
    await node.ok(f"identity/entity-alias/id/{there}", {"mount_accessor": elsewhere})
    assert await opens(node, token, *everything) == []


@with_node
async def test_32_of_merged_aliases_at_one_mount_the_kept_one_counts(node: NodeUnderTest) -> None:
    odd = await mount_odd(node, TokenGrant(display_name="a", alias="here", policies=("t",)))
    await keys(node, "here", "there")
    at = await accessor(node, "auth/odd/")
    await node.policy("t", {f"sys/policies/acl/{{{{identity.entity.aliases.{at}.name}}}}": "read"})
    token, ada = await log_in(node)
    odd.grant = msgspec.structs.replace(odd.grant, alias="there")
    other, bea = await log_in(node)
    await node.ok(
        "identity/entity/merge",
        {
            "to_entity_id": ada,
            "from_entity_ids": [bea],
            "conflicting_alias_ids_to_keep": [await _alias_of(node, bea)],
        },
    )
    assert await opens(node, token, "here", "there") == ["there"]
    assert await opens(node, other, "here", "there") == ["there"]


@with_node
async def test_33_a_removed_membership_ends_rights_at_the_next_request(node: NodeUnderTest) -> None:
    """However it is removed, and whichever process removes it."""
    odd = await mount_odd(node, GRANT)
    await keys(node, "team")
    other = await node.another()
    token, ada = await log_in(node)
    staff = await external_group(node, "staff", policies="team")
    at = await accessor(node, "auth/odd/")

    async def join(name: str) -> str:
        made = await group(node, name, policies="team", member_entity_ids=[ada])
        assert await opens(node, token, "team") == ["team"]
        return made

    for by in (node, other):
        made = await join("g1")
        await by.ok(f"identity/group/id/{made}", {"member_entity_ids": []})
        assert await opens(node, token, "team") == []
        await node.ok(f"identity/group/id/{made}", {"member_entity_ids": [ada]})
        await by.ok(f"identity/group/id/{made}", {"policies": []})
        assert await opens(node, token, "team") == []
        await by.delete(f"identity/group/id/{made}")
        made = await join("g2")
        await by.delete("identity/group/name/G2")
        assert await opens(node, token, "team") == []
        inner = await group(node, "inner", member_entity_ids=[ada])
        outer = await group(node, "outer", policies="team", member_group_ids=[inner])
        assert await opens(node, token, "team") == ["team"]
        await by.ok(f"identity/group/id/{outer}", {"member_group_ids": []})
        assert await opens(node, token, "team") == []
        await node.ok(f"identity/group/id/{outer}", {"member_group_ids": [inner]})
        await by.delete(f"identity/group/id/{inner}")
        assert await opens(node, token, "team") == []
        await by.delete(f"identity/group/id/{outer}")
        odd.grant = msgspec.structs.replace(odd.grant, group_aliases=("staff",))
        await log_in(node)
        assert await opens(node, token, "team") == ["team"]
        found = (await node.read(f"identity/group/id/{staff}")).data["alias"]["id"]
        await by.delete(f"identity/group-alias/id/{found}")
        assert await opens(node, token, "team") == []
        body = {"name": "staff", "mount_accessor": at, "canonical_id": staff}
        await node.ok("identity/group-alias", body)
        await log_in(node)
        assert await opens(node, token, "team") == ["team"]
        odd.grant = msgspec.structs.replace(odd.grant, group_aliases=())
        await log_in(node)
        assert await opens(node, token, "team") == []


@with_node
async def test_33_rights_are_checked_again_before_a_write_is_kept(node: NodeUnderTest) -> None:
    """A write that was allowed by a group, and the end of the membership, at the same time: the
    write happens before the membership ends, or not at all."""
    await mount_odd(node, GRANT)
    await node.ok("sys/mounts/kv", {"type": "kv"})
    await node.policy("team", {"kv/*": "create,update"})
    token, ada = await log_in(node)
    for number in range(20):
        team = await group(node, f"g{number}", policies="team", member_entity_ids=[ada])
        wrote, _ = await asyncio.gather(
            node.write(f"kv/{number}", {"x": "y"}, token=token),
            node.ok(f"identity/group/id/{team}", {"member_entity_ids": []}),
        )
        stored = (await node.read(f"kv/{number}")).status == 200
        assert stored == (wrote.status == 204)
        assert await groups_of(node, ada) == []


@pytest.mark.parametrize("value", ["*", "+", "a/*", "x,y", "a/b", "a+b", "", "team/+", "te*"])
def test_34_no_name_or_metadata_of_an_identity_widens_a_rule(value: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await mount_odd(node, TokenGrant(display_name="a", alias="ada", policies=("t",)))
        await node.ok("sys/mounts/kv", {"type": "kv"})
        places = ("kv/team/secret", "kv/a/b/secret", "kv/x/secret", "kv//secret")
        for path in places[:3]:
            await node.ok(path, {"x": "y"})
        token, ada = await log_in(node)
        fields = {"name": value or "nameless", "metadata": {"m": value}}
        await node.ok(f"identity/entity/id/{ada}", fields)
        team = await group(
            node, value or "nameless", metadata={"m": value}, member_entity_ids=[ada]
        )
        templates = (
            "identity.entity.name", "identity.entity.metadata.m",
            f"identity.groups.ids.{team}.name", f"identity.groups.ids.{team}.metadata.m",
            f"identity.groups.names.{value}.metadata.m",
        )  # fmt: skip
        for template in templates:
            await node.policy("t", {f"kv/{{{{{template}}}}}/secret": "read"})
            for path in places:
                answer = await node.read(path, token=token)
                assert answer.status in (400, 403), (template, path)

    body()
