"""Names that are longer than a storage key can be: not found, and refused when written."""

import pytest

from tests.node import JsonMap, NodeUnderTest, errors, with_node

LONG = "n" * 600

READS = [f"sys/policies/acl/{LONG}", f"auth/token/roles/{LONG}", f"sys/policies/password/{LONG}"]
WRITES: dict[str, JsonMap] = {
    f"sys/policies/acl/{LONG}": {"policy": 'path "a" { capabilities = ["read"] }'},
    f"auth/token/roles/{LONG}": {"orphan": True},
    f"sys/policies/password/{LONG}": {"policy": 'length = 8\nrule "charset" { charset = "ab" }'},
}


@pytest.mark.parametrize("path", READS)
def test_nothing_is_found_under_a_name_that_is_too_long(path: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        assert (await node.read(path)).status == 404

    body()


@pytest.mark.parametrize("path", WRITES)
def test_nothing_is_written_under_a_name_that_is_too_long(path: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        message = errors(await node.write(path, WRITES[path]))[0]
        assert "too long" in message
        assert LONG not in message

    body()


@with_node
async def test_a_user_with_a_long_name_is_unknown_like_any_other(node: NodeUnderTest) -> None:
    await node.user()
    long, unknown = await node.login(LONG), await node.login("unknown")
    assert (long.status, long.data) == (unknown.status, unknown.data)


@with_node
async def test_a_token_may_name_a_policy_that_cannot_be(node: NodeUnderTest) -> None:
    token = (await node.token(policies=["default", LONG]))["client_token"]
    for _ in range(2):
        assert await node.lives(token)
        assert (await node.write("cubbyhole/a", {"b": "c"}, token=token)).status == 204
