"""What the sweeper does with expired tokens."""

from tests.node import NodeUnderTest, with_node


@with_node
async def test_an_expired_token_leaves_nothing_behind(node: NodeUnderTest) -> None:
    before = await node.keys_below("token/")
    token = (await node.token(policies=["default"], ttl="1m"))["client_token"]
    await node.ok("cubbyhole/mine", {"a": "b"}, token=token)
    node.clock.advance(59)
    assert await node.sweep() == 0
    node.clock.advance(1)
    await node.sweep()
    assert await node.keys_below("token/") == before
    assert await node.keys_below("cubbyhole/") == []
    assert await node.keys_below("job/") == []


@with_node
async def test_a_token_is_not_forgotten_when_a_sweep_comes_just_before_its_end(
    node: NodeUnderTest,
) -> None:
    """Within the last millisecond, which the index does not resolve, nothing is due yet."""
    before = await node.keys_below("token/")
    node.clock.advance(0.00075)
    token = (await node.token(policies=["default"], ttl="1m"))["client_token"]
    node.clock.advance(60 - 0.0005)
    assert await node.lives(token)
    await node.sweep()
    assert await node.lives(token)
    node.clock.advance(1)
    await node.sweep()
    assert await node.keys_below("token/") == before


@with_node
async def test_a_renewed_token_is_swept_at_its_new_end_only(node: NodeUnderTest) -> None:
    before = await node.keys_below("token/")
    token = (await node.token(policies=["default"], ttl="1m"))["client_token"]
    node.clock.advance(30)
    await node.ok("auth/token/renew-self", {}, token=token)
    assert len(await node.keys_below("token/expiry/")) == 1
    node.clock.advance(45)
    await node.sweep()
    assert await node.lives(token)
    node.clock.advance(15)
    await node.sweep()
    assert await node.keys_below("token/") == before
