"""Tokens with a limited number of uses."""

import pytest

from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.operation import Operation


@with_node
async def test_each_request_is_one_use_and_the_last_one_ends_the_token(node: NodeUnderTest) -> None:
    token = (await node.token(policies=["default"], num_uses=3))["client_token"]
    left = []
    for _ in range(3):
        response = await node.read("auth/token/lookup-self", token=token)
        left.append(response.data["num_uses"])
    assert left == [2, 1, -1]  # as OpenBao shows the last use
    assert not await node.lives(token)
    await node.sweep()
    assert len(await node.keys_below("token/id/")) == 1  # the root token's


@with_node
async def test_a_refused_request_is_a_use_too(node: NodeUnderTest) -> None:
    token = (await node.token(policies=["default"], num_uses=2))["client_token"]
    for path in ("sys/mounts", "nowhere/at/all"):
        assert (await node.read(path, token=token)).status == 403
    assert not await node.lives(token)


@pytest.mark.parametrize("renew", ["renew-self", "renew"])
def test_the_last_use_cannot_renew_the_token(renew: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.policy("renewer", {"auth/token/renew": "update"})
        token = (await node.token(policies=["renewer"], num_uses=1))["client_token"]
        response = await node.write(f"auth/token/{renew}", {"token": token}, token=token)
        assert errors(response) == ["token not found"]
        assert not await node.lives(token)

    body()


@with_node
async def test_renewing_before_the_last_use_keeps_the_count(node: NodeUnderTest) -> None:
    token = (await node.token(policies=["default"], num_uses=3))["client_token"]
    await node.ok("auth/token/renew-self", {}, token=token)
    looked = await node.ok("auth/token/lookup", {"token": token})
    assert looked.data["num_uses"] == 2


@with_node
async def test_the_last_use_leaves_nothing_in_the_cubbyhole(node: NodeUnderTest) -> None:
    token = (await node.token(policies=["default"], num_uses=2))["client_token"]
    for path in ("first", "second"):
        response = await node.call(Operation.UPDATE, f"cubbyhole/{path}", {"a": "b"}, token=token)
        assert response.status == 204
    await node.sweep()
    assert await node.keys_below("cubbyhole/") == []


@with_node
async def test_a_token_with_limited_uses_has_no_children(node: NodeUnderTest) -> None:
    for uses in (1, 2):
        token = (await node.token(policies=["root"], ttl="1h", num_uses=uses))["client_token"]
        refused = await node.write("auth/token/create", {}, token=token)
        assert errors(refused) == ["restricted use token cannot generate child tokens"]


@with_node
async def test_a_negative_number_of_uses_is_refused(node: NodeUnderTest) -> None:
    assert "negative" in errors(await node.write("auth/token/create", {"num_uses": -1}))[0]
