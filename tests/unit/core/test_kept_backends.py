"""What a backend has found out outlives changes of other mounts."""

from tests.node import NodeUnderTest, with_node
from wardgate.core.backend import Backend


async def _behind(node: NodeUnderTest, path: str) -> Backend:
    table = await node.core.mounts.table(await node.core.storage.begin())
    return table.backend(table.by_path[path])


@with_node
async def test_a_backend_goes_on_when_another_mount_changes(node: NodeUnderTest) -> None:
    await node.ok("sys/auth/jwt", {"type": "jwt"})
    before = await _behind(node, "auth/jwt/")
    await node.ok("sys/auth/other", {"type": "approle"})
    await node.ok("sys/auth/other/tune", {"default_lease_ttl": "1h"})
    await node.delete("sys/auth/other")
    assert await _behind(node, "auth/jwt/") is before


@with_node
async def test_it_is_made_anew_when_its_own_mount_changes(node: NodeUnderTest) -> None:
    await node.ok("sys/auth/jwt", {"type": "jwt"})
    before = await _behind(node, "auth/jwt/")
    await node.ok("sys/auth/jwt/tune", {"default_lease_ttl": "1h"})
    assert await _behind(node, "auth/jwt/") is not before


@with_node
async def test_a_mount_in_the_place_of_another_has_a_backend_of_its_own(
    node: NodeUnderTest,
) -> None:
    await node.ok("sys/auth/jwt", {"type": "jwt"})
    before = await _behind(node, "auth/jwt/")
    await node.delete("sys/auth/jwt")
    await node.ok("sys/auth/jwt", {"type": "jwt"})
    assert await _behind(node, "auth/jwt/") is not before
