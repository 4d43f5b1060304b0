"""Attacks on the life of tokens (security cases 19 to 23 and 27)."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.families import child as _child
from tests.families import parent as _parent
from tests.families import revoke as _revoke
from tests.node import NodeUnderTest, errors, with_node

HOUR = 3600
SUBSET = ["child policies must be subset of parent"]


async def _token(node: NodeUnderTest, capabilities: str, *policies: str, **fields: Any) -> str:
    """A token with these policies and the given capabilities on auth/token/create."""
    await node.policy("maker", {"auth/token/create": capabilities})
    made = await node.token(policies=["maker", *policies], **fields)
    token: str = made["client_token"]
    return token


@pytest.mark.parametrize("left", [0.75, 0.001])
def test_19_a_renewal_in_the_last_second_never_means_for_ever(left: float) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        made = await node.token(policies=["default"], explicit_max_ttl="1h", ttl="1h")
        token = made["client_token"]
        node.clock.advance(3600 - left)
        assert await node.lives(token)
        renewed = await node.ok("auth/token/renew-self", {"increment": "1h"}, token=token)
        assert renewed.auth is not None
        assert renewed.auth["lease_duration"] == 1
        node.clock.advance(left)
        assert not await node.lives(token)
        await node.sweep()
        assert len(await node.keys_below("token/id/")) <= 2

    body()


@with_node
async def test_20_a_batch_token_dies_with_its_parent_however_it_ends(node: NodeUnderTest) -> None:
    revoked, expired = await _parent(node, ttl="2h"), await _parent(node)
    of_revoked = await _child(node, revoked, type="batch")
    of_expired = await _child(node, expired, type="batch")
    orphan = await _child(node, expired, type="batch", no_parent=True)
    await _revoke(node, revoked)
    assert not await node.lives(of_revoked)
    node.clock.advance(HOUR)
    assert not await node.lives(of_expired)
    assert await node.lives(orphan)
    node.clock.advance(4 * HOUR)
    assert not await node.lives(orphan)


@with_node
async def test_21_what_expired_while_the_server_was_down_is_dead_before_any_sweep(
    node: NodeUnderTest,
) -> None:
    token = (await node.token(policies=["default"], ttl="1m"))["client_token"]
    node.clock.advance(3600)
    started_again = await node.another()
    assert not await started_again.lives(token)
    lookup = await started_again.write("auth/token/lookup", {"token": token})
    assert lookup.status == 403


@with_node
async def test_22_a_child_can_be_used_only_where_its_parent_can(node: NodeUnderTest) -> None:
    await node.ok(
        "auth/token/roles/office",
        {"allowed_policies": "root", "token_bound_cidrs": "10.0.0.0/8"},
    )
    here, elsewhere = "10.0.0.1:1", "192.168.0.1:1"
    bound = (await node.token(path="create/office", ttl="1h"))["client_token"]
    for fields in ({}, {"type": "batch", "policies": ["default"]}, {"no_parent": True}):
        made = await node.write(
            "auth/token/create", {"ttl": "1h", **fields}, token=bound, peer=here
        )
        assert made.auth is not None
        child = made.auth["client_token"]
        looked = await node.read("auth/token/lookup-self", token=child, peer=here)
        assert looked.data["bound_cidrs"] == ("10.0.0.0/8",)
        refused = await node.read("auth/token/lookup-self", token=child, peer=elsewhere)
        assert refused.status == 403


@with_node
async def test_23_default_comes_with_the_parents_only(node: NodeUnderTest) -> None:
    parent = await _token(node, "update", "a", no_default_policy=True)
    wishes: tuple[dict[str, Any], ...] = ({}, {"policies": ["a"]})
    for wish in wishes:
        made = await node.token(by=parent, **wish)
        assert "default" not in made["policies"]
    refused = await node.write("auth/token/create", {"policies": ["default"]}, token=parent)
    assert errors(refused) == SUBSET


@with_node
async def test_27_200_parallel_requests_on_100_uses_answer_100_times(node: NodeUnderTest) -> None:
    token = (await node.token(policies=["default"], num_uses=100))["client_token"]
    answers = await asyncio.gather(
        *(node.read("auth/token/lookup-self", token=token) for _ in range(200))
    )
    assert Counter(answer.status for answer in answers) == {200: 100, 403: 100}
    left = [answer.data["num_uses"] for answer in answers if answer.status == 200]
    assert sorted(left) == [-1, *range(1, 100)]  # as OpenBao shows the last use
