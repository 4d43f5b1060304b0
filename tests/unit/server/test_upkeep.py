"""Two nodes over one storage keep up with each other's keyring."""

import asyncio
import logging

import pytest

from tests.node import NodeUnderTest, with_node
from wardgate.barrier.handover import HANDOVER, LIFETIME
from wardgate.barrier.keys import KEYRING
from wardgate.server import upkeep
from wardgate.store.interface import Delete


async def _encryptions_as_saved(node: NodeUnderTest) -> int:
    """What a process that has just been unsealed knows."""
    return (await node.another()).node.barrier.key_status().encryptions


@with_node
async def test_a_node_writes_under_the_term_that_another_one_made(node: NodeUnderTest) -> None:
    other = await node.another()
    await node.ok("sys/rotate")
    assert other.node.barrier.key_status().term == 1
    await other.node.upkeep.round()
    assert other.node.barrier.key_status().term == 2
    await other.policy("p", {"a": "read"})
    (key,) = [key for key in await node.keys_below("") if key.endswith("/p")]
    stored = await node.store.get(key)
    assert stored is not None
    assert int.from_bytes(stored.value[1:5], "big") == 2


@with_node
async def test_what_was_encrypted_is_saved_while_the_node_runs(node: NodeUnderTest) -> None:
    before = await _encryptions_as_saved(node)
    for number in range(5):
        await node.policy(f"p{number}", {"a": "read"})
    assert await _encryptions_as_saved(node) == before
    await node.node.upkeep.round()
    saved = await _encryptions_as_saved(node)
    assert saved >= before + 5
    assert saved == node.node.barrier.key_status().encryptions


@with_node
async def test_nothing_is_written_when_nothing_was_encrypted(node: NodeUnderTest) -> None:
    await node.node.upkeep.round()
    before = await node.store.revision()
    await node.node.upkeep.round()
    assert await node.store.revision() == before


@with_node
async def test_a_sealed_node_is_left_alone(node: NodeUnderTest) -> None:
    await node.policy("p", {"a": "read"})
    before = await node.store.revision()
    await node.ok("sys/seal")
    await node.node.upkeep.round()
    assert node.node.barrier.sealed
    assert await node.store.revision() == before


def test_a_failure_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        other = await node.another()
        await other.node.barrier.rekey_root(bytes(32))
        await node.store.commit({}, [Delete(HANDOVER)])
        with caplog.at_level(logging.WARNING, "wardgate.upkeep"):
            await node.node.upkeep.round()
            await node.node.upkeep.round()
        assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
        assert KEYRING in caplog.text

    body()


@with_node
async def test_a_key_that_is_due_is_rotated_once(node: NodeUnderTest) -> None:
    other = await node.another()
    await node.ok("sys/rotate/config", {"interval": "24h"})
    node.clock.advance(24 * 3600 - 1)
    await node.node.upkeep.round()
    assert node.node.barrier.key_status().term == 1
    node.clock.advance(1)
    for one in (node, other, node, other):
        await one.node.upkeep.round()
    assert node.node.barrier.key_status().term == other.node.barrier.key_status().term == 2


@with_node
async def test_a_key_is_due_after_so_many_values(node: NodeUnderTest) -> None:
    barrier = node.node.barrier
    await node.ok("sys/rotate/config", {"max_operations": 1_000_000})
    barrier._uncounted[1] += 1_000_000
    await node.ok("sys/rotate/config", {"enabled": False})
    await node.node.upkeep.round()
    assert barrier.key_status().term == 1
    await node.ok("sys/rotate/config", {"enabled": True})
    await node.node.upkeep.round()
    assert barrier.key_status().term == 2
    assert barrier.key_status().encryptions < 1000


@with_node
async def test_links_to_the_newest_root_key_are_removed(node: NodeUnderTest) -> None:
    await node.node.barrier.rekey_root(bytes(32))
    await node.node.upkeep.round()
    assert HANDOVER in await node.keys_below("barrier/")
    node.clock.advance(LIFETIME)
    await node.node.upkeep.round()
    assert HANDOVER not in await node.keys_below("barrier/")


def test_a_node_that_was_started_does_it_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "INTERVAL", 0)

    @with_node
    async def body(node: NodeUnderTest) -> None:
        other = await node.another()
        node.node.start()
        await other.node.barrier.rotate()
        for _ in range(1000):  # turns of the event loop, of which a round takes a few
            if node.node.barrier.key_status().term == 2:
                return
            await asyncio.sleep(0)
        pytest.fail("the new term is not in use")

    body()
