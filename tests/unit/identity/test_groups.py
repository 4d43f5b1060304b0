"""Groups in groups, and what many writers at once make of them."""

import asyncio

from tests.node import NodeUnderTest, errors, with_node
from tests.people import entity, group, groups_of, members_of


async def _parents(node: NodeUnderTest, group_id: str) -> list[str]:
    return list((await node.read(f"identity/group/id/{group_id}")).data["parent_group_ids"] or ())


@with_node
async def test_no_group_comes_to_be_inside_of_itself(node: NodeUnderTest) -> None:
    chain = [await group(node, "g0")]
    for number in range(1, 20):
        chain.append(await group(node, f"g{number}", member_group_ids=[chain[-1]]))
    for above in chain:
        refused = await node.write(f"identity/group/id/{chain[0]}", {"member_group_ids": [above]})
        assert refused.status == 400
        assert "member_group_ids: " in errors(refused)[0]
    assert (await node.read(f"identity/group/id/{chain[0]}")).data["member_group_ids"] is None


@with_node
async def test_of_two_writes_that_make_a_circle_together_one_is_refused(
    node: NodeUnderTest,
) -> None:
    for number in range(10):
        a, b, c = [await group(node, f"{name}{number}") for name in "abc"]
        answers = await asyncio.gather(
            node.write(f"identity/group/id/{a}", {"member_group_ids": [b]}),
            node.write(f"identity/group/id/{b}", {"member_group_ids": [c]}),
            node.write(f"identity/group/id/{c}", {"member_group_ids": [a]}),
        )
        assert sorted(answer.status for answer in answers) == [204, 204, 400]


@with_node
async def test_a_refused_write_changes_nothing(node: NodeUnderTest) -> None:
    ada, team = await entity(node, "ada"), await group(node, "team")
    before = (await node.read(f"identity/group/id/{team}")).data
    for body in (
        {"member_entity_ids": [ada, "nobody"]},
        {"name": "other", "member_entity_ids": ["nobody"]},
        {"policies": "x", "member_group_ids": ["nothing"]},
        {"member_entity_ids": [ada], "member_group_ids": [team]},
        {"member_entity_ids": [ada], "policies": "root"},
    ):
        assert (await node.write(f"identity/group/id/{team}", body)).status == 400
    assert (await node.read(f"identity/group/id/{team}")).data == before
    assert await groups_of(node, ada) == []


@with_node
async def test_many_change_the_members_at_once(node: NodeUnderTest) -> None:
    people = [await entity(node, f"e{number}") for number in range(10)]
    team = await group(node, "team")
    await asyncio.gather(
        *(
            node.ok(f"identity/group/id/{team}", {"member_entity_ids": people[:number]})
            for number in range(10)
        ),
        *(node.delete(f"identity/entity/id/{each}") for each in people[5:]),
        return_exceptions=True,
    )
    members = await members_of(node, team)
    for each in people[:5]:
        assert (await groups_of(node, each) == [team]) == (each in members)
    assert not set(members) & set(people[5:])


@with_node
async def test_one_write_changes_a_bounded_number_of_members(node: NodeUnderTest) -> None:
    ada, team = await entity(node, "ada"), await group(node, "team")
    many = [ada, *(f"nobody{number}" for number in range(10_000))]
    refused = await node.write(f"identity/group/id/{team}", {"member_entity_ids": many})
    assert "at most 10000 members" in errors(refused)[0]
    refused = await node.write("identity/entity/batch-delete", {"entity_ids": many})
    assert "at most 10000" in errors(refused)[0]
    assert await groups_of(node, ada) == []


@with_node
async def test_a_group_that_goes_leaves_no_trace_in_others(node: NodeUnderTest) -> None:
    low = await group(node, "low")
    mid = await group(node, "mid", member_group_ids=[low])
    top = await group(node, "top", member_group_ids=[mid])
    await node.delete(f"identity/group/id/{mid}")
    assert await _parents(node, low) == []
    assert (await node.read(f"identity/group/id/{top}")).data["member_group_ids"] is None


@with_node
async def test_an_entity_that_goes_is_no_member_any_more(node: NodeUnderTest) -> None:
    people = [await entity(node, f"e{number}") for number in range(3)]
    team = await group(node, "team", member_entity_ids=people)
    await node.delete(f"identity/entity/id/{people[0]}")
    await node.ok("identity/entity/batch-delete", {"entity_ids": [people[1], people[1]]})
    assert await members_of(node, team) == [people[2]]
    assert len(await node.keys_below("identity/member/")) == 1
