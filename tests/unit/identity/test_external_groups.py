"""Members of external groups are made by logins, and by nothing else."""

import asyncio

import msgspec

from tests.node import NodeUnderTest, errors, with_node
from tests.odd import Odd, mount_odd
from tests.people import (
    accessor,
    alias,
    entity,
    external_group,
    group,
    groups_of,
    keys,
    log_in,
    members_of,
    opens,
)
from wardgate.core.backend import Renewal
from wardgate.core.request import TokenGrant

GRANT = TokenGrant(display_name="a", alias="ada", group_aliases=("staff", "admins"))


def in_groups(odd: Odd, *names: str) -> None:
    odd.grant = msgspec.structs.replace(odd.grant, group_aliases=names)


@with_node
async def test_a_login_puts_its_entity_into_just_the_groups_that_it_tells(
    node: NodeUnderTest,
) -> None:
    odd = await mount_odd(node, GRANT)
    await keys(node, "staff", "admins", "outer", "guests")
    staff = await external_group(node, "staff", policies="staff")
    admins = await external_group(node, "admins", policies="admins")
    guests = await external_group(node, "guests", policies="guests")
    await group(node, "outer", policies="outer", member_group_ids=[admins])
    token, ada = await log_in(node)
    everything = ("staff", "admins", "outer", "guests")
    assert await opens(node, token, *everything) == ["staff", "admins", "outer"]
    assert await members_of(node, staff) == [ada]
    in_groups(odd, "GUESTS", "staff", "nobody-knows-it", "staff")
    newer = await node.ok("auth/odd/login", token="")
    assert newer.auth is not None
    assert newer.auth["identity_policies"] == ["guests", "staff"]
    assert await opens(node, token, *everything) == ["staff", "guests"]
    assert await members_of(node, admins) == []
    assert await members_of(node, guests) == [ada]
    in_groups(odd)
    await log_in(node)
    assert await opens(node, token, *everything) == []
    assert await node.keys_below("identity/member/") == []


@with_node
async def test_groups_of_other_mounts_and_internal_ones_stay(node: NodeUnderTest) -> None:
    odd = await mount_odd(node, GRANT)
    elsewhere = await mount_odd(
        node, TokenGrant(display_name="b", alias="b", group_aliases=("staff",)), "auth/else/"
    )
    here = await external_group(node, "staff")
    there = await group(node, "there", type="external")
    else_accessor = await accessor(node, "auth/else/")
    body = {"name": "staff", "mount_accessor": else_accessor, "canonical_id": there}
    await node.ok("identity/group-alias", body)
    _, ada = await log_in(node)
    await alias(node, "b", ada, "auth/else/")
    inside = await group(node, "inside", member_entity_ids=[ada])
    assert (await log_in(node, "auth/else/"))[1] == ada
    assert sorted(await groups_of(node, ada)) == sorted([here, there, inside])
    in_groups(odd)
    await log_in(node)
    assert sorted(await groups_of(node, ada)) == sorted([there, inside])
    in_groups(elsewhere)
    await log_in(node, "auth/else/")
    assert await groups_of(node, ada) == [inside]


@with_node
async def test_a_renewal_asks_again_if_the_method_does(node: NodeUnderTest) -> None:
    odd = await mount_odd(node, GRANT)
    staff, admins = await external_group(node, "staff"), await external_group(node, "admins")
    token, ada = await log_in(node)
    odd.renewal = Renewal()
    await node.ok("auth/token/renew-self", token=token)
    assert await groups_of(node, ada) == [staff, admins]
    odd.renewal = Renewal(group_aliases=("admins",))
    await node.ok("auth/token/renew-self", token=token)
    assert await groups_of(node, ada) == [admins]
    odd.renewal = Renewal(group_aliases=())
    await node.ok("auth/token/renew-self", token=token)
    assert await groups_of(node, ada) == []


@with_node
async def test_members_leave_with_the_alias_that_brought_them(node: NodeUnderTest) -> None:
    await mount_odd(node, GRANT)
    staff = await external_group(node, "staff")
    at_odd = await accessor(node, "auth/odd/")
    _, ada = await log_in(node)
    first = (await node.read(f"identity/group/id/{staff}")).data["alias"]["id"]
    body = {"name": "staff", "mount_accessor": at_odd, "canonical_id": staff}
    assert await groups_of(node, ada) == [staff]
    await node.ok("identity/group-alias", {**body, "name": "other"})
    assert await groups_of(node, ada) == await members_of(node, staff) == []
    await node.ok("identity/group-alias", body)
    assert await groups_of(node, ada) == await members_of(node, staff) == []
    await log_in(node)
    assert await groups_of(node, ada) == [staff]
    assert (await node.read(f"identity/group-alias/id/{first}")).status == 404
    now = (await node.read(f"identity/group/id/{staff}")).data["alias"]["id"]
    await node.ok(f"identity/group-alias/id/{now}", {"name": "x", "mount_accessor": at_odd})
    assert await groups_of(node, ada) == []
    await node.ok(f"identity/group-alias/id/{now}", {"name": "staff", "mount_accessor": at_odd})
    assert await groups_of(node, ada) == []
    await log_in(node)
    assert await groups_of(node, ada) == [staff]
    await node.delete(f"identity/group-alias/id/{now}")
    assert await groups_of(node, ada) == []
    await node.sweep()
    assert await node.keys_below("identity/member/") == []
    assert await node.keys_below("job/") == []


@with_node
async def test_an_entity_leaves_with_its_own_alias(node: NodeUnderTest) -> None:
    await mount_odd(node, GRANT)
    staff = await external_group(node, "staff")
    _, ada = await log_in(node)
    found = (await node.read(f"identity/entity/id/{ada}")).data["aliases"][0]["id"]
    bea = await entity(node, "bea")
    await node.ok(f"identity/entity-alias/id/{found}", {"canonical_id": bea})
    assert await groups_of(node, ada) == await groups_of(node, bea) == []
    assert (await log_in(node))[1] == bea
    assert await members_of(node, staff) == [bea]
    await node.ok(f"identity/entity-alias/id/{found}", {"name": "somebody"})
    assert await groups_of(node, bea) == []
    await node.ok(f"identity/entity-alias/id/{found}", {"name": "ada"})
    await log_in(node)
    await node.delete(f"identity/entity-alias/id/{found}")
    assert await groups_of(node, bea) == await members_of(node, staff) == []


@with_node
async def test_a_merged_entity_brings_its_memberships_unless_its_alias_gives_way(
    node: NodeUnderTest,
) -> None:
    odd = await mount_odd(node, GRANT)
    staff, admins = await external_group(node, "staff"), await external_group(node, "admins")
    in_groups(odd, "staff")
    _, ada = await log_in(node)
    odd.grant = TokenGrant(display_name="b", alias="bea", group_aliases=("admins",))
    _, bea = await log_in(node)
    aliases = [
        (await node.read(f"identity/entity/id/{each}")).data["aliases"][0]["id"]
        for each in (ada, bea)
    ]
    merge = {"to_entity_id": ada, "from_entity_ids": [bea]}
    refused = await node.write("identity/entity/merge", merge)
    assert refused.status == 400
    assert {shown["alias_id"] for shown in refused.data["data"]} == set(aliases)
    for keep in (["x"], aliases):
        body = {**merge, "conflicting_alias_ids_to_keep": keep}
        assert (
            "give the id of just one" in errors(await node.write("identity/entity/merge", body))[0]
        )
    await node.ok("identity/entity/merge", {**merge, "conflicting_alias_ids_to_keep": aliases[1]})
    assert await groups_of(node, ada) == [admins]
    assert await members_of(node, staff) == []
    assert await members_of(node, admins) == [ada]
    assert (await log_in(node))[1] == ada


@with_node
async def test_a_mount_that_goes_takes_its_group_aliases_and_members_along(
    node: NodeUnderTest,
) -> None:
    await mount_odd(node, GRANT)
    staff = await external_group(node, "staff", policies="x")
    _, ada = await log_in(node)
    await node.ok(f"identity/entity/id/{ada}", {"metadata": {"kept": "yes"}})
    await node.delete("sys/auth/odd")
    await node.sweep()
    assert await groups_of(node, ada) == []
    shown = (await node.read(f"identity/group/id/{staff}")).data
    assert (shown["alias"], shown["policies"]) == ({}, ("x",))
    for kind in ("member", "alias", "alias-id", "group-alias", "group-alias-id"):
        assert await node.keys_below(f"identity/{kind}/") == [], kind
    assert await node.keys_below("job/") == []


@with_node
async def test_a_group_of_many_goes_at_once_and_is_forgotten_a_little_at_a_time(
    node: NodeUnderTest,
) -> None:
    odd = await mount_odd(node, GRANT)
    await keys(node, "staff")
    staff = await external_group(node, "staff", policies="staff")
    tokens = []
    for number in range(250):
        odd.grant = msgspec.structs.replace(odd.grant, alias=f"user{number}")
        tokens.append((await log_in(node))[0])
    listed = (await node.listing("identity/group/id")).data["key_info"][staff]
    assert listed["num_member_entities"] == 250
    await node.delete(f"identity/group/id/{staff}")
    assert await opens(node, tokens[0], "staff") == []
    left = [len(await node.keys_below("identity/member/"))]
    while left[-1]:
        await node.core.sweeper.round()
        left.append(len(await node.keys_below("identity/member/")))
    assert left == [250, 150, 50, 0]
    await node.sweep()
    assert await node.keys_below("job/") == []


@with_node
async def test_logins_and_changes_of_the_group_at_once_end_in_one_state(
    node: NodeUnderTest,
) -> None:
    """Whichever comes first: nobody is a member by an alias that is gone."""
    odd = await mount_odd(node, GRANT)
    at_odd = await accessor(node, "auth/odd/")
    for number in range(10):
        staff = await external_group(node, "staff")
        odd.grant = msgspec.structs.replace(odd.grant, alias=f"user{number}")
        made = (await node.read(f"identity/group/id/{staff}")).data["alias"]["id"]
        (_, ada), *_ = await asyncio.gather(
            log_in(node),
            node.delete(f"identity/group-alias/id/{made}"),
            node.write(
                "identity/group-alias",
                {"name": "staff", "mount_accessor": at_odd, "canonical_id": staff},
            ),
        )
        assert (await groups_of(node, ada) == [staff]) == (await members_of(node, staff) == [ada])
        await node.delete(f"identity/group/id/{staff}")
        await node.sweep()
    assert await node.keys_below("identity/member/") == []
