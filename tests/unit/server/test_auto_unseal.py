"""How long a start waits for the server to unseal itself."""

import asyncio
import os

import pytest

from tests.clock import ManualClock
from wardgate.barrier.auto_seal import AutoSeal
from wardgate.core.bootstrap import first_writes
from wardgate.core.settings import Settings
from wardgate.server import auto_unseal
from wardgate.server.auto_unseal import AutoUnseal
from wardgate.server.node import Node
from wardgate.server.seals.static import StaticWrapper
from wardgate.store.memory import MemoryStore

HANGS = 30.0  # seconds


def test_where_another_worker_has_unsealed_a_start_waits_for_no_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(auto_unseal, "FIRST_SECONDS", 3600.0)

    async def start() -> None:
        wrapper = StaticWrapper("a", {"a": os.urandom(32)})
        node = Node(MemoryStore(), Settings(), ManualClock(), wrapper=wrapper)
        assert isinstance(node.seal, AutoSeal)
        _, writes = await first_writes(node.core)
        await node.seal.initialize(0, 0, writes)
        assert node.seal.opened
        auto = AutoUnseal(node.seal, node.barrier)
        try:
            async with asyncio.timeout(HANGS):
                await auto.start(lambda: None)
        finally:
            await auto.stop()
            await node.stop()

    asyncio.run(start())
