"""Named keys as time goes by.

A key pair is published a whole rotation before it signs, and after its last signature for as long
as a token made by it may live. Rotation takes the pair that is `next` for signing, so nobody who
looked at the published keys within the last period meets a signature by one that they do not know.
"""

import asyncio

import msgspec

from wardgate.core.core import Core
from wardgate.core.due import due_name, is_due
from wardgate.core.ids import new_uuid
from wardgate.core.request import Request
from wardgate.core.storage import Transaction
from wardgate.errors import InvalidRequest
from wardgate.identity.oidc.records import (
    ROTATIONS,
    KeyPair,
    NamedKey,
    RetiredKey,
    index_rotation,
    key_by_name,
    rotation_key,
    save_key,
)
from wardgate.identity.oidc.signing import new_pair

MOST_RETIRED = 100
"""Public keys of one name that may be published without signing, before rotating by hand has to
wait. Rotation by itself adds ten at most: one a period, for ten periods."""


async def make_pair(algorithm: str) -> KeyPair:
    """A new key pair, made in a thread."""
    key_id = new_uuid()  # here: the random numbers behind it are for the event loop alone
    return await asyncio.to_thread(new_pair, algorithm, key_id)


async def pair_for(request: Request, name: str, algorithm: str) -> KeyPair:
    """A new key pair for the place `name`, made once however often the request runs."""
    return await request.once(f"oidc key pair {name} {algorithm}", lambda: make_pair(algorithm))


async def with_pairs(request: Request, key: NamedKey) -> NamedKey:
    """The key with a pair that signs and one that will; as it is, when it has them."""
    if key.signing is not None:
        return key
    return msgspec.structs.replace(
        key,
        signing=await pair_for(request, "signing", key.algorithm),
        next=await pair_for(request, "next", key.algorithm),
        rotates=request.time + key.rotation_period,
    )


def rotated(
    key: NamedKey, pair: KeyPair, now: float, verification_ttl: int | None = None
) -> NamedKey:
    """The key after a rotation: its next pair signs, and `pair` is the next.

    The pair that signed until now can be checked with for the key's verification TTL, or longer
    where a role gave out longer tokens before it was changed. A given `verification_ttl` (seconds)
    holds to the letter: whoever gives it wants the tokens to end then.
    """
    assert key.signing is not None
    assert key.next is not None
    until = max(now + key.verification_ttl, key.owed)
    if verification_ttl is not None:
        until = now + verification_ttl
    return msgspec.structs.replace(
        key,
        signing=key.next,
        next=pair,
        retired=_retired(key, key.signing, until, now),
        rotates=now + key.rotation_period,
    )


def replaced(key: NamedKey, signing: KeyPair, following: KeyPair, now: float) -> NamedKey:
    """The key with two new pairs at once, of another algorithm. What never signed just goes."""
    assert key.signing is not None
    until = max(now + key.verification_ttl, key.owed)
    return msgspec.structs.replace(
        key,
        signing=signing,
        next=following,
        retired=_retired(key, key.signing, until, now),
        rotates=now + key.rotation_period,
    )


def _retired(key: NamedKey, pair: KeyPair, until: float, now: float) -> tuple[RetiredKey, ...]:
    """All keys that are still needed to check tokens, with `pair` among them."""
    everyone = (*key.retired, RetiredKey(public=pair.public, until=until))
    return tuple(retired for retired in everyone if now < retired.until)


def check_room(key: NamedKey, now: float) -> None:
    """Refuse to retire one more pair by hand when a great many are needed still."""
    if sum(now < retired.until for retired in key.retired) >= MOST_RETIRED:
        raise InvalidRequest(
            f"{MOST_RETIRED} public keys of this name are still needed to check tokens; rotate"
            " again when some of them have gone"
        )


class KeyRotation:
    """Rotates the keys that are due; a step of the sweeper's rounds."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def step(self) -> bool:
        """Rotate one key; whether there was any.

        The new pair is made before the transaction begins, so whatever another process does in the
        meantime counts: a key that it has rotated is not due any more.
        """
        due = await self._core.storage.transact(self._due)
        if due is None:
            return False
        name, key = due
        pair = await make_pair(key.algorithm)
        await self._core.storage.transact(lambda transaction: self._rotate(transaction, name, pair))
        return True

    async def _due(self, transaction: Transaction) -> tuple[str, NamedKey] | None:
        for entry in await transaction.list(ROTATIONS, limit=1):
            if not is_due(entry, self._core.clock.now()):
                break
            name = due_name(entry)
            key = await key_by_name(transaction, name)
            if key is not None and rotation_key(name, key) == ROTATIONS + entry:
                return name, key
            transaction.delete(ROTATIONS + entry)  # nothing that others would have to wait behind
            if key is not None and key.rotates:
                index_rotation(transaction, name, key)  # older versions rounded its time down too
        return None

    async def _rotate(self, transaction: Transaction, name: str, pair: KeyPair) -> None:
        now = self._core.clock.now()
        key = await key_by_name(transaction, name)
        if key is None or key.signing is None or key.algorithm != pair.algorithm:
            return
        if key.rotates <= now:
            await save_key(transaction, name, rotated(key, pair, now))
