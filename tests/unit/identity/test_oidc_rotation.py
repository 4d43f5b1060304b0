"""Rotation: on time, once over several processes, and never on the event loop."""

import asyncio
import threading
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from tests.jose import header_of, verifies
from tests.node import NodeUnderTest, with_node
from tests.unit.identity.oidc import make_role, person, public_keys, signed
from wardgate.core.records import BytesCodec
from wardgate.identity.oidc import KeyRotation, rotation
from wardgate.identity.oidc.records import ROTATIONS, KeyPair
from wardgate.identity.oidc.signing import new_pair


@with_node
async def test_the_next_key_is_published_before_it_signs(node: NodeUnderTest) -> None:
    ada = await person(node)
    await make_role(node, rotation_period="1h", verification_ttl="2h", ttl="1h")
    seen: set[str] = set()
    signers: list[str] = []
    for _ in range(5):
        signer = header_of(await signed(node, ada))["kid"]
        assert not seen or signer in seen
        seen = {key["kid"] for key in await public_keys(node)}
        signers.append(signer)
        node.clock.advance(3600)
        await node.sweep()
    assert len(set(signers)) == 5
    assert len(seen) == 4  # signs, signs next, and two that signed less than two hours ago


@with_node
async def test_an_old_key_is_published_as_long_as_its_verification_ttl(
    node: NodeUnderTest,
) -> None:
    ada = await person(node)
    await make_role(node, rotation_period="1h", verification_ttl="30m", ttl="30m")
    token = await signed(node, ada)
    node.clock.advance(3600)
    await node.sweep()
    node.clock.advance(1799)
    assert verifies(token, await public_keys(node))
    node.clock.advance(1)
    assert not verifies(token, await public_keys(node))


@with_node
async def test_rotating_by_hand_may_end_tokens_at_once(node: NodeUnderTest) -> None:
    ada = await person(node)
    await make_role(node, ttl="1h")
    token = await signed(node, ada)
    await node.ok("identity/oidc/key/k/rotate", {"verification_ttl": 0})
    assert not verifies(token, await public_keys(node))
    assert verifies(await signed(node, ada), await public_keys(node))


@with_node
async def test_a_key_rotates_once_however_many_processes_there_are(node: NodeUnderTest) -> None:
    await make_role(node, rotation_period="1h", verification_ttl="2h", ttl="1h")
    other = await node.another()
    node.clock.advance(3600)
    first, second = KeyRotation(node.core), KeyRotation(other.core)
    await asyncio.gather(first.step(), second.step())
    assert not await first.step()
    assert not await second.step()
    assert len(await public_keys(node)) == 3
    assert len(await node.keys_below(ROTATIONS)) == 1


@with_node
async def test_a_key_that_was_long_overdue_rotates_once(node: NodeUnderTest) -> None:
    await make_role(node, rotation_period="1m", verification_ttl="5m", ttl="5m")
    node.clock.advance(86_400)
    assert await node.sweep() == 1
    assert len(await public_keys(node)) == 3


@with_node
async def test_an_entry_of_the_index_that_leads_nowhere_stops_nobody(node: NodeUnderTest) -> None:
    await make_role(node, rotation_period="1h", verification_ttl="2h", ttl="1h")
    transaction = await node.core.storage.begin()
    transaction.put(f"{ROTATIONS}{0:013x}-gone", b"", BytesCodec())
    await transaction.commit()
    node.clock.advance(3600)
    await node.sweep()
    await node.sweep()
    assert len(await public_keys(node)) == 3
    assert len(await node.keys_below(ROTATIONS)) == 1


@with_node
async def test_an_entry_with_the_wrong_time_is_put_right(node: NodeUnderTest) -> None:
    """Older versions rounded the time of an entry to the nearest millisecond."""
    await make_role(node, rotation_period="1h", verification_ttl="2h", ttl="1h")
    (entry,) = await node.keys_below(ROTATIONS)
    due, _, _ = entry.rpartition("-")
    transaction = await node.core.storage.begin()
    transaction.delete(entry)
    time = int(due.removeprefix(ROTATIONS), 16)
    transaction.put(f"{ROTATIONS}{time - 1:013x}-k", b"", BytesCodec())
    await transaction.commit()
    node.clock.advance(3600)
    await node.sweep()
    await node.sweep()
    assert len(await public_keys(node)) == 3
    assert len(await node.keys_below(ROTATIONS)) == 1


@with_node
async def test_a_shorter_period_counts_from_now(node: NodeUnderTest) -> None:
    ada = await person(node)
    await make_role(node, rotation_period="24h", verification_ttl="1h", ttl="1h")
    first = header_of(await signed(node, ada))["kid"]
    await node.ok("identity/oidc/key/k", {"rotation_period": "2h"})
    assert len(await node.keys_below(ROTATIONS)) == 1
    node.clock.advance(7199)
    await node.sweep()
    assert header_of(await signed(node, ada))["kid"] == first
    node.clock.advance(1)
    await node.sweep()
    assert header_of(await signed(node, ada))["kid"] != first


@pytest.fixture
def made_in() -> Iterator[list[int]]:
    """The threads in which key pairs were made."""
    threads: list[int] = []

    def noting(algorithm: str, key_id: str) -> KeyPair:
        threads.append(threading.get_ident())
        return new_pair(algorithm, key_id)

    with patch.object(rotation, "new_pair", noting):
        yield threads


def test_key_pairs_are_made_in_other_threads(made_in: list[int]) -> None:
    @with_node
    async def scenario(node: NodeUnderTest) -> None:
        await make_role(node, algorithm="RS256")
        await node.ok("identity/oidc/key/k", {"algorithm": "ES256"})
        await node.ok("identity/oidc/key/k/rotate", {})
        node.clock.advance(86_400)
        await node.sweep()

    scenario()
    assert len(made_in) == 2 + 2 + 1 + 1
    assert threading.get_ident() not in made_in


def test_racing_writers_make_each_pair_once(made_in: list[int]) -> None:
    """A request that loses a race runs again, with the pairs that it has."""

    @with_node
    async def scenario(node: NodeUnderTest) -> None:
        bodies = [{"algorithm": "EdDSA", "allowed_client_ids": str(n)} for n in range(20)]
        answers = await asyncio.gather(
            *(node.write("identity/oidc/key/raced", body) for body in bodies)
        )
        assert {answer.status for answer in answers} == {204}

    scenario()
    assert len(made_in) <= 40
