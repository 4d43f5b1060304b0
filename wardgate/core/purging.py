"""What is left to do when a mount has been taken away: its leases, its tokens, its bytes, its aliases.

The mount's leases are revoked first, since its backend needs what it stored for that.
"""

import msgspec

from wardgate.core.identity.aliases import remove_aliases
from wardgate.core.leases.places import EXPIRIES, KEY
from wardgate.core.leases.prefixes import begin_job
from wardgate.core.leases.store import LeaseStore
from wardgate.core.mounts import PURGE_JOB, PURGE_PREFIX, Mount, PurgeJob
from wardgate.core.storage import Transaction
from wardgate.core.walking import keys_below

BATCH = 100
"""How many entries one transaction takes on."""


class Purging:
    """Small steps, each in the transaction that it is given."""

    def __init__(self, leases: LeaseStore) -> None:
        self._leases = leases

    async def step(self, transaction: Transaction, uuid: str, now: float) -> bool:
        """Go on with what the mount with this UUID has left; False when there is nothing to do
        before its leases are revoked."""
        key = PURGE_PREFIX + uuid
        job = await transaction.get(key, PURGE_JOB)
        if job is None:
            return False  # somebody else was faster
        if job.mount is not None and not job.ended:
            changed = await self._end(transaction, job, job.mount, now)
            transaction.put(key, changed, PURGE_JOB)
            return True
        if await transaction.list(f"{EXPIRIES}{uuid}/", limit=1):
            return False
        stored = await keys_below(transaction, f"mount/{uuid}/", BATCH)
        for name in stored:
            transaction.delete(f"mount/{uuid}/{name}")
        if not stored and not await remove_aliases(transaction, job.accessor, BATCH, now):
            transaction.delete(key)
        return True

    async def _end(
        self, transaction: Transaction, job: PurgeJob, mount: Mount, now: float
    ) -> PurgeJob:
        """End some of what the mount gave out."""
        if mount.is_auth:
            # its tokens are dead already, but they and their leases lie in the storage
            for path in (mount.path, *mount.former_paths):
                begin_job(transaction, path, now, issuer=mount.uuid)
            return msgspec.structs.replace(job, ended=True)
        folder = f"{EXPIRIES}{mount.uuid}/"
        entries = await transaction.list(folder, job.reached, BATCH)
        for entry in entries:
            found = await self._leases.by_key(
                transaction, await transaction.get(folder + entry, KEY) or ""
            )
            if found is not None and found.expires > now:
                self._leases.end(transaction, found, now)
        if len(entries) < BATCH:
            return msgspec.structs.replace(job, ended=True)
        return msgspec.structs.replace(job, reached=entries[-1])
