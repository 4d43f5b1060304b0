"""Attacks on the life of tokens and leases (security cases 19 to 23, 27 and 28)."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.families import child as _child
from tests.families import parent as _parent
from tests.families import revoke as _revoke
from tests.leased import Outside, with_outside
from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.storage import Transaction
from wardgate.core.tokens.record import Token
from wardgate.store.lmdb import LmdbStore

HOUR = 3600
SUBSET = ["child policies must be subset of parent"]


async def _token(node: NodeUnderTest, capabilities: str, *policies: str, **fields: Any) -> str:
    """A token with these policies and the given capabilities on auth/token/create."""
    await node.policy("maker", {"auth/token/create": capabilities})
    made = await node.token(policies=["maker", *policies], **fields)
    token: str = made["client_token"]
    return token


@pytest.mark.parametrize("left", [0.75, 0.001])
def test_19_a_renewal_in_the_last_second_never_means_for_ever(left: float) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        made = await node.token(policies=["default"], explicit_max_ttl="1h", ttl="1h")
        token = made["client_token"]
        node.clock.advance(3600 - left)
        assert await node.lives(token)
        renewed = await node.ok("auth/token/renew-self", {"increment": "1h"}, token=token)
        assert renewed.auth is not None
        assert renewed.auth["lease_duration"] == 1
        node.clock.advance(left)
        assert not await node.lives(token)
        await node.sweep()
        assert len(await node.keys_below("token/id/")) <= 2

    body()


@with_node
async def test_20_a_batch_token_dies_with_its_parent_however_it_ends(node: NodeUnderTest) -> None:
    revoked, expired = await _parent(node, ttl="2h"), await _parent(node)
    of_revoked = await _child(node, revoked, type="batch")
    of_expired = await _child(node, expired, type="batch")
    orphan = await _child(node, expired, type="batch", no_parent=True)
    await _revoke(node, revoked)
    assert not await node.lives(of_revoked)
    node.clock.advance(HOUR)
    assert not await node.lives(of_expired)
    assert await node.lives(orphan)
    node.clock.advance(4 * HOUR)
    assert not await node.lives(orphan)


@pytest.mark.parametrize("left", [0.75, 0.001])
def test_19_nor_does_the_renewal_of_a_lease(left: float) -> None:
    @with_outside
    async def body(node: NodeUnderTest, outside: Outside) -> None:
        answer = await node.read("leased/creds/hour")
        await node.ok("sys/leases/renew", {"lease_id": answer.lease_id, "increment": "3h"})
        node.clock.advance(3 * HOUR - left)
        renewal = {"lease_id": answer.lease_id, "increment": "1h"}
        renewed = await node.ok("sys/leases/renew", renewal)
        assert renewed.lease_duration == 1
        node.clock.advance(left)
        assert errors(await node.write("sys/leases/renew", renewal)) == ["lease expired"]
        await node.sweep()
        assert not outside.alive

    body()


@pytest.mark.parametrize("end", ["its own", "its parent's", "its parent's revocation"])
def test_20_the_leases_of_a_batch_token_end_with_it(end: str) -> None:
    """However often they are renewed (CVE-2020-25816)."""

    @with_outside
    async def body(node: NodeUnderTest, outside: Outside) -> None:
        parent = await _parent(node, ttl="15m" if end == "its parent's" else "2h")
        orphan = end == "its own"
        batch = await _child(
            node, parent, type="batch", ttl="20m", no_parent=orphan, policies=["reader"]
        )
        await node.policy("reader", {"leased/*": "read"})
        answer = await node.read("leased/creds/hour", token=batch)
        assert answer.lease_duration == 1200
        renewal = {"lease_id": answer.lease_id, "increment": "1h"}
        node.clock.advance(600)
        renewed = await node.write("sys/leases/renew", renewal)
        assert renewed.lease_duration == 600
        if end == "its parent's revocation":
            await _revoke(node, parent)
        else:
            node.clock.advance(600 if orphan else 300)
        assert not await node.lives(batch)
        assert errors(await node.write("sys/leases/renew", renewal)) == ["lease expired"]
        await node.sweep()
        assert not outside.alive

    body()


@with_outside
async def test_21_what_expired_meanwhile_has_no_leases_after_the_start(
    node: NodeUnderTest, outside: Outside
) -> None:
    await node.policy("reader", {"leased/*": "read"})
    token = (await node.token(policies=["reader"], ttl="1m"))["client_token"]
    answer = await node.read("leased/creds/hour", token=token)
    node.clock.advance(120)
    started_again = await node.another()
    refused = await started_again.write("sys/leases/renew", {"lease_id": answer.lease_id})
    assert errors(refused) == ["lease expired"]
    await started_again.sweep()
    assert not outside.alive


@with_node
async def test_21_what_expired_while_the_server_was_down_is_dead_before_any_sweep(
    node: NodeUnderTest,
) -> None:
    token = (await node.token(policies=["default"], ttl="1m"))["client_token"]
    node.clock.advance(3600)
    started_again = await node.another()
    assert not await started_again.lives(token)
    lookup = await started_again.write("auth/token/lookup", {"token": token})
    assert lookup.status == 403


@with_node
async def test_22_a_child_can_be_used_only_where_its_parent_can(node: NodeUnderTest) -> None:
    await node.ok(
        "auth/token/roles/office",
        {"allowed_policies": "root", "token_bound_cidrs": "10.0.0.0/8"},
    )
    here, elsewhere = "10.0.0.1:1", "192.168.0.1:1"
    bound = (await node.token(path="create/office", ttl="1h"))["client_token"]
    for fields in ({}, {"type": "batch", "policies": ["default"]}, {"no_parent": True}):
        made = await node.write(
            "auth/token/create", {"ttl": "1h", **fields}, token=bound, peer=here
        )
        assert made.auth is not None
        child = made.auth["client_token"]
        looked = await node.read("auth/token/lookup-self", token=child, peer=here)
        assert looked.data["bound_cidrs"] == ("10.0.0.0/8",)
        refused = await node.read("auth/token/lookup-self", token=child, peer=elsewhere)
        assert refused.status == 403


@with_node
async def test_23_default_comes_with_the_parents_only(node: NodeUnderTest) -> None:
    parent = await _token(node, "update", "a", no_default_policy=True)
    wishes: tuple[dict[str, Any], ...] = ({}, {"policies": ["a"]})
    for wish in wishes:
        made = await node.token(by=parent, **wish)
        assert "default" not in made["policies"]
    refused = await node.write("auth/token/create", {"policies": ["default"]}, token=parent)
    assert errors(refused) == SUBSET


@with_outside
async def test_23_the_last_use_revokes_the_leases(node: NodeUnderTest, outside: Outside) -> None:
    await node.policy("reader", {"leased/*": "read"})
    token = (await node.token(policies=["reader"], num_uses=2))["client_token"]
    assert (await node.read("leased/creds/hour", token=token)).status == 200
    last = await node.read("leased/creds/hour", token=token)
    assert errors(last) == [
        "Secret cannot be returned; token had one use left, so leased credentials were immediately"
        " revoked."
    ]
    assert (last.lease_id, last.auth) == ("", None)
    assert len(outside.alive) == 2
    await node.sweep()
    assert not outside.alive
    assert [key for key in await node.keys_below("lease/") if "leased" in key] == []


@with_outside
async def test_23_the_last_use_for_something_else_revokes_them_too(
    node: NodeUnderTest, outside: Outside
) -> None:
    await node.policy("reader", {"leased/*": "read"})
    token = (await node.token(policies=["reader", "default"], num_uses=2))["client_token"]
    await node.read("leased/creds/hour", token=token)
    assert (await node.read("auth/token/lookup-self", token=token)).status == 200
    await node.sweep()
    assert not outside.alive


@with_outside
async def test_27_the_last_use_in_parallel_leaves_no_credential(
    node: NodeUnderTest, outside: Outside
) -> None:
    await node.policy("reader", {"leased/*": "read"})
    token = (await node.token(policies=["reader"], num_uses=10))["client_token"]
    answers = await asyncio.gather(
        *(node.read("leased/creds/hour", token=token) for _ in range(40))
    )
    assert Counter(answer.status for answer in answers) == {200: 9, 400: 1, 403: 30}
    await node.sweep()
    assert not outside.alive


@with_node
async def test_27_200_parallel_requests_on_100_uses_answer_100_times(node: NodeUnderTest) -> None:
    token = (await node.token(policies=["default"], num_uses=100))["client_token"]
    answers = await asyncio.gather(
        *(node.read("auth/token/lookup-self", token=token) for _ in range(200))
    )
    assert Counter(answer.status for answer in answers) == {200: 100, 403: 100}
    left = [answer.data["num_uses"] for answer in answers if answer.status == 200]
    assert sorted(left) == [-1, *range(1, 100)]  # as OpenBao shows the last use


def test_28_100_000_descendants_end_at_once_and_the_sweep_survives_a_crash(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        node = await NodeUnderTest.start(LmdbStore.open(tmp_path))
        try:
            await _end_100_000(node)
        finally:
            await node.node.stop()

    asyncio.run(run())


async def _end_100_000(node: NodeUnderTest) -> None:
    """Two levels of them; the process that sweeps dies twice. That a killed server does as well is
    shown in tests/faults."""
    before = len(await node.keys_below("token/"))
    top = await _parent(node)
    middle = [await _child(node, top, policies=["root"]) for _ in range(10)]
    lowest = ""
    for parent in middle:
        lowest = await _children(node, parent, 9_999)
    assert await node.lives(lowest)
    await _revoke(node, top)
    assert not await node.lives(lowest)
    for _ in range(2):
        for _ in range(300):
            await node.core.sweeper.round()
        assert not await node.lives(lowest)
        node = await node.another()
    await node.sweep()
    assert len(await node.keys_below("token/")) == before
    assert await node.keys_below("lease/") == []
    assert await node.keys_below("job/") == []


async def _children(node: NodeUnderTest, parent: str, count: int) -> str:
    """Make children of a token in few commits; the last one's id."""
    core = node.core
    made = await core.tokens.find(await core.storage.begin(), parent, node.clock.now())
    assert made is not None

    async def work(transaction: Transaction) -> str:
        token = Token(
            policies=("default",),
            path="auth/token/create",
            issuer=made.token.issuer,
            issued=node.clock.now(),
            expires=node.clock.now() + HOUR,
            parent=made.name,
        )
        ids = [await core.tokens.create(transaction, token) for _ in range(count)]
        return ids[-1][0]

    return await core.storage.transact(work)
