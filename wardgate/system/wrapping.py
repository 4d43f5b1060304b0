"""``sys/wrapping``: wrapping anything, and what is done with wrapping tokens.

These endpoints decide themselves who may call them: whoever has a wrapping token may have what it
wraps. When the request comes with another token as well, that one must be alive and allowed.
"""

from typing import Annotated

from wardgate.core.authentication import calling_token, rights
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response
from wardgate.core.tokens.store import Found
from wardgate.core.wrapping import not_a_wrapping_token, unwrapped
from wardgate.errors import InvalidRequest, PermissionDenied
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.timestamps import rfc3339


class WrappingTokenBody(Body):
    """Names a wrapping token; without it, the calling token is meant."""

    token: Annotated[str, Doc("The wrapping token.")] = ""


class WrappingEndpoints:
    """``wrap``, ``unwrap``, ``rewrap`` and ``lookup``."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("wrapping/wrap", Operation.UPDATE, operation_id="wrap")
    async def wrap(self, request: Request, body: JsonMap) -> Response:
        """Wrap the body as it is; X-Vault-Wrap-TTL says for how long."""
        if not request.wrap_ttl:
            raise InvalidRequest("endpoint requires response wrapping to be used")
        return Response(body)

    @endpoint("wrapping/unwrap", Operation.UPDATE, operation_id="unwrap", unauthenticated=True)
    async def unwrap(self, request: Request, body: WrappingTokenBody) -> Response:
        """Give out what a token wraps, once."""
        found = await self._named(request, body, may_itself=True)
        answer = await self._core.wrapping.take(request.transaction, found)
        return unwrapped(answer)

    @endpoint("wrapping/rewrap", Operation.UPDATE, operation_id="rewrap", unauthenticated=True)
    async def rewrap(self, request: Request, body: WrappingTokenBody) -> Response:
        """Move what a token wraps to a new wrapping token, with the same life."""
        found = await self._named(request, body, may_itself=False)
        answer = await self._core.wrapping.take(request.transaction, found)
        return await self._core.wrapping.keep(
            request,
            answer,
            ttl=found.token.ttl,
            path=found.token.path,
            issuer=found.token.issuer,
            accessor=(found.token.metadata or {}).get("wrapped_accessor", ""),
        )

    @endpoint(
        "wrapping/lookup",
        Operation.READ,
        operation_id="read-wrapping-properties2",
        unauthenticated=True,
    )
    async def lookup_calling(self, request: Request) -> Response:
        """Tell where the answer that the calling token wraps came from."""
        return await self.lookup(request, WrappingTokenBody())

    @endpoint(
        "wrapping/lookup",
        Operation.UPDATE,
        operation_id="read-wrapping-properties",
        unauthenticated=True,
    )
    async def lookup(self, request: Request, body: WrappingTokenBody) -> Response:
        """Tell where a wrapped answer came from, without giving it out."""
        token_id = body.token or request.client_token
        wrapping = self._core.wrapping
        found = await wrapping.find(request.transaction, token_id, request.time)
        return Response(
            {
                "creation_path": found.token.path,
                "creation_time": rfc3339(found.token.issued),
                "creation_ttl": found.token.ttl,
            }
        )

    async def _named(self, request: Request, body: WrappingTokenBody, *, may_itself: bool) -> Found:
        """The wrapping token that the request is about, if the caller may have it: `may_itself` says
        whether being that token is enough."""
        core, transaction = self._core, request.transaction
        token_id = body.token or request.client_token
        if not token_id:
            raise not_a_wrapping_token()
        if not request.client_token:
            raise PermissionDenied
        if request.client_token != token_id or not may_itself:
            caller = await calling_token(core, request)
            if request.client_token != token_id:
                await core.tokens.use(transaction, caller)
            acl = await rights(core, transaction, caller.token, request.time)
            if not acl.allows(Operation.UPDATE, request.path, request.body):
                raise PermissionDenied
        return await core.wrapping.find(transaction, token_id, request.time)
