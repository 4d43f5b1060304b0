"""Takes credentials back through the backends that gave them out.

That is work outside of the storage: it may be slow, and it may fail. A lease that is due is claimed
first, by a commit that makes it due again a while later; so of several processes one works on it,
and if that one dies another goes on. What fails is tried again after a while that doubles each time,
and given up after `ATTEMPTS`: then the lease is shown as irrevocable until somebody mends what is
broken and revokes it again. Each mount has its own queue, so a backend that hangs delays its own
leases only.
"""

import asyncio
import logging

import msgspec

from wardgate.clock import Clock
from wardgate.core.backend import Backend
from wardgate.core.due import is_due
from wardgate.core.leases.places import EXPIRIES, KEY, expiry_key, lease_key
from wardgate.core.leases.record import Lease
from wardgate.core.leases.store import LeaseStore
from wardgate.core.mounts import PURGE_JOB, PURGE_PREFIX, Mount, Mounts
from wardgate.core.storage import Storage, Transaction, View
from wardgate.errors import Sealed, WardgateError

AT_ONCE = 32
"""How many leases of a mount are revoked at the same time."""

ATTEMPTS = 6
"""After so many failures a lease is given up."""

PATIENCE = 30.0
"""Seconds that a backend has to revoke a lease."""

CLAIM = 2 * PATIENCE
"""Seconds after which a lease that somebody was working on is anybody's again."""

_FIRST_DELAY = 10.0  # seconds after the first failure

_log = logging.getLogger("wardgate.leases")


class RevocationFailed(WardgateError):
    """The backend could not revoke a lease; the message says what kind of error it met."""


class Revocation:
    """Revokes leases through their backends."""

    def __init__(self, storage: Storage, mounts: Mounts, leases: LeaseStore, clock: Clock) -> None:
        self._storage = storage
        self._mounts = mounts
        self._leases = leases
        self._clock = clock

    async def due_mounts(self) -> list[str]:
        """The UUIDs of the mounts with leases that are due."""
        transaction = await self._storage.begin()
        found = []
        for folder in await transaction.list(EXPIRIES):
            first = await transaction.list(EXPIRIES + folder, limit=1)
            if first and is_due(first[0], self._clock.now()):
                found.append(folder.rstrip("/"))
        return found

    async def step(self, mount: str) -> bool:
        """Revoke some of the due leases of the mount with this UUID; whether there were any."""
        claimed = await self._storage.transact(lambda transaction: self._claim(transaction, mount))
        await self.revoke_all(claimed)
        return bool(claimed)

    async def _claim(self, transaction: Transaction, mount: str) -> list[Lease]:
        now = self._clock.now()
        claimed = []
        for entry in await transaction.list(f"{EXPIRIES}{mount}/", limit=AT_ONCE):
            if not is_due(entry, now):
                break
            index = f"{EXPIRIES}{mount}/{entry}"
            lease = await self._leases.by_key(transaction, await transaction.get(index, KEY) or "")
            if lease is not None and expiry_key(lease) == index:
                claimed.append(self._leases.end(transaction, lease, now, due=now + CLAIM))
            else:
                transaction.delete(index)
        return claimed

    async def revoke_all(self, claimed: list[Lease]) -> int:
        """Revoke leases that the caller has claimed; how many of them it could not."""
        failed = 0
        for start in range(0, len(claimed), AT_ONCE):
            part = claimed[start : start + AT_ONCE]
            failed += (await asyncio.gather(*map(self._revoke_claimed, part))).count(False)
        return failed

    async def _revoke_claimed(self, lease: Lease) -> bool:
        async def work(transaction: Transaction) -> None:
            current = await self._current(transaction, lease)
            if current is not None:
                await self.revoke(transaction, current)

        try:
            await self._storage.transact(work)
        except RevocationFailed as error:
            kind = str(error)
            await self._storage.transact(
                lambda transaction: self._note_failure(transaction, lease, kind)
            )
            return False
        return True

    async def _current(self, transaction: Transaction, claimed: Lease) -> Lease | None:
        """The lease's record, unless it is gone or somebody else's by now."""
        lease = await self._leases.by_key(transaction, lease_key(claimed))
        return lease if lease is not None and lease.due == claimed.due else None

    async def _note_failure(self, transaction: Transaction, claimed: Lease, kind: str) -> None:
        lease = await self._current(transaction, claimed)
        if lease is None:
            return
        failures = lease.failures + 1
        given_up = failures >= ATTEMPTS
        changed = msgspec.structs.replace(
            lease,
            failures=failures,
            error=kind,
            irrevocable=given_up,
            due=self._clock.now() + _delay(lease, failures),
        )
        self._leases.replace(transaction, lease, changed)
        _log.error(
            "lease %s could not be revoked, attempt %d of %d: %s%s",
            lease.id,
            failures,
            ATTEMPTS,
            kind,
            "; it is given up until it is revoked again" if given_up else "",
        )

    async def revoke(self, transaction: Transaction, lease: Lease) -> None:
        """Take the credential back and forget the lease, or raise `RevocationFailed`."""
        staged = transaction.staged()
        try:
            backend, mount = await self._backend(transaction, lease)
            async with asyncio.timeout(PATIENCE):
                await backend.revoke_lease(View(transaction, mount.storage_prefix), lease)
        except Sealed:
            raise
        except Exception as error:
            transaction.restore(staged)
            kind = str(error) if isinstance(error, _MountGone) else type(error).__name__
            if not lease.forced:
                raise RevocationFailed(kind) from error
            _log.error("lease %s is forgotten, though it could not be revoked: %s", lease.id, kind)
        self._leases.remove(transaction, lease)

    async def _backend(self, transaction: Transaction, lease: Lease) -> tuple[Backend, Mount]:
        """The code that gave the lease out, even while its mount is being taken away."""
        table = await self._mounts.table(transaction)
        mount = table.by_uuid.get(lease.mount)
        if mount is None:
            job = await transaction.get(PURGE_PREFIX + lease.mount, PURGE_JOB)
            mount = job.mount if job is not None else None
        if mount is None:
            raise _MountGone("the mount is gone")
        return table.backend(mount), mount


class _MountGone(WardgateError):
    """There is no code any more that could revoke the lease."""


def _delay(lease: Lease, failures: int) -> float:
    """Seconds until the next try: doubled each time, and up to half as much again, so that leases
    which failed together do not come back together."""
    share = sum(lease.suffix.encode()) % 64 / 64
    delay: float = _FIRST_DELAY * 2 ** (failures - 1) * (1 + share / 2)
    return delay
