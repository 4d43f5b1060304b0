"""Begins, finds, changes and ends leases, inside a transaction.

A lease ends at its time, with the token that it was given to, with its mount, or when somebody
revokes it. All that is noted here is that it is due; the backend takes the credential back outside
of the request that ended it (`wardgate.core.leases.revocation`), since that may take long and fail.
"""

import msgspec

from wardgate.core.ids import TOKEN_LENGTH, random_base62
from wardgate.core.leases.places import (
    IRREVOCABLE,
    KEY,
    LEASES,
    OWNED,
    expiry_key,
    irrevocable_key,
    lease_key,
    lease_path,
    owned_key,
    place,
    token_name,
)
from wardgate.core.leases.record import LEASE, Lease
from wardgate.core.request import LeaseGrant, Request
from wardgate.core.settings import Settings
from wardgate.core.storage import Transaction
from wardgate.core.tokens.record import TOKEN, TokenType
from wardgate.core.tokens.store import RECORDS, TokenStore
from wardgate.core.tokens.ttl import Lifetime, lifetime
from wardgate.errors import InternalError


class LeaseStore:
    """The leases of dynamic secrets, and of tokens by their lease ids."""

    def __init__(self, tokens: TokenStore, settings: Settings) -> None:
        self._tokens = tokens
        self._settings = settings

    async def begin(self, request: Request, grant: LeaseGrant) -> tuple[Lease, tuple[str, ...]]:
        """Note what the request's mount has given out; the lease, and warnings for the caller.

        It belongs to the calling token. If this was the token's last use, or no time is left, the
        lease is due at once.
        """
        token, now = request.token, request.time
        if token is None:
            raise InternalError("a lease was given out without a token that it could end with")
        granted = self._granted(request, grant, now)
        expires = granted.expires
        owner, ends_latest = request.token_key, 0.0
        if token.type is TokenType.BATCH:
            # nothing is stored for a batch token: its leases end at its time, or with its parent
            owner, ends_latest = token.parent, token.expires
            expires = min(expires, ends_latest)
        if token.num_uses < 0:
            owner, expires = "", now  # the token is gone by now
        lease = Lease(
            path=lease_path(request.path),
            suffix=random_base62(TOKEN_LENGTH),
            mount=request.mount.uuid,
            mount_accessor=request.mount.accessor,
            data=grant.data,
            issued=now,
            expires=expires,
            due=expires,
            ttl=grant.ttl,
            max_ttl=grant.max_ttl,
            renewable=grant.renewable,
            owner=owner,
            ends_latest=ends_latest,
        )
        if owner:
            await self._tokens.mark_dependents(request.transaction, owner)
        self.add(request.transaction, lease)
        return lease, granted.warnings

    def _granted(self, request: Request, grant: LeaseGrant, now: float) -> Lifetime:
        return lifetime(
            now=now,
            started=now,
            role_ttl=grant.ttl,
            role_max=grant.max_ttl,
            default_ttl=self._settings.default_ttl(request.mount),
            max_ttl=self._settings.max_ttl(request.mount),
        )

    def add(self, transaction: Transaction, lease: Lease) -> None:
        """Store a lease and its places in the indexes."""
        key = lease_key(lease)
        transaction.put(key, lease, LEASE)
        if lease.irrevocable:
            transaction.put(irrevocable_key(lease), key, KEY)
        else:
            transaction.put(expiry_key(lease), key, KEY)
        if lease.owner:
            transaction.put(owned_key(lease), key, KEY)

    def remove(self, transaction: Transaction, lease: Lease) -> None:
        """Forget a lease that has ended."""
        transaction.delete(lease_key(lease))
        transaction.delete(irrevocable_key(lease) if lease.irrevocable else expiry_key(lease))
        if lease.owner:
            transaction.delete(owned_key(lease))

    def replace(self, transaction: Transaction, lease: Lease, changed: Lease) -> None:
        """Store a lease's new state."""
        if (lease.due, lease.irrevocable) != (changed.due, changed.irrevocable):
            transaction.delete(irrevocable_key(lease) if lease.irrevocable else expiry_key(lease))
        if lease.owner and not changed.owner:
            transaction.delete(owned_key(lease))
        self.add(transaction, changed)

    async def find(self, transaction: Transaction, lease_id: str) -> Lease | None:
        """The dynamic secret's lease with this id, ended or not, while there is a record of it."""
        path, _, suffix = lease_id.rpartition("/")
        if not path or path != lease_path(path) or token_name(suffix) is not None:
            return None
        lease = await transaction.get(f"{LEASES}{place(path)}/{suffix}", LEASE)
        return lease if lease is not None and lease.path == path else None

    async def find_token(self, transaction: Transaction, lease_id: str) -> str | None:
        """The storage name of the token with this lease id, alive or not; None when it is none's."""
        path, _, suffix = lease_id.rpartition("/")
        name = token_name(suffix)
        if name is None:
            return None
        token = await transaction.get(RECORDS + name, TOKEN)
        if token is None or token.dissolved or not token.leased or lease_path(token.path) != path:
            return None
        return name

    def end(
        self,
        transaction: Transaction,
        lease: Lease,
        now: float,
        *,
        forced: bool = False,
        due: float | None = None,
    ) -> Lease:
        """The lease is over: nobody renews it any more, and it is revoked at `due`, or at once.

        One that was given up is tried again. With `forced` it ends whether its backend can revoke
        it or not. The token that it belonged to has nothing more to do with it.
        """
        fresh = lease.irrevocable or lease.expires > now
        changed = msgspec.structs.replace(
            lease,
            expires=min(lease.expires, now),
            due=(now if fresh or forced else lease.due) if due is None else due,
            failures=0 if lease.irrevocable else lease.failures,
            irrevocable=False,
            forced=lease.forced or forced,
            owner="",
        )
        self.replace(transaction, lease, changed)
        return changed

    async def end_owned(self, transaction: Transaction, name: str, now: float, limit: int) -> bool:
        """End up to `limit` leases of the token that was stored under `name`; whether there were
        any."""
        suffixes = await transaction.list(f"{OWNED}{name}/", limit=limit)
        for suffix in suffixes:
            index = f"{OWNED}{name}/{suffix}"
            lease = await self.by_key(transaction, await transaction.get(index, KEY) or "")
            if lease is not None and lease.owner == name:
                self.end(transaction, lease, now)
            transaction.delete(index)
        return bool(suffixes)

    async def by_key(self, transaction: Transaction, key: str) -> Lease | None:
        """The lease whose record lies under `key`; a token's place among the leases holds none."""
        if not key or token_name(key.rpartition("/")[2]) is not None:
            return None
        return await transaction.get(key, LEASE)

    async def irrevocable(self, transaction: Transaction, most: int | None) -> list[Lease]:
        """The leases that were given up, of all mounts; at most one more than `most`."""
        found: list[Lease] = []
        for folder in await transaction.list(IRREVOCABLE):
            limit = None if most is None else most + 1 - len(found)
            for suffix in await transaction.list(IRREVOCABLE + folder, limit=limit):
                index = IRREVOCABLE + folder + suffix
                lease = await self.by_key(transaction, await transaction.get(index, KEY) or "")
                if lease is not None:
                    found.append(lease)
        return found

    async def count_irrevocable(self, transaction: Transaction) -> dict[str, int]:
        """How many leases were given up, by the accessor of their mount."""
        counts: dict[str, int] = {}
        for folder in await transaction.list(IRREVOCABLE):
            suffixes = await transaction.list(IRREVOCABLE + folder)
            first = await transaction.get(IRREVOCABLE + folder + suffixes[0], KEY)
            lease = await self.by_key(transaction, first or "")
            if lease is not None:
                counts[lease.mount_accessor] = len(suffixes)
        return counts
