"""``identity/oidc/introspect``: whether a token is good, for who does not want to check it."""

import asyncio
from typing import Annotated

import msgspec

from wardgate.core.identity import entity_by_id
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.framework.jws import BadSignature, Malformed
from wardgate.identity.oidc.discovery import published_keys
from wardgate.identity.oidc.records import issuer_of
from wardgate.identity.oidc.signing import verified


class IntrospectBody(Body):
    """A token, and for whom it is meant."""

    client_id: Annotated[str, Doc("The audience that the token must have, if given.")] = ""
    token: Annotated[str, Doc("The token.")] = ""


class Claims(msgspec.Struct, frozen=True):
    """The claims that every identity token has."""

    iss: str
    sub: str
    aud: str
    iat: int
    exp: int


class IntrospectionEndpoints:
    """Checks tokens. `address` is the server's own, as others reach it."""

    def __init__(self, address: str) -> None:
        self._address = address

    @endpoint("oidc/introspect", Operation.UPDATE, operation_id="oidc-introspect")
    async def introspect(self, request: Request, body: IntrospectBody) -> Response:
        """Tell whether a token is genuine, has not expired, and is about somebody who is there."""
        fault = await self._fault(request, body)
        answer: JsonMap = {"active": True} if fault is None else {"active": False, "error": fault}
        return Response(answer, bare=True)

    async def _fault(self, request: Request, body: IntrospectBody) -> str | None:
        """What is wrong with the token; None if it is good."""
        published = {
            jwk["kid"]: jwk for jwk, _ in await published_keys(request.transaction, request.time)
        }
        try:
            payload = await asyncio.to_thread(verified, body.token, published)
            claims = msgspec.json.decode(payload, type=Claims)
        except (Malformed, msgspec.DecodeError):
            return "error parsing token: expected a signed token in its compact form"
        except BadSignature:
            return "unable to validate the token signature"
        if claims.iss != await issuer_of(request.transaction, self._address):
            return "error validating claims: the issuer is another"
        if body.client_id and claims.aud != body.client_id:
            return "error validating claims: the audience is another"
        if not claims.iat <= request.time < claims.exp:
            return "error validating claims: the token has expired, or is not valid yet"
        entity = await entity_by_id(request.transaction, claims.sub)
        if entity is None:
            return "entity was not found"
        return "entity is disabled" if entity.disabled else None
