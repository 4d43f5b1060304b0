"""What is stored is counted in the background, page by page."""

import asyncio
import logging

import pytest

from tests.node import NodeUnderTest, with_node
from wardgate.core.metrics import Reading
from wardgate.server import census
from wardgate.server.census import FIRST, Census
from wardgate.store.interface import StoreError


def found(node: NodeUnderTest, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    (family,) = [each for each in node.core.metrics.families() if each.name == name]
    return {reading.labels: reading.value for reading in family.read()}


class Pauses:
    """Waits for nothing, and remembers for how long it was to wait."""

    def __init__(self, ends_after: float) -> None:
        self.seconds: list[float] = []
        self._ends_after = ends_after

    async def __call__(self, seconds: float) -> None:
        if seconds >= 1:
            self.seconds.append(seconds)
        if sum(self.seconds) > self._ends_after:
            raise asyncio.CancelledError


@with_node
async def test_everything_is_counted(node: NodeUnderTest) -> None:
    await node.user("ada")
    await node.login("ada")
    await node.ok("sys/mounts/kv", {"type": "kv"})
    await node.ok("sys/mounts/kv2", {"type": "kv", "options": {"version": "2"}})
    for path in ("a", "b", "c/d", "c/e/f"):
        await node.ok(f"kv/{path}", {"x": 1})
    await node.ok("kv2/data/a/b", {"data": {"x": 1}})
    await node.ok("kv2/data/a/b", {"data": {"x": 2}})
    assert found(node, "token.count") == {}
    await node.node.census.round()
    assert found(node, "token.count") == {(): 2}  # root's and ada's
    assert found(node, "identity.num_entities") == {(): 1}
    by_mount = {"kv/": 4, "kv2/": 1}
    kv = found(node, "secret.kv.count")
    assert {dict(labels)["mount_point"]: count for labels, count in kv.items()} == by_mount
    mounts = found(node, "core.mount_table.num_entries")
    assert mounts[("local", "false"), ("type", "auth")] == 2
    await node.delete("sys/mounts/kv")
    await node.node.census.round()
    assert len(found(node, "secret.kv.count")) == 1


@with_node
async def test_pages_are_small_and_far_between(
    node: NodeUnderTest,
) -> None:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    for number in range(7):
        await node.ok(f"kv/{number}", {"x": 1})
    pages: list[int | None] = []
    whole = node.core.storage.blobs.list

    async def counted(prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        pages.append(limit)
        return await whole(prefix, after, limit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(census, "PAGE", 3)
        patch.setattr(node.core.storage.blobs, "list", counted)
        await node.node.census.round()
    assert list(found(node, "secret.kv.count").values()) == [7]
    assert set(pages) == {3}


@with_node
async def test_it_begins_long_after_the_start_and_goes_on(node: NodeUnderTest) -> None:
    pauses = Pauses(ends_after=1000)
    with pytest.raises(asyncio.CancelledError):
        await Census(node.core, 300, pauses).run()
    assert pauses.seconds == [FIRST, 300, 300, 300, 300]
    never = Pauses(ends_after=0)
    await Census(node.core, 0, never).run()
    assert never.seconds == []


@with_node
async def test_a_sealed_server_counts_nothing(node: NodeUnderTest) -> None:
    await node.node.census.round()
    await node.ok("sys/seal")
    await node.node.census.round()
    assert found(node, "token.count") == {}


@with_node
async def test_a_failure_leaves_what_was_counted(node: NodeUnderTest) -> None:
    await node.node.census.round()

    async def broken(*arguments: object) -> list[str]:
        raise StoreError("the disk is gone")

    logging.getLogger("wardgate").setLevel(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node.core.storage.blobs, "list", broken)
        await node.node.census.round()
    logging.getLogger("wardgate").setLevel(logging.NOTSET)
    assert found(node, "token.count") == {(): 1}


@with_node
async def test_more_can_be_counted(node: NodeUnderTest) -> None:
    node.node.census.add("policies", "Policies.", "policy/acl/")
    await node.node.census.round()
    (family,) = [each for each in node.core.metrics.families() if each.name == "policies"]
    (reading,) = list(family.read())
    assert isinstance(reading, Reading)
    assert reading.value == 2
