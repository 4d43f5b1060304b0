"""Leases as the pipeline and the endpoints use them."""

import logging

import msgspec

from wardgate.clock import Clock
from wardgate.core.leases.prefixes import Prefixes
from wardgate.core.leases.record import Lease
from wardgate.core.leases.revocation import Revocation, RevocationFailed
from wardgate.core.leases.store import LeaseStore
from wardgate.core.mounts import Mounts
from wardgate.core.request import LeaseGrant, Request, Response
from wardgate.core.settings import Settings
from wardgate.core.storage import Storage, Transaction, View
from wardgate.core.tokens.store import TokenStore
from wardgate.core.tokens.ttl import lifetime
from wardgate.errors import InvalidRequest, WardgateError

_log = logging.getLogger("wardgate.leases")


class Leases:
    """Begins leases for what endpoints give out, renews them and ends them."""

    def __init__(
        self,
        storage: Storage,
        mounts: Mounts,
        tokens: TokenStore,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._mounts = mounts
        self._tokens = tokens
        self._settings = settings
        self._clock = clock
        self.store = LeaseStore(tokens, settings)
        self.revocation = Revocation(storage, mounts, self.store, clock)
        self.prefixes = Prefixes(storage, tokens, self.store, self.revocation, clock)

    async def grant(self, request: Request, response: Response, grant: LeaseGrant) -> Response:
        """The answer with the lease of what it gives out; another one when the caller may not have
        it, since it ends with this very request."""
        lease, warnings = await self.store.begin(request, grant)
        request.leases = [*(request.leases or ()), lease]
        assert request.token is not None
        if request.token.num_uses < 0:
            refusal = (
                "Secret cannot be returned; token had one use left, so leased credentials were"
                " immediately revoked."
            )
            return Response({"errors": [refusal]}, status=400, bare=True)
        request.warnings += warnings
        response.lease_id = lease.id
        response.lease_duration = lease.remaining(request.time)
        response.renewable = lease.renewable
        return response

    async def settle(self, given: list[Lease], response: Response) -> None:
        """Take back what a request was given but cannot keep, now that it is answered.

        A request that ran again may have been given something each time (what it was given
        `Request.once` is the same each time), and it may have failed in the end.
        """
        if len(given) == 1 and given[0].id == response.lease_id:
            return
        try:
            transaction = await self._storage.begin()
            kept = [await self.store.find(transaction, lease.id) for lease in given]
        except WardgateError:
            kept = []
        settled = [lease.data for lease in kept if lease is not None]
        for lease in given:
            if lease.data not in settled:
                settled.append(lease.data)
                await self._take_back(lease)

    async def _take_back(self, lease: Lease) -> None:
        now = self._clock.now()
        over = msgspec.structs.replace(lease, owner="", expires=now, due=now)

        async def work(transaction: Transaction) -> None:
            self.store.add(transaction, over)

        try:
            await self._storage.transact(work)
        except WardgateError:
            _log.error(
                "a request at %s failed after it had been given a credential, and that it is to be"
                " revoked could not be stored: revoke it by hand",
                lease.path,
            )

    async def renew(self, request: Request, lease: Lease, increment: int) -> Response:
        """Prolong a lease by `increment` seconds from now, or as its engine has it when that is 0."""
        transaction, now = request.transaction, request.time
        if not await self._goes_on(transaction, lease, now):
            raise InvalidRequest("lease expired")
        if not lease.renewable:
            raise InvalidRequest("lease is not renewable")
        table = await self._mounts.table(transaction)
        mount = table.by_uuid[lease.mount]
        backend, storage = table.backend(mount), View(transaction, mount.storage_prefix)
        terms = await backend.lease_terms(storage, lease)
        granted = lifetime(
            now=now,
            started=lease.issued,
            asked=increment,
            role_ttl=terms.ttl,
            role_max=terms.max_ttl,
            default_ttl=self._settings.default_ttl(mount),
            max_ttl=self._settings.max_ttl(mount),
        )
        expires = granted.expires
        if lease.ends_latest:
            expires = min(expires, lease.ends_latest)
        if expires <= now:
            raise InvalidRequest("the lease has reached its maximum life and cannot be renewed")
        changed = msgspec.structs.replace(
            lease,
            expires=expires,
            due=expires,
            last_renewed=now,
            ttl=terms.ttl,
            max_ttl=terms.max_ttl,
        )
        await backend.renew_lease(storage, changed)
        self.store.replace(transaction, lease, changed)
        return Response(
            lease_id=changed.id,
            lease_duration=changed.remaining(now),
            renewable=changed.renewable,
            warnings=list(granted.warnings) or None,
        )

    async def _goes_on(self, transaction: Transaction, lease: Lease, now: float) -> bool:
        """Whether the lease has not ended, whoever has noticed: its token and its mount are there."""
        if lease.expires <= now or lease.irrevocable:
            return False
        table = await self._mounts.table(transaction)
        if lease.mount not in table.by_uuid:
            return False
        if not lease.owner:
            return True
        return await self._tokens.by_name(transaction, lease.owner, now) is not None

    async def revoke(self, transaction: Transaction, lease: Lease) -> None:
        """Revoke a lease before the answer is given; where its backend fails, nothing changes."""
        try:
            await self.revocation.revoke(transaction, lease)
        except RevocationFailed as error:
            raise InvalidRequest(
                f"failed to revoke entry: the backend could not do it ({error}); the lease stays as"
                " it was"
            ) from error
