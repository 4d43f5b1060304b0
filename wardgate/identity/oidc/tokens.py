"""``identity/oidc/token``: a signed token that says who its bearer is."""

import asyncio

from wardgate.core.identity import Standings
from wardgate.core.json import encode
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.identity.oidc.records import (
    ROLE,
    ROLES,
    checked_name,
    issuer_of,
    key_by_name,
)
from wardgate.identity.oidc.signing import sign
from wardgate.identity.oidc.templates import Moment, Template


class TokenEndpoints:
    """Tokens for whoever has an entity. `address` is the server's own, as others reach it."""

    def __init__(self, standings: Standings, address: str) -> None:
        self._standings = standings
        self._address = address

    @endpoint("oidc/token/{name}", Operation.READ, operation_id="oidc-generate-token")
    async def token(self, request: Request, name: str) -> Response:
        """A token about the caller's entity, as a role has it.

        It is not stored and cannot be revoked: it ends when it expires.
        """
        transaction = request.transaction
        role = await transaction.get(ROLES + checked_name(name), ROLE)
        if role is None:
            raise InvalidRequest("there is no role of this name")
        key = await key_by_name(transaction, role.key)
        if key is None or key.signing is None:
            raise InvalidRequest("the role's key is gone")
        if not key.allows(role.client_id):
            raise InvalidRequest("the role's client_id is not among the key's allowed_client_ids")
        assert request.token is not None
        standing = None
        if request.token.entity_id:
            standing = await self._standings.of(transaction, request.token.entity_id)
        if standing is None:
            raise InvalidRequest("no entity associated with the request's token")
        moment = Moment(standing.template_subject(), int(request.time))
        claims = encode(
            {
                **Template(role.template).fill_in(moment),
                "iss": await issuer_of(transaction, self._address),
                "sub": standing.entity.id,
                "aud": role.client_id,
                "iat": moment.time,
                "exp": moment.time + role.ttl,
                "namespace": "root",
            }
        )
        pair = key.signing
        token = await request.once(
            f"sign by {pair.id}: {claims!r}", lambda: asyncio.to_thread(sign, pair, claims)
        )
        return Response({"client_id": role.client_id, "token": token, "ttl": role.ttl})
