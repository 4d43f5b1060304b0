"""Families of tokens: parents, children, and their end."""

from typing import Any

from tests.node import NodeUnderTest


async def parent(node: NodeUnderTest, **fields: Any) -> str:
    """A token that may do anything for an hour."""
    made = await node.token(**{"policies": ["root"], "ttl": "1h", **fields})
    token: str = made["client_token"]
    return token


async def child(node: NodeUnderTest, by: str, **fields: Any) -> str:
    made = await node.token(by=by, **{"policies": ["default"], "ttl": "5h", **fields})
    token: str = made["client_token"]
    return token


async def revoke(node: NodeUnderTest, token: str) -> None:
    await node.ok("auth/token/revoke", {"token": token})
