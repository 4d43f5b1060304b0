"""Share holders who replace the unseal keys or make a root token together, and strangers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from tests.node import ROOT_TOKEN, NodeUnderTest
from wardgate.core.operation import Operation
from wardgate.core.request import Response
from wardgate.core.settings import Settings

OPENED = frozenset({"rekey", "generate-root"})
"""The endpoints that a listener can open to calls without a token."""


def with_shares(
    shares: int, threshold: int, settings: Settings | None = None
) -> Callable[[Callable[[NodeUnderTest], Awaitable[None]]], Callable[[], None]]:
    """Make a test out of a coroutine function that is given a fresh server with so many keys."""

    def decorate(body: Callable[[NodeUnderTest], Awaitable[None]]) -> Callable[[], None]:
        def test() -> None:
            async def run() -> None:
                node = await NodeUnderTest.start(
                    shares=shares, threshold=threshold, settings=settings
                )
                try:
                    await body(node)
                finally:
                    await node.node.stop()

            asyncio.run(run())

        test.__doc__ = body.__doc__
        return test

    return decorate


async def opened(
    node: NodeUnderTest,
    operation: Operation,
    path: str,
    body: dict[str, Any] | None = None,
    token: str = "",
    **query: str,
) -> Response:
    """A call through a listener that lets calls without a token through."""
    return await node.call(operation, path, body, token=token, query=query, opened=OPENED)


async def begin_rekey(node: NodeUnderTest, shares: int, threshold: int, **fields: Any) -> str:
    """Begin with the root token; gives the nonce."""
    body = {"secret_shares": shares, "secret_threshold": threshold, **fields}
    nonce: str = (await node.ok("sys/rekey/init", body)).data["nonce"]
    return nonce


async def give(
    node: NodeUnderTest, path: str, nonce: str, keys: Sequence[bytes], token: str = ROOT_TOKEN
) -> dict[str, Any]:
    """Give these keys; the last answer."""
    data: dict[str, Any] = {}
    for key in keys:
        data = (await node.ok(path, {"key": key.hex(), "nonce": nonce}, token=token)).data
    return data


def keys_of(data: dict[str, Any]) -> list[bytes]:
    """The keys in an answer, as they are."""
    return [bytes.fromhex(key) for key in data["keys"]]


async def opens(node: NodeUnderTest, keys: Sequence[bytes]) -> bool:
    """Whether these keys unseal a process that starts now."""
    fresh = await node.sealed()
    for key in keys:
        answer = await fresh.write("sys/unseal", {"key": key.hex()}, token="")
        if answer.status == 200 and not answer.data["sealed"]:
            return await fresh.lives(ROOT_TOKEN)
    return False
