"""Revocations that fail: tried again, given up, shown, forced."""

import asyncio
import itertools
import logging
from typing import Any
from unittest.mock import patch

import pytest

from tests.leased import Outside, with_outside
from tests.node import NodeUnderTest, errors
from wardgate.core.leases.revocation import ATTEMPTS, CLAIM
from wardgate.core.request import Response

HOUR = 3600
IRREVOCABLE = {"type": "irrevocable"}


async def _give(node: NodeUnderTest) -> str:
    return (await node.read("leased/creds/hour")).lease_id


async def _irrevocable(node: NodeUnderTest, **query: str) -> Response:
    return await node.read("sys/leases", query={**IRREVOCABLE, **query})


async def _count(node: NodeUnderTest) -> Any:
    return (await node.read("sys/leases/count", query=IRREVOCABLE)).data


async def _give_up(node: NodeUnderTest) -> list[float]:
    """Let time pass until nothing is tried any more; the seconds between the tries."""
    waits = []
    waited = 0.0
    for _ in range(2000):
        node.clock.advance(1)
        waited += 1
        if await node.sweep():
            waits.append(waited)
            waited = 0
    return waits


@with_outside
async def test_what_fails_is_tried_again_ever_more_seldom_and_then_shown(
    node: NodeUnderTest, outside: Outside
) -> None:
    lease_id = await _give(node)
    outside.failing = True
    node.clock.advance(HOUR)
    await node.sweep()
    waits = await _give_up(node)
    assert len(outside.calls) == ATTEMPTS
    assert len(waits) == ATTEMPTS - 1
    assert 10 <= waits[0] <= 16
    assert all(1.8 < later / earlier < 2.2 for earlier, later in itertools.pairwise(waits))
    accessor = (await node.read("sys/mounts/leased")).data["accessor"]
    assert (await _irrevocable(node)).data == {
        "lease_count": 1,
        "leases": [
            {
                "lease_id": lease_id,
                "mount_id": accessor,
                "error": "out of retries: the backend could not revoke it (OutsideFails)",
            }
        ],
    }
    assert await _count(node) == {"lease_count": 1, "counts": {accessor: 1}}
    shown = await node.write("sys/leases/lookup", {"lease_id": lease_id})
    assert shown.data["revoke_error"].startswith("out of retries")
    assert outside.alive


@with_outside
async def test_a_second_node_goes_on_with_the_tries(node: NodeUnderTest, outside: Outside) -> None:
    await _give(node)
    outside.failing = True
    node.clock.advance(HOUR)
    await node.sweep()
    other = await node.another()
    await other.sweep()
    assert len(outside.calls) == 1  # not before its time
    outside.failing = False
    node.clock.advance(20)
    await other.sweep()
    assert not outside.alive


@with_outside
async def test_no_log_line_and_no_answer_tells_what_the_backend_said(
    node: NodeUnderTest, outside: Outside
) -> None:
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("wardgate").addHandler(handler)
    try:
        lease_id = await _give(node)
        outside.failing = True
        refused = await node.write("sys/leases/revoke", {"lease_id": lease_id})
        node.clock.advance(HOUR)
        await node.sweep()
        await _give_up(node)
    finally:
        logging.getLogger("wardgate").removeHandler(handler)
    assert "OutsideFails" in errors(refused)[0]
    assert len([line for line in lines if lease_id in line]) == ATTEMPTS
    everything = "\n".join([*lines, str(refused.data), str((await _irrevocable(node)).data)])
    assert "hunter2" not in everything
    assert "user-1" not in everything


@with_outside
async def test_who_waits_for_a_revocation_that_fails_is_told_and_nothing_changes(
    node: NodeUnderTest, outside: Outside
) -> None:
    lease_id = await _give(node)
    outside.failing = True
    refused = await node.write("sys/leases/revoke", {"lease_id": lease_id})
    assert refused.status == 400
    shown = await node.write("sys/leases/lookup", {"lease_id": lease_id})
    assert (shown.data["ttl"], shown.data["renewable"]) == (HOUR, True)
    await node.sweep()
    assert len(outside.calls) == 1


@pytest.mark.parametrize("how", ["revoke", "revoke later", "revoke-prefix", "revoke-force"])
def test_what_was_given_up_can_be_revoked_when_the_backend_is_mended(how: str) -> None:
    @with_outside
    async def body(node: NodeUnderTest, outside: Outside) -> None:
        lease_id = await _give(node)
        outside.failing = True
        node.clock.advance(HOUR)
        await node.sweep()
        await _give_up(node)
        outside.failing = how == "revoke-force"
        if how.startswith("revoke-"):
            await node.ok(f"sys/leases/{how}/leased/creds")
        else:
            await node.ok("sys/leases/revoke", {"lease_id": lease_id, "sync": how == "revoke"})
        await node.sweep()
        assert bool(outside.alive) == outside.failing
        assert await _count(node) == {"lease_count": 0, "counts": {}}
        assert [key for key in await node.keys_below("lease/") if "leased" in key] == []

    body()


@with_outside
async def test_force_forgets_what_the_backend_cannot_revoke(
    node: NodeUnderTest, outside: Outside
) -> None:
    lease_ids = [await _give(node) for _ in range(3)]
    outside.failing = True
    await node.ok(f"sys/leases/revoke-force/{lease_ids[0]}")
    assert (await node.write("sys/leases/lookup", {"lease_id": lease_ids[0]})).status == 400
    await node.ok("sys/leases/revoke-force/leased")
    assert (await node.listing("sys/leases/lookup/leased")).status == 404
    assert len(outside.calls) == 3
    assert len(outside.alive) == 3


@with_outside
async def test_a_prefix_with_failing_leases_is_answered_with_their_number(
    node: NodeUnderTest, outside: Outside
) -> None:
    for _ in range(3):
        await _give(node)
    outside.failing = True
    refused = await node.write("sys/leases/revoke-prefix/leased")
    assert errors(refused)[0].startswith("failed to revoke 3 leases")
    outside.failing = False
    node.clock.advance(20)
    await node.sweep()
    assert not outside.alive


@with_outside
async def test_a_worker_that_died_with_a_lease_in_its_hands_loses_it_to_another(
    node: NodeUnderTest, outside: Outside
) -> None:
    await _give(node)
    node.clock.advance(HOUR)
    mount = (await node.read("sys/mounts/leased")).data["uuid"]
    revocation = node.core.leases.revocation
    claimed = await node.core.storage.transact(lambda t: revocation._claim(t, mount))
    assert len(claimed) == 1  # and here the process dies
    other = await node.another()
    await other.sweep()
    assert outside.calls == []
    node.clock.advance(CLAIM)
    await other.sweep()
    assert outside.calls == ["user-1"]
    assert not outside.alive


@with_outside
async def test_two_sweepers_revoke_each_lease_once(node: NodeUnderTest, outside: Outside) -> None:
    for _ in range(100):
        await _give(node)
    node.clock.advance(HOUR)
    other = await node.another()
    await asyncio.gather(node.sweep(), other.sweep())
    assert not outside.alive
    assert len(outside.calls) == 100


@with_outside
async def test_a_backend_that_hangs_delays_its_own_leases_only(
    node: NodeUnderTest, outside: Outside
) -> None:
    await node.ok("sys/mounts/slow", {"type": "leased"})
    await node.ok("slow/roles/hour", {"ttl": "1h"})
    slow = (await node.read("slow/creds/hour")).data["user"]
    await _give(node)
    table = await node.core.mounts.table(await node.core.storage.begin())
    backend = table.backend(table.by_path["slow/"])
    released = asyncio.Event()

    async def hang(*_: object) -> None:
        await released.wait()

    node.clock.advance(HOUR)
    with patch.object(backend, "revoke_lease", hang):
        task = asyncio.create_task(node.core.sweeper.run())
        await outside.revoked.wait()
    assert list(outside.alive) == [slow]
    released.set()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "9" * 20, "²"])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    @with_outside
    async def body(node: NodeUnderTest, outside: Outside) -> None:
        refused = await _irrevocable(node, limit=limit)
        assert errors(refused) == ["limit must be 'none' or a positive integer"]

    body()


@with_outside
async def test_a_long_list_is_cut_and_says_so(node: NodeUnderTest, outside: Outside) -> None:
    for _ in range(3):
        await _give(node)
    outside.failing = True
    node.clock.advance(HOUR)
    await node.sweep()
    await _give_up(node)
    cut = await _irrevocable(node, limit="2")
    assert cut.data["lease_count"] == len(cut.data["leases"]) == 2
    assert cut.warnings == [
        "There are more irrevocable leases; ask with limit=none for all of them."
    ]
    for limit in ("3", "none"):
        whole = await _irrevocable(node, limit=limit)
        assert whole.data["lease_count"] == 3
        assert whole.warnings is None
    assert (await node.read("sys/leases", query={"type": "other"})).status == 404
    assert (await node.read("sys/leases/count")).status == 404
