"""Clears away what has ended, a little at a time.

What ends (a token, a mount) ends in one commit and is dead from then on. What it leaves behind in
the storage is removed here: each round works in small transactions, so that no request waits for
it, and each job is a record of its own, so that it survives a crash and any node can go on with it.
"""

import asyncio
import logging

from wardgate.clock import Clock
from wardgate.core.identity import remove_aliases
from wardgate.core.mounts import PURGE_JOB, PURGE_PREFIX
from wardgate.core.records import BytesCodec
from wardgate.core.storage import Storage, Transaction
from wardgate.core.tokens.record import TOKEN
from wardgate.core.tokens.store import (
    CHILDREN,
    CUBBYHOLES,
    EXPIRIES,
    JOBS,
    RECORDS,
    TokenStore,
)
from wardgate.core.unexpected import log_unexpected
from wardgate.errors import Sealed, WardgateError

BATCH = 100
"""How many entries one transaction takes on: enough to be cheap, too few to make others wait."""

INTERVAL = 1.0  # seconds between rounds

_BYTES = BytesCodec()
_log = logging.getLogger("wardgate.sweep")


class Sweeper:
    """Ends expired tokens and finishes what revocations and unmounts began."""

    def __init__(self, storage: Storage, tokens: TokenStore, clock: Clock) -> None:
        self._storage = storage
        self._tokens = tokens
        self._clock = clock

    async def run(self) -> None:
        """Sweep for ever; stop it by cancelling the task."""
        while True:
            try:
                busy = await self.round()
            except Sealed:
                busy = False
            except WardgateError as error:
                _log.warning("sweeping failed and will be tried again: %s", error)
                busy = False
            except Exception as error:  # the work goes on, whatever one round met
                log_unexpected("sweeping", error)
                busy = False
            await asyncio.sleep(0 if busy else INTERVAL)

    async def round(self) -> bool:
        """One small step of each kind; whether anything was done."""
        done = [
            await self._storage.transact(self._expire),
            await self._storage.transact(self._token_job),
            await self._storage.transact(self._mount_job),
        ]
        return any(done)

    async def _expire(self, transaction: Transaction) -> bool:
        now = self._clock.now()
        due = [
            entry
            for entry in await transaction.list(EXPIRIES, limit=BATCH)
            if int(entry.partition("-")[0], 16) <= now * 1000
        ]
        for entry in due:
            name = entry.partition("-")[2]
            token = await transaction.get(RECORDS + name, TOKEN)
            if token is not None and not token.alive(now):
                await self._tokens.revoke(transaction, name)
            transaction.delete(EXPIRIES + entry)
        return bool(due)

    async def _token_job(self, transaction: Transaction) -> bool:
        jobs = await transaction.list(JOBS, limit=1)
        if not jobs:
            return False
        name = jobs[0]
        parent = await transaction.get(RECORDS + name, TOKEN)
        children = await transaction.list(f"{CHILDREN}{name}/", limit=BATCH)
        for child in children:
            if parent is not None and parent.dissolved:
                await self._orphan(transaction, child)
            else:
                await self._tokens.revoke(transaction, child)
            transaction.delete(f"{CHILDREN}{name}/{child}")
        if not children and not await self._purge(transaction, f"{CUBBYHOLES}{name}/"):
            transaction.delete(JOBS + name)
            if parent is not None and parent.dissolved:
                transaction.delete(RECORDS + name)
        return True

    async def _orphan(self, transaction: Transaction, name: str) -> None:
        child = await transaction.get(RECORDS + name, TOKEN)
        if child is not None:
            transaction.put(RECORDS + name, child.without_parent(), TOKEN)

    async def _mount_job(self, transaction: Transaction) -> bool:
        jobs = await transaction.list(PURGE_PREFIX, limit=1)
        if not jobs:
            return False
        key = PURGE_PREFIX + jobs[0]
        job = await transaction.get(key, PURGE_JOB)
        if await self._purge(transaction, f"mount/{jobs[0]}/"):
            return True
        if job is None or not await remove_aliases(transaction, job.accessor, BATCH):
            transaction.delete(key)
        return True

    async def _purge(self, transaction: Transaction, prefix: str) -> bool:
        """Remove up to `BATCH` keys below `prefix`, however deep; whether there were any."""
        found: list[str] = []
        folders = [prefix]
        while folders and len(found) < BATCH:
            folder = folders.pop()
            for entry in await transaction.list(folder, limit=BATCH):
                (folders if entry.endswith("/") else found).append(folder + entry)
        for key in found[:BATCH]:
            transaction.delete(key)
        return bool(found)
