"""What is kept of a caller between requests never outlives what it follows from.

Each test asks twice first: the second answer comes from what the first request found out.
"""

import pytest

from tests.node import PEER, NodeUnderTest, with_node

READ_A = 'path "cubbyhole/a" { capabilities = ["create", "update", "read"] }'


async def asked(node: NodeUnderTest, token: str, path: str = "cubbyhole/a", **options: str) -> int:
    """The status of reading `path`."""
    return (await node.read(path, token=token, **options)).status


async def known_caller(node: NodeUnderTest, token: str) -> None:
    """Let the node know the token: it may read, and there is nothing to be read."""
    for _ in range(2):
        assert await asked(node, token) == 404


@with_node
async def test_token_ends_on_time(node: NodeUnderTest) -> None:
    await node.ok("sys/policies/acl/p", {"policy": READ_A})
    token = (await node.token(policies=["p"], ttl="60s"))["client_token"]
    await known_caller(node, token)
    node.clock.advance(59)
    assert await asked(node, token) == 404
    node.clock.advance(1)
    assert await asked(node, token) == 403


@with_node
async def test_token_ends_with_its_grandparent(node: NodeUnderTest) -> None:
    grandparent = (await node.token(policies=["root"], ttl="60s"))["client_token"]
    parent = (await node.token(by=grandparent, policies=["root"], ttl="1h"))["client_token"]
    token = (await node.token(by=parent, policies=["root"], ttl="1h"))["client_token"]
    await known_caller(node, token)
    node.clock.advance(60)
    assert await asked(node, token) == 403


@pytest.mark.parametrize("kind", ["service", "batch"])
def test_revocation_of_the_parent_by_another_process_ends_it_at_once(kind: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.ok("sys/policies/acl/p", {"policy": READ_A})
        parent = (await node.token(policies=["root"], ttl="1h"))["client_token"]
        token = (await node.token(by=parent, policies=["p"], type=kind, ttl="1h"))["client_token"]
        for _ in range(2):
            assert await asked(node, token, "auth/token/lookup-self") == 200
        await (await node.another()).ok("auth/token/revoke", {"token": parent})
        assert await asked(node, token, "auth/token/lookup-self") == 403

    body()


@with_node
async def test_address_is_looked_at_each_time(node: NodeUnderTest) -> None:
    role = {"token_bound_cidrs": ["10.0.0.0/8"], "allowed_policies": ["p"]}
    await node.ok("sys/policies/acl/p", {"policy": READ_A})
    await node.ok("auth/token/roles/bound", role)
    token = (await node.token(path="create/bound", policies=["p"]))["client_token"]
    for _ in range(2):
        assert await asked(node, token, peer="10.1.2.3:1000") == 404
        assert await asked(node, token, peer=PEER) == 403


@with_node
async def test_policy_that_another_process_changes_holds_at_once(node: NodeUnderTest) -> None:
    token = await node.policy_token(READ_A)
    await known_caller(node, token)
    other = await node.another()
    await other.ok("sys/policies/acl/of-token", {"policy": READ_A.replace('"read"', '"list"')})
    assert await asked(node, token) == 403
    await other.ok("sys/policies/acl/of-token", {"policy": READ_A})
    await known_caller(node, token)


@with_node
async def test_policy_ends_when_it_expires(node: NodeUnderTest) -> None:
    await node.ok("sys/policies/acl/p", {"policy": READ_A, "ttl": "60s"})
    token = (await node.token(policies=["p"], ttl="1h", no_default_policy=True))["client_token"]
    await known_caller(node, token)
    node.clock.advance(60)
    assert await asked(node, token) == 403


@with_node
async def test_disabled_entity_has_no_rights_any_more(node: NodeUnderTest) -> None:
    await node.ok("sys/policies/acl/p", {"policy": READ_A})
    await node.user(token_policies=["p"])
    auth = (await node.login()).auth
    assert auth is not None
    await known_caller(node, auth["client_token"])
    other = await node.another()
    await other.ok(f"identity/entity/id/{auth['entity_id']}", {"disabled": True})
    assert await asked(node, auth["client_token"]) == 403


@with_node
async def test_uses_are_counted_each_time(node: NodeUnderTest) -> None:
    await node.ok("sys/policies/acl/p", {"policy": READ_A})
    token = (await node.token(policies=["p"], num_uses=3))["client_token"]
    assert [await asked(node, token) for _ in range(4)] == [404, 404, 404, 403]


@with_node
async def test_nobody_is_known_to_a_sealed_server(node: NodeUnderTest) -> None:
    token = await node.policy_token(READ_A)
    await known_caller(node, token)
    await node.ok("sys/seal")
    assert await asked(node, token) == 503
