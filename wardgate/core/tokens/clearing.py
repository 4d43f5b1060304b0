"""What is left to do when tokens have ended: their descendants, their leases, their cubbyholes."""

import asyncio

from wardgate.core.due import due_name, is_due
from wardgate.core.leases.store import LeaseStore
from wardgate.core.records import BytesCodec
from wardgate.core.storage import Transaction
from wardgate.core.tokens.record import TOKEN
from wardgate.core.tokens.store import (
    CHILDREN,
    CUBBYHOLES,
    EXPIRIES,
    JOBS,
    RECORDS,
    TokenStore,
    child_name,
)
from wardgate.core.walking import keys_below

BATCH = 100
"""How many entries one transaction takes on: enough to be cheap, too few to make others wait."""

TURN = 3
"""After so many tokens others get their turn: a commit may be large, but not what keeps them waiting,
which is now and then the disk."""

_BYTES = BytesCodec()


class Clearing:
    """Small steps, each in the transaction that it is given."""

    def __init__(self, tokens: TokenStore, leases: LeaseStore) -> None:
        self._tokens = tokens
        self._leases = leases

    async def expire(self, transaction: Transaction, now: float) -> bool:
        """End tokens whose time has come; whether there were any."""
        due = [
            entry for entry in await transaction.list(EXPIRIES, limit=BATCH) if is_due(entry, now)
        ]
        for number, entry in enumerate(due):
            if number % TURN == TURN - 1:
                await asyncio.sleep(0)
            name = due_name(entry)
            token = await transaction.get(RECORDS + name, TOKEN)
            if token is not None and not token.alive(now):
                await self._tokens.revoke(transaction, name)
            transaction.delete(EXPIRIES + entry)
        return bool(due)

    async def step(self, transaction: Transaction, name: str, now: float) -> bool:
        """Go on with what the token that was stored under `name` has left; whether there was
        anything."""
        if await transaction.get(JOBS + name, _BYTES) is None:
            return False  # somebody else was faster
        parent = await transaction.get(RECORDS + name, TOKEN)
        dissolved = parent is not None and parent.dissolved
        children = await transaction.list(f"{CHILDREN}{name}/", limit=BATCH)
        for number, entry in enumerate(children):
            if number % TURN == TURN - 1:
                await asyncio.sleep(0)
            child = child_name(entry)
            if dissolved:
                await self._orphan(transaction, child)
            else:
                await self._tokens.revoke(transaction, child)
            transaction.delete(f"{CHILDREN}{name}/{entry}")
        if children or await self._leases.end_owned(transaction, name, now, BATCH):
            return True
        stored = await keys_below(transaction, f"{CUBBYHOLES}{name}/", BATCH)
        for key in stored:
            transaction.delete(f"{CUBBYHOLES}{name}/{key}")
        if not stored:
            transaction.delete(JOBS + name)
            if dissolved:
                transaction.delete(RECORDS + name)
        return True

    async def _orphan(self, transaction: Transaction, name: str) -> None:
        child = await transaction.get(RECORDS + name, TOKEN)
        if child is not None:
            transaction.put(RECORDS + name, child.without_parent(), TOKEN)
