"""Ends all leases and tokens below a path.

There may be a million of them, so it is a job: a record with the place that was reached, worked on in
small transactions by the sweeper, or by the request that waits for its end. What begins after the job
did is left alone.
"""

import asyncio

import msgspec

from wardgate.clock import Clock
from wardgate.core.ids import new_uuid
from wardgate.core.leases.places import LEASES, kept_part, lease_path, token_name
from wardgate.core.leases.record import Lease
from wardgate.core.leases.revocation import AT_ONCE, CLAIM, Revocation
from wardgate.core.leases.store import LeaseStore
from wardgate.core.records import Codec
from wardgate.core.storage import Storage, Transaction
from wardgate.core.tokens.record import TOKEN
from wardgate.core.tokens.store import RECORDS, TokenStore
from wardgate.core.walking import keys_below

JOBS = "job/leases/"
BATCH = 100
"""How many leases one transaction ends."""

_HELD = CLAIM
"""Seconds for which a job is left to the request that waits for it, from each of its steps on."""


class PrefixJob(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be ended, and how far it has come. Times are seconds since the epoch."""

    prefix: str
    """A `lease_path`: all leases below it end that began until `started`."""
    started: float
    forced: bool = False
    """Forget the leases of secrets even where the backend cannot revoke them."""
    issuer: str = ""
    """If not empty, only tokens end, and of those only what the auth mount with this UUID issued."""
    reached: str = ""
    """The last key that was looked at, relative to the folder that is walked."""
    held_until: float = 0
    """Until when the sweeper leaves the job to a request."""

    def covers(self, path: str) -> bool:
        """Whether a lease of this path is meant."""
        path = lease_path(path)
        return path == self.prefix or path.startswith(self.prefix + "/")

    def precedes(self, issued: float, now: float) -> bool:
        """Whether what was issued then began after the job did. What claims to come from the future
        does not: it is from before the clock was set back."""
        return self.started < issued <= now

    def is_held(self, now: float) -> bool:
        """Whether the sweeper leaves it alone; not for long, if the clock was set back since."""
        return now < self.held_until <= now + _HELD


PREFIX_JOB: Codec[PrefixJob] = Codec(PrefixJob)


class Prefixes:
    """Begins such jobs and works on them."""

    def __init__(
        self,
        storage: Storage,
        tokens: TokenStore,
        leases: LeaseStore,
        revocation: Revocation,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._tokens = tokens
        self._leases = leases
        self._revocation = revocation
        self._clock = clock

    async def finish(self, job_id: str) -> int:
        """Do a job to its end; how many leases could not be revoked and will be tried again."""
        failed = 0
        while True:
            done, claimed = await self._storage.transact(
                lambda transaction: self._step(transaction, job_id, held=True)
            )
            failed += await self._revocation.revoke_all(claimed)
            if done:
                return failed
            await asyncio.sleep(0)  # others get their turn, however quick the storage is

    async def step(self, transaction: Transaction, job_id: str) -> bool:
        """Go on with a job for a little; False when somebody else is about it."""
        job = await transaction.get(JOBS + job_id, PREFIX_JOB)
        if job is None or job.is_held(self._clock.now()):
            return False
        await self._step(transaction, job_id, held=False)
        return True

    async def _step(
        self, transaction: Transaction, job_id: str, *, held: bool
    ) -> tuple[bool, list[Lease]]:
        """Whether the job is done with this step, and the leases that are claimed for the caller."""
        job = await transaction.get(JOBS + job_id, PREFIX_JOB)
        if job is None:
            return True, []
        now = self._clock.now()
        kept = kept_part(job.prefix)
        folder = f"{LEASES}{kept}/" if kept else LEASES
        most = AT_ONCE if held else BATCH  # what is claimed is revoked before the claims run out
        names = await keys_below(transaction, folder, most, job.reached)
        claimed = []
        for name in names:
            lease = await self._end(transaction, job, folder + name, now, claim=held)
            if lease is not None:
                claimed.append(lease)
        if len(names) < most:
            transaction.delete(JOBS + job_id)
            return True, claimed
        changed = msgspec.structs.replace(
            job, reached=names[-1], held_until=now + _HELD if held else 0
        )
        transaction.put(JOBS + job_id, changed, PREFIX_JOB)
        return False, claimed

    async def _end(
        self, transaction: Transaction, job: PrefixJob, key: str, now: float, *, claim: bool
    ) -> Lease | None:
        name = token_name(key.rpartition("/")[2])
        if name is not None:
            token = await transaction.get(RECORDS + name, TOKEN)
            if token is None:
                transaction.delete(key)
            elif (
                job.covers(token.path)
                and not job.precedes(token.issued, now)
                and job.issuer in ("", token.issuer)
            ):
                await self._tokens.revoke(transaction, name)
            return None
        lease = None if job.issuer else await self._leases.by_key(transaction, key)
        if lease is None or not job.covers(lease.path) or job.precedes(lease.issued, now):
            return None
        due = now + CLAIM if claim else None
        ended = self._leases.end(transaction, lease, now, forced=job.forced, due=due)
        return ended if claim else None


def begin_job(
    transaction: Transaction,
    prefix: str,
    now: float,
    *,
    forced: bool = False,
    issuer: str = "",
    held: bool = False,
) -> str:
    """Note that everything below `prefix` is to end; the id of the job.

    `held` leaves the job to the caller for a while, who is to call `Prefixes.finish`.
    """
    job_id = new_uuid()
    job = PrefixJob(
        prefix=lease_path(prefix),
        started=now,
        forced=forced,
        issuer=issuer,
        held_until=now + _HELD if held else 0,
    )
    transaction.put(JOBS + job_id, job, PREFIX_JOB)
    return job_id
