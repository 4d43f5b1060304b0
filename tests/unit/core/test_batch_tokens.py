"""Batch tokens carry their content themselves, so nobody else can make or change one."""

from typing import Any

from tests.node import NodeUnderTest, errors, with_node

KEYS_OF_TOKENS = "token/"


async def _batch(node: NodeUnderTest, **fields: Any) -> str:
    made = await node.token(policies=["default"], type="batch", **fields)
    token: str = made["client_token"]
    return token


@with_node
async def test_a_batch_token_is_stored_nowhere_and_works_on_every_node(node: NodeUnderTest) -> None:
    before = await node.keys_below(KEYS_OF_TOKENS)
    token = await _batch(node, meta={"a": "b"})
    assert await node.keys_below(KEYS_OF_TOKENS) == before
    other = await node.another()
    looked = await other.read("auth/token/lookup-self", token=token)
    assert (looked.data["type"], looked.data["meta"]) == ("batch", {"a": "b"})
    assert looked.data["accessor"] == ""


@with_node
async def test_a_changed_or_cut_batch_token_is_none(node: NodeUnderTest) -> None:
    token = await _batch(node)
    middle = len(token) // 2
    other = "A" if token[middle] != "A" else "B"
    for wrong in (
        token[:middle] + other + token[middle + 1 :],
        token[:-4],
        token + "AAAA",
        token[:-1] + "!",
        "b.",
        "b." + "A" * 40,
        "b." + "A" * 100_000,
        "b.\u00e9",
    ):
        assert not await node.lives(wrong)
    assert await node.lives(token)


@with_node
async def test_a_batch_token_of_another_server_is_none(node: NodeUnderTest) -> None:
    stranger = await NodeUnderTest.start()
    assert not await node.lives(await _batch(stranger))


@with_node
async def test_what_would_make_a_token_too_long_to_be_used_is_refused(node: NodeUnderTest) -> None:
    body = {"policies": ["default"], "type": "batch", "meta": {"a": "x" * 12_500}}
    assert "too long" in errors(await node.write("auth/token/create", body))[0]
    assert await node.lives(await _batch(node, meta={"a": "x" * 11_000}))


@with_node
async def test_a_batch_token_has_no_period_no_uses_and_no_root_policy(node: NodeUnderTest) -> None:
    for fields in (
        {"num_uses": 1},
        {"period": "1h"},
        {"explicit_max_ttl": "1h"},
        {"policies": ["root"]},
    ):
        body = {"policies": ["default"], "type": "batch", **fields}
        assert "batch tokens" in errors(await node.write("auth/token/create", body))[0]


@with_node
async def test_a_batch_token_makes_no_tokens_and_has_no_cubbyhole(node: NodeUnderTest) -> None:
    await node.policy("maker", {"auth/token/create": "update"})
    made = await node.token(policies=["maker", "default"], type="batch")
    token = made["client_token"]
    message = errors(await node.write("auth/token/create", {}, token=token))
    assert message == ["batch tokens cannot create more tokens"]
    assert (await node.write("cubbyhole/a", {"b": "c"}, token=token)).status == 400
