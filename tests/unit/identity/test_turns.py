"""Requests about many entities let others have their turn."""

import asyncio
from collections.abc import Awaitable

from tests.node import NodeUnderTest, errors, with_node
from tests.people import entity, group
from wardgate.core.identity.scan import TURN
from wardgate.core.request import Response

MANY = 8 * TURN


async def _turns_during(work: Awaitable[Response]) -> int:
    """How often others had their turn while a request was answered, which must succeed."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    response = await work
    counting.cancel()
    assert response.status == 204, response.data
    return turns


@with_node
async def test_others_get_their_turn_while_many_entities_change(node: NodeUnderTest) -> None:
    team = await group(node, "team")
    few = await _turns_during(node.write(f"identity/group/id/{team}", {"policies": "a"}))
    people = [await entity(node, f"e{number}") for number in range(MANY)]
    for path, body in (
        (f"identity/group/id/{team}", {"member_entity_ids": people}),
        (f"identity/group/id/{team}", {"member_entity_ids": []}),
        ("identity/entity/merge", {"to_entity_id": people[0], "from_entity_ids": people[1:]}),
        ("identity/entity/batch-delete", {"entity_ids": people}),
    ):
        assert await _turns_during(node.write(path, body)) >= few + MANY // TURN - 1, path


@with_node
async def test_a_merge_of_too_many_is_refused(node: NodeUnderTest) -> None:
    ada = await entity(node, "ada")
    others = [f"nobody-{number}" for number in range(1001)]
    body = {"to_entity_id": ada, "from_entity_ids": others}
    refused = await node.write("identity/entity/merge", body)
    assert errors(refused) == ["from_entity_ids: give at most 1000 at once"]
