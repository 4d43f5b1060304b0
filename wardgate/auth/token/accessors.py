"""Tokens by their accessors, for those who manage tokens without knowing them; and tidying."""

from wardgate.auth.token.lives import (
    AccessorBody,
    LifeEndpoints,
    RenewAccessorBody,
    properties,
)
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, listing, no_content
from wardgate.core.tokens.store import Found
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint


class AccessorEndpoints:
    """``accessors`` and the ``-accessor`` forms of lookup, renew and revoke."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lives = LifeEndpoints(core)

    @endpoint("accessors", Operation.LIST, operation_id="token-list-accessors", sudo=True)
    async def list_accessors(self, request: Request) -> Response:
        """List the accessors of all tokens. Needs sudo, since it can be long."""
        return listing(await self._core.tokens.accessors(request.transaction, request.time))

    @endpoint("lookup-accessor", Operation.UPDATE, operation_id="token-look-up-accessor")
    async def lookup(self, request: Request, body: AccessorBody) -> Response:
        """Look up the token of an accessor; the answer does not hold its id."""
        found = await self._found(request, body.accessor)
        return Response(await properties(self._core, request, found.token, ""))

    @endpoint("renew-accessor", Operation.UPDATE, operation_id="token-renew-accessor")
    async def renew(self, request: Request, body: RenewAccessorBody) -> Response:
        """Renew the token of an accessor; the answer does not hold its id."""
        found = await self._found(request, body.accessor)
        return await self._lives.renewed(request, found, body.increment, "")

    @endpoint("revoke-accessor", Operation.UPDATE, operation_id="token-revoke-accessor")
    async def revoke(self, request: Request, body: AccessorBody) -> Response:
        """Revoke the token of an accessor and all that came from it."""
        tokens, transaction = self._core.tokens, request.transaction
        _check(body.accessor)
        found = await tokens.by_accessor(transaction, body.accessor, request.time)
        if found is None:
            return no_content(["No token found with this accessor"])
        await tokens.revoke(transaction, found.name)
        return no_content()

    @endpoint("tidy", Operation.UPDATE, operation_id="token-tidy")
    async def tidy(self, request: Request) -> Response:
        """Accepted for the sake of clients: what has ended is swept away all the time."""
        return Response(
            status=202,
            warnings=[
                "Ended tokens are swept away continually; there is nothing left for tidy to do."
            ],
        )

    async def _found(self, request: Request, accessor: str) -> Found:
        _check(accessor)
        found = await self._core.tokens.by_accessor(request.transaction, accessor, request.time)
        if found is None:
            raise InvalidRequest("invalid accessor")
        return found


def _check(accessor: str) -> None:
    if not accessor:
        raise InvalidRequest("missing accessor")
