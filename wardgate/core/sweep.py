"""Clears away what has ended, a little at a time.

What ends (a token, a lease, a mount) ends in one commit. What it leaves behind is cleared away here:
in small transactions, so that no request waits for it, and from job records, so that it survives a
crash and any node can go on with it. Jobs of a kind take turns, and no kind waits for another, so a
job with a million entries holds up nothing. Several processes may sweep the same storage: who loses
a race for an entry finds it done.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from wardgate.clock import Clock
from wardgate.core.identity.upkeep import keep_identities
from wardgate.core.leases import prefixes
from wardgate.core.leases.prefixes import Prefixes
from wardgate.core.leases.revocation import Revocation
from wardgate.core.mounts import PURGE_PREFIX
from wardgate.core.purging import BATCH, Purging
from wardgate.core.storage import Storage, Transaction
from wardgate.core.tokens import store as tokens
from wardgate.core.tokens.clearing import Clearing
from wardgate.core.tokens.indexing import index_some
from wardgate.core.unexpected import log_unexpected
from wardgate.errors import Sealed, WardgateError

INTERVAL = 1.0
"""Seconds between looks for something to do."""

JOBS_IN_TURN = 8
"""How many jobs of a kind go on a step in one round."""

_LONGEST_REST = 0.1  # seconds

_log = logging.getLogger("wardgate.sweep")

T = TypeVar("T")
Step = Callable[[Transaction, str], Awaitable[bool]]


class JobQueue:
    """The jobs of one kind: records below `folder`, each of which `step` carries on a little."""

    def __init__(self, storage: Storage, folder: str, step: Step) -> None:
        self._storage = storage
        self._folder = folder
        self._step = step
        self._after = ""  # whose turn it was last: nothing is lost when this is forgotten

    async def round(self) -> bool:
        """One step of the next few jobs; whether anything was done."""
        transaction = await self._storage.begin()
        names = await transaction.list(self._folder, self._after, JOBS_IN_TURN)
        if len(names) < JOBS_IN_TURN and self._after:
            names += [
                name
                for name in await transaction.list(self._folder, limit=JOBS_IN_TURN - len(names))
                if name not in names
            ]
        self._after = names[-1] if names else ""
        return any([await self._one(name) for name in names])

    async def _one(self, name: str) -> bool:
        return await self._storage.transact(lambda transaction: self._step(transaction, name))


class Sweeper:
    """Ends what has expired and finishes what revocations and unmounts began."""

    def __init__(
        self,
        storage: Storage,
        clearing: Clearing,
        purging: Purging,
        prefix_jobs: Prefixes,
        revocation: Revocation,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._revocation = revocation
        now = clock.now
        self._rounds: list[Callable[[], Awaitable[bool]]] = [
            lambda: storage.transact(lambda transaction: clearing.expire(transaction, now())),
            JobQueue(storage, tokens.JOBS, lambda t, name: clearing.step(t, name, now())).round,
            JobQueue(storage, PURGE_PREFIX, lambda t, uuid: purging.step(t, uuid, now())).round,
            JobQueue(storage, prefixes.JOBS, prefix_jobs.step).round,
            lambda: storage.transact(
                lambda transaction: keep_identities(transaction, now(), BATCH)
            ),
            lambda: storage.transact(index_some),
        ]

    def also(self, step: Callable[[], Awaitable[bool]]) -> None:
        """Take small steps of another kind too: `step` tells whether it did anything. Call it before
        `run`."""
        self._rounds.append(step)

    async def run(self) -> None:
        """Sweep for ever; stop it by cancelling the task."""
        await asyncio.gather(*map(self._repeat, self._rounds), self._revoke_due())

    async def round(self) -> bool:
        """One small step of each kind; whether anything was done."""
        done = [await each() for each in self._rounds]
        mounts = await self._revocation.due_mounts()
        done += await asyncio.gather(*map(self._revocation.step, mounts))
        return any(done)

    async def _repeat(self, work: Callable[[], Awaitable[bool]]) -> None:
        """Do `work` for ever; while there is plenty, it takes at most half of the time."""
        time = asyncio.get_running_loop().time
        while True:
            began = time()
            busy = await _guarded(work, idle=False)
            await asyncio.sleep(min(time() - began, _LONGEST_REST) if busy else INTERVAL)

    async def _revoke_due(self) -> None:
        """Revoke leases that are due, for ever: one task for each mount that has any."""
        working: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                idle: list[str] = []
                for mount in await _guarded(self._revocation.due_mounts, idle=idle):
                    if mount not in working:
                        working[mount] = asyncio.create_task(self._revoke_of(mount))
                working = {mount: task for mount, task in working.items() if not task.done()}
                await asyncio.sleep(INTERVAL)
        finally:
            for task in working.values():
                task.cancel()

    async def _revoke_of(self, mount: str) -> None:
        while await _guarded(lambda: self._revocation.step(mount), idle=False):
            pass


async def _guarded(work: Callable[[], Awaitable[T]], *, idle: T) -> T:
    """The outcome of `work`, or `idle` when it failed: sweeping goes on, whatever one round met."""
    try:
        return await work()
    except Sealed:
        return idle
    except WardgateError as error:
        _log.warning("sweeping failed and will be tried again: %s", error)
    except Exception as error:
        log_unexpected("sweeping", error)
    return idle
