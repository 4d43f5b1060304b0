"""Looking tokens up, renewing and revoking them: by id, by accessor, and the calling token itself."""

from typing import Annotated

import msgspec

from wardgate.core.core import Core
from wardgate.core.identity import entity_by_id, set_external_groups
from wardgate.core.logins import auth_reply
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, no_content
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token, TokenType
from wardgate.core.tokens.store import Found
from wardgate.core.tokens.ttl import lifetime
from wardgate.errors import InvalidRequest, PermissionDenied
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, Duration
from wardgate.timestamps import rfc3339


class TokenBody(Body):
    """Names a token by its id."""

    token: Annotated[str, Doc("The token.")] = ""


class AccessorBody(Body):
    """Names a token by its accessor."""

    accessor: Annotated[str, Doc("The token's accessor.")] = ""


class RenewBody(TokenBody):
    """Names a token and how long it shall live from now."""

    increment: Annotated[Duration, Doc("The wanted life from now, in seconds.", default=0)] = 0


class RenewAccessorBody(AccessorBody):
    """Names a token by its accessor, and how long it shall live from now."""

    increment: Annotated[Duration, Doc("The wanted life from now, in seconds.", default=0)] = 0


class LifeEndpoints:
    """``lookup``, ``renew`` and ``revoke``, by id and for the calling token."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("lookup", Operation.READ, operation_id="token-look-up-2")
    async def lookup_calling(self, request: Request) -> Response:
        """Look up the calling token."""
        return await self.lookup_self(request)

    @endpoint("lookup", Operation.UPDATE, operation_id="token-look-up")
    async def lookup(self, request: Request, body: TokenBody) -> Response:
        """Look up a token and its properties."""
        token_id = body.token or request.client_token
        found = await self._core.tokens.find(request.transaction, token_id, request.time)
        if found is None:
            raise PermissionDenied("bad token")
        return Response(await properties(self._core, request, found.token, token_id))

    @endpoint("lookup-self", Operation.READ, operation_id="token-look-up-self")
    async def lookup_self(self, request: Request) -> Response:
        """Look up the calling token and its properties."""
        assert request.token is not None
        return Response(await properties(self._core, request, request.token, request.client_token))

    @endpoint("lookup-self", Operation.UPDATE, operation_id="token-look-up-self2")
    async def lookup_self_by_write(
        self,
        request: Request,
        body: TokenBody,
    ) -> Response:
        """Look up the calling token and its properties."""
        return await self.lookup_self(request)

    @endpoint("renew", Operation.UPDATE, operation_id="token-renew")
    async def renew(self, request: Request, body: RenewBody) -> Response:
        """Renew a token, so that it lives longer."""
        if not body.token:
            raise InvalidRequest("missing token ID")
        found = await self._core.tokens.find(request.transaction, body.token, request.time)
        if found is None:
            raise InvalidRequest("token not found")
        return await self.renewed(request, found, body.increment, body.token)

    @endpoint("renew-self", Operation.UPDATE, operation_id="token-renew-self")
    async def renew_self(self, request: Request, body: RenewBody) -> Response:
        """Renew the calling token."""
        assert request.token is not None
        found = Found(request.token_key, request.token)
        return await self.renewed(request, found, body.increment, request.client_token)

    @endpoint("revoke", Operation.UPDATE, operation_id="token-revoke")
    async def revoke(self, request: Request, body: TokenBody) -> Response:
        """Revoke a token and all that came from it."""
        name = await self._revocable(request, body.token)
        await self._core.tokens.revoke(request.transaction, name)
        return no_content()

    @endpoint("revoke-self", Operation.UPDATE, operation_id="token-revoke-self")
    async def revoke_self(self, request: Request) -> Response:
        """Revoke the calling token and all that came from it."""
        name = await self._revocable(request, request.client_token)
        await self._core.tokens.revoke(request.transaction, name)
        return no_content()

    @endpoint("revoke-orphan", Operation.UPDATE, operation_id="token-revoke-orphan", sudo=True)
    async def revoke_orphan(self, request: Request, body: TokenBody) -> Response:
        """Revoke a token; its children live on as orphans."""
        await self._revocable(request, body.token)
        tokens, transaction = self._core.tokens, request.transaction
        found = await tokens.find(transaction, body.token, request.time)
        if found is None:
            # what is dead already took its children along: they must not live again as orphans
            raise InvalidRequest("token to revoke not found")
        await tokens.revoke_orphan(transaction, found.name)
        return no_content()

    async def _revocable(self, request: Request, token_id: str) -> str:
        if not token_id:
            raise InvalidRequest("missing token ID")
        tokens = self._core.tokens
        if token_id.startswith("b."):
            raise InvalidRequest("batch tokens cannot be revoked")
        return await tokens.name(request.transaction, token_id)

    async def renewed(
        self, request: Request, found: Found, increment: int, token_id: str
    ) -> Response:
        """Renew `found`, if the auth method that gave it out still agrees."""
        token, transaction, settings = found.token, request.transaction, self._core.settings
        if token.type is TokenType.BATCH:
            raise InvalidRequest("batch tokens cannot be renewed")
        if token.num_uses < 0:
            # this request was its last use, so it is gone: storing it would bring it back
            raise InvalidRequest("token not found")
        if not token.renewable or not token.expires:
            raise InvalidRequest("lease is not renewable")
        table = await self._core.mounts.table(transaction)
        mount = table.by_uuid[token.issuer]
        storage = View(transaction, mount.storage_prefix)
        terms = await table.backend(mount).renew(request, storage, token)
        granted = lifetime(
            now=request.time,
            started=token.issued,
            asked=increment,
            role_ttl=terms.ttl,
            role_max=terms.max_ttl,
            period=terms.period,
            explicit_max=token.explicit_max_ttl,
            default_ttl=settings.default_ttl(mount),
            max_ttl=settings.max_ttl(mount),
        )
        if granted.ttl <= 0:
            raise InvalidRequest("the token has reached its maximum life and cannot be renewed")
        changed = msgspec.structs.replace(
            token,
            expires=granted.expires,
            last_renewed=request.time,
            granted=granted.ttl,
        )
        self._core.tokens.replace(transaction, found, changed)
        request.issued = changed
        entity = await entity_by_id(transaction, token.entity_id)
        if entity is not None and terms.group_aliases is not None:
            await set_external_groups(transaction, mount, entity, terms.group_aliases)
        standing = await self._core.standings.of(transaction, token.entity_id)
        reply = auth_reply(
            token_id,
            changed,
            entity_policies=standing.policies if standing else (),
        )
        return Response(auth=reply, warnings=list(granted.warnings) or None)


async def properties(core: Core, request: Request, token: Token, token_id: str) -> JsonMap:
    """A token's properties, as the lookups show them."""
    shown: JsonMap = {
        "accessor": token.accessor,
        "creation_time": int(token.issued),
        "creation_ttl": token.ttl,
        "display_name": token.display_name,
        "entity_id": token.entity_id,
        "expire_time": rfc3339(token.expires) if token.expires else None,
        "explicit_max_ttl": token.explicit_max_ttl,
        "id": token_id,
        "issue_time": rfc3339(token.issued),
        "meta": token.metadata,
        "num_uses": token.num_uses,
        "orphan": token.orphan,
        "path": token.path,
        "policies": token.policies,
        "renewable": token.renewable,
        "ttl": token.remaining(request.time),
        "type": token.type,
    }
    if token.period:
        shown["period"] = token.period
    if token.role:
        shown["role"] = token.role
    if token.bound_cidrs:
        shown["bound_cidrs"] = token.bound_cidrs
    if token.last_renewed:
        shown["last_renewal"] = rfc3339(token.last_renewed)
        shown["last_renewal_time"] = int(token.last_renewed)
    if token.entity_id:
        standing = await core.standings.of(request.transaction, token.entity_id)
        if standing is not None and standing.policies:
            shown["identity_policies"] = standing.policies
            shown["external_namespace_policies"] = {}
    return shown
