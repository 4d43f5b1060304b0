"""``sys/internal/inspect/router``."""

import asyncio

from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.settings import Settings


@with_node
async def test_it_is_closed_unless_it_is_opened(node: NodeUnderTest) -> None:
    assert errors(await node.read("sys/internal/inspect/router/root")) == ["permission denied"]
    assert (await node.read("sys/internal/inspect/router/other")).status == 404


def test_it_shows_the_mounts() -> None:
    async def run() -> None:
        node = await NodeUnderTest.start(settings=Settings(introspection_endpoint=True))
        for tag in ("root", "storage", "uuid", "accessor"):
            answer = await node.read(f"sys/internal/inspect/router/{tag}")
            by_path = {each["mount_path"]: each for each in answer.data[tag]}
            assert set(by_path) == {"cubbyhole/", "identity/", "sys/", "token/"}
            assert ("storage_prefix" in by_path["token/"]) == (tag in ("root", "storage"))
        token = await node.policy_token('path "sys/internal/*" { capabilities = ["read"] }')
        refused = await node.read("sys/internal/inspect/router/root", token=token)
        assert errors(refused) == ["permission denied"]
        await node.node.stop()

    asyncio.run(run())
