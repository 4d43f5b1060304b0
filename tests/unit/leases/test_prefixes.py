"""Revocation by prefix: what it takes, what it leaves, and how it goes on after a crash."""

import asyncio

from tests.leased import Outside, with_outside
from tests.node import NodeUnderTest
from wardgate.core.leases.prefixes import _HELD, begin_job
from wardgate.core.leases.revocation import AT_ONCE


async def _give(node: NodeUnderTest, name: str = "hour") -> str:
    return (await node.read(f"leased/creds/{name}")).lease_id


async def _begin(node: NodeUnderTest, prefix: str, *, held: bool = False) -> str:
    transaction = await node.core.storage.begin()
    job = begin_job(transaction, prefix, node.clock.now(), held=held)
    await transaction.commit()
    return job


@with_outside
async def test_whole_segments_count(node: NodeUnderTest, outside: Outside) -> None:
    await node.ok("leased/roles/hours", {"ttl": "2h"})
    for name in ("hour", "hour/a", "hour/a/b", "hour/ab", "hours"):
        await _give(node, name)
    await node.ok("sys/leases/revoke-prefix/leased/creds/hour/a")
    assert list(outside.alive) == ["user-1", "user-4", "user-5"]
    await node.ok("sys/leases/revoke-prefix/leased/creds/hour")
    assert list(outside.alive) == ["user-5"]
    await node.ok("sys/leases/revoke-prefix/leased/nothing")
    assert list(outside.alive) == ["user-5"]


@with_outside
async def test_a_lease_id_is_a_prefix_for_itself_alone(
    node: NodeUnderTest, outside: Outside
) -> None:
    first = await _give(node)
    await _give(node)
    await node.ok(f"sys/leases/revoke-prefix/{first}")
    assert list(outside.alive) == ["user-2"]


@with_outside
async def test_many_are_revoked_before_the_answer(node: NodeUnderTest, outside: Outside) -> None:
    for number in range(250):
        await _give(node, f"hour/{number % 7}/{number}")
    await node.ok("sys/leases/revoke-prefix/leased")
    assert not outside.alive
    assert len(outside.calls) == 250
    assert await node.keys_below("lease/") == []
    assert await node.keys_below("job/") == []


@with_outside
async def test_what_nobody_waits_for_is_done_by_the_sweeper(
    node: NodeUnderTest, outside: Outside
) -> None:
    for number in range(250):
        await _give(node, f"hour/{number}")
    accepted = await node.write("sys/leases/revoke-prefix/leased", {"sync": False})
    assert accepted.status == 202
    assert len(outside.alive) == 250
    await node.sweep()
    assert not outside.alive
    assert len(outside.calls) == 250


@with_outside
async def test_what_begins_after_the_job_goes_on(node: NodeUnderTest, outside: Outside) -> None:
    await _give(node, "hour/m")
    await _begin(node, "leased")
    node.clock.advance(1)
    await _give(node, "hour/a")
    await _give(node, "hour/z")
    await node.sweep()
    assert list(outside.alive) == ["user-2", "user-3"]


@with_outside
async def test_what_began_before_the_clock_was_set_back_ends(
    node: NodeUnderTest, outside: Outside
) -> None:
    await node.user()
    await _give(node)
    given = await node.login()
    assert given.auth is not None
    node.clock.advance(-3600)
    await node.ok("sys/leases/revoke-prefix/leased")
    await node.ok("sys/leases/revoke-prefix/auth/userpass")
    assert not outside.alive
    assert not await node.lives(given.auth["client_token"])


@with_outside
async def test_a_job_is_not_left_alone_for_long_when_the_clock_is_set_back(
    node: NodeUnderTest, outside: Outside
) -> None:
    await _give(node)
    await _begin(node, "leased", held=True)
    node.clock.advance(-86_400)
    await node.sweep()
    assert not outside.alive


@with_outside
async def test_a_job_that_was_left_half_way_is_finished_by_another_node(
    node: NodeUnderTest, outside: Outside
) -> None:
    for _ in range(250):
        await _give(node)
    job = await _begin(node, "leased", held=True)
    prefixes = node.core.leases.prefixes
    done, claimed = await node.core.storage.transact(lambda t: prefixes._step(t, job, held=True))
    assert not done
    assert len(claimed) == AT_ONCE
    await node.core.leases.revocation.revoke_all(claimed[:10])  # and here the process dies
    other = await node.another()
    await other.sweep()
    assert len(outside.alive) == 240  # it might still be alive
    node.clock.advance(_HELD)
    await other.sweep()
    assert not outside.alive
    assert len(outside.calls) == 250
    assert await node.keys_below("job/") == []


@with_outside
async def test_a_waiting_request_and_the_sweeper_do_not_work_on_the_same(
    node: NodeUnderTest, outside: Outside
) -> None:
    for _ in range(250):
        await _give(node)
    answer, _ = await asyncio.gather(node.write("sys/leases/revoke-prefix/leased"), node.sweep())
    assert answer.status == 204
    assert not outside.alive
    assert len(outside.calls) == 250


@with_outside
async def test_jobs_take_turns(node: NodeUnderTest, outside: Outside) -> None:
    """A token with many children does not keep a short job waiting."""
    long = (await node.token(policies=["root"], ttl="1h"))["client_token"]
    for _ in range(500):
        await node.token(by=long, ttl="1h")
    short = [(await node.token(policies=["root"], ttl="1h"))["client_token"] for _ in range(20)]
    for token in (long, *short):
        await node.ok("cubbyhole/a", {"b": "c"}, token=token)
        await node.ok("auth/token/revoke", {"token": token})
    for _ in range(6):
        await node.core.sweeper.round()
    assert len(await node.keys_below("job/token/")) <= 1
    await node.sweep()
    assert await node.keys_below("job/") == []


@with_outside
async def test_bad_prefixes_are_refused(node: NodeUnderTest, outside: Outside) -> None:
    for path in ("revoke-prefix/%", "revoke-force/x"):
        assert (await node.write(f"sys/leases/{path}")).status == 204
    for path in ("revoke-prefix", "revoke-force"):
        assert (await node.write(f"sys/leases/{path}")).status == 404
        assert (await node.write(f"sys/leases/{path}/")).status == 400
