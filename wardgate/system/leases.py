"""``sys/leases``: looking leases up, renewing and revoking them, by id and by prefix."""

from typing import Annotated

from wardgate.core.core import Core
from wardgate.core.leases.places import LEASES, lease_path
from wardgate.core.leases.prefixes import begin_job
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, listing, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, Duration
from wardgate.system.lease_answers import lease_properties, names_below, token_properties


class LeaseBody(Body):
    """Names a lease."""

    lease_id: Annotated[str, Doc("The id that came with the secret.")] = ""


class RenewBody(LeaseBody):
    """Names a lease and how long it shall last from now."""

    increment: Annotated[Duration, Doc("The wanted length from now, in seconds.", default=0)] = 0
    url_lease_id: Annotated[str, Doc("Has no effect: use 'lease_id'.")] = ""


class UrlRenewBody(LeaseBody):
    """How long the lease shall last from now."""

    increment: Annotated[Duration, Doc("The wanted length from now, in seconds.", default=0)] = 0


class RevokeBody(LeaseBody):
    """Names a lease to revoke."""

    sync: Annotated[bool, Doc("Whether to answer only when it is revoked.", default=True)] = True
    url_lease_id: Annotated[str, Doc("Has no effect: use 'lease_id'.")] = ""


class UrlRevokeBody(LeaseBody):
    """How to revoke the lease."""

    sync: Annotated[bool, Doc("Whether to answer only when it is revoked.", default=True)] = True


class PrefixBody(Body):
    """How to revoke what lies below a prefix."""

    sync: Annotated[bool, Doc("Whether to answer only when all is revoked.", default=True)] = True


class LeaseEndpoints:
    """What is asked about leases one by one, and revocation by prefix."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._leases = core.leases

    @endpoint("leases/lookup", Operation.LIST, operation_id="leases-look-up", sudo=True)
    async def list_all(self, request: Request) -> Response:
        """List the first segments of the paths that have leases."""
        return listing(await names_below(request.transaction, LEASES))

    @endpoint(
        "leases/lookup/{prefix...}",
        Operation.LIST,
        operation_id="leases-look-up-with-prefix",
        sudo=True,
    )
    async def list_below(self, request: Request, prefix: str) -> Response:
        """List the leases, and the folders with more of them, below a path."""
        path = lease_path(prefix)
        return listing(
            await names_below(request.transaction, f"{LEASES}{path}/" if path else LEASES)
        )

    @endpoint("leases/lookup", Operation.UPDATE, operation_id="leases-read-lease")
    async def lookup(self, request: Request, body: LeaseBody) -> Response:
        """Tell when a lease began, when it ends and whether it can be renewed."""
        lease_id, transaction = _given(body.lease_id), request.transaction
        name = await self._leases.store.find_token(transaction, lease_id)
        if name is not None:
            token = await self._core.tokens.by_name(transaction, name, request.time)
            if token is not None:
                return Response(token_properties(lease_id, token.token, request.time))
        lease = await self._leases.store.find(transaction, lease_id)
        if lease is None:
            raise InvalidRequest("invalid lease")
        return Response(lease_properties(lease, request.time))

    @endpoint("leases/renew", Operation.UPDATE, operation_id="leases-renew-lease2")
    async def renew(self, request: Request, body: RenewBody) -> Response:
        """Prolong the lease of a secret."""
        return await self._renew(request, body.lease_id, body.increment)

    @endpoint("leases/renew/{url_lease_id...}", Operation.UPDATE, operation_id="leases-renew-lease")
    async def renew_by_url(
        self, request: Request, url_lease_id: str, body: UrlRenewBody
    ) -> Response:
        """Prolong the lease of a secret that the path names."""
        return await self._renew(request, body.lease_id or url_lease_id, body.increment)

    async def _renew(self, request: Request, lease_id: str, increment: int) -> Response:
        transaction = request.transaction
        name = await self._leases.store.find_token(transaction, _given(lease_id))
        if name is not None:
            token = await self._core.tokens.by_name(transaction, name, request.time)
            if token is not None and not token.token.renewable:
                raise InvalidRequest("lease is not renewable")
            if token is not None:
                raise InvalidRequest("tokens cannot be renewed through this endpoint")
        lease = await self._leases.store.find(transaction, lease_id)
        if lease is None:
            raise InvalidRequest("lease not found")
        return await self._leases.renew(request, lease, increment)

    @endpoint("leases/revoke", Operation.UPDATE, operation_id="leases-revoke-lease2")
    async def revoke(self, request: Request, body: RevokeBody) -> Response:
        """Revoke a lease: a secret is taken back, a token ends."""
        return await self._revoke(request, body.lease_id, sync=body.sync)

    @endpoint(
        "leases/revoke/{url_lease_id...}", Operation.UPDATE, operation_id="leases-revoke-lease"
    )
    async def revoke_by_url(
        self, request: Request, url_lease_id: str, body: UrlRevokeBody
    ) -> Response:
        """Revoke the lease that the path names."""
        return await self._revoke(request, body.lease_id or url_lease_id, sync=body.sync)

    async def _revoke(self, request: Request, lease_id: str, *, sync: bool) -> Response:
        await self._end(request, _given(lease_id), sync=sync)
        return _done(sync=sync)

    async def _end(self, request: Request, lease_id: str, *, sync: bool) -> bool:
        """End the lease with this id; whether there was one."""
        transaction = request.transaction
        name = await self._leases.store.find_token(transaction, lease_id)
        if name is not None:
            await self._core.tokens.revoke(transaction, name)
            return True
        lease = await self._leases.store.find(transaction, lease_id)
        if lease is None:
            return False
        if sync:
            await self._leases.revoke(transaction, lease)
        else:
            self._leases.store.end(transaction, lease, request.time)
        return True

    @endpoint(
        "leases/revoke-prefix/{prefix...}",
        Operation.UPDATE,
        operation_id="leases-revoke-lease-with-prefix2",
        sudo=True,
    )
    async def revoke_prefix(self, request: Request, prefix: str, body: PrefixBody) -> Response:
        """Revoke all leases below a path.

        What cannot be revoked at once is tried again later.
        """
        if await self._end(request, prefix, sync=body.sync):  # the id of one lease
            return _done(sync=body.sync)
        job_id = begin_job(request.transaction, _prefix(prefix), request.time, held=body.sync)
        return self._worked_off(job_id) if body.sync else _done(sync=False)

    @endpoint(
        "leases/revoke-force/{prefix...}",
        Operation.UPDATE,
        operation_id="leases-force-revoke-lease-with-prefix2",
        sudo=True,
    )
    async def revoke_force(self, request: Request, prefix: str) -> Response:
        """Forget all leases below a path, even those whose secrets cannot be taken back.

        Use it when what an engine gave out is gone for good, or is cleared away by hand.
        """
        transaction = request.transaction
        lease = await self._leases.store.find(transaction, prefix)
        if lease is not None:
            forced = self._leases.store.end(transaction, lease, request.time, forced=True)
            await self._leases.revoke(transaction, forced)
            return no_content()
        job_id = begin_job(transaction, _prefix(prefix), request.time, forced=True, held=True)
        return self._worked_off(job_id)

    def _worked_off(self, job_id: str) -> Response:
        """204 once the job is done, which begins when the record of it is durable."""

        async def work() -> Response:
            failed = await self._leases.prefixes.finish(job_id)
            if failed:
                raise InvalidRequest(
                    f"failed to revoke {failed} leases: their backends could not do it; they are"
                    " tried again, and listed at sys/leases?type=irrevocable when that fails too"
                )
            return no_content()

        response = no_content()
        response.after = work
        return response

    @endpoint("leases/tidy", Operation.UPDATE, operation_id="leases-tidy")
    async def tidy(self, request: Request) -> Response:
        """Accepted for the sake of clients: leases are looked after all the time."""
        return Response(
            status=202,
            warnings=["Leases are cleared away as they end; there is nothing left for tidy to do."],
        )


def _given(lease_id: str) -> str:
    if not lease_id:
        raise InvalidRequest("lease_id must be specified")
    return lease_id


def _prefix(prefix: str) -> str:
    path = lease_path(prefix)
    if not path:
        raise InvalidRequest("prefix: must name at least one segment of a path")
    return path


def _done(*, sync: bool) -> Response:
    return no_content() if sync else Response(status=202, bare=True, raw=b"")
