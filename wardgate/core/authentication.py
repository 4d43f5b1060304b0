"""Who is asking, and what they may do."""

from wardgate.core.backend import Endpoint
from wardgate.core.cidr import address_allowed
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.policy import Acl
from wardgate.core.request import Request
from wardgate.core.storage import Transaction
from wardgate.core.tokens.record import Token
from wardgate.core.tokens.store import Found
from wardgate.errors import InvalidRequest, PermissionDenied


async def calling_token(core: Core, request: Request) -> Found:
    """The token that the request came with; `PermissionDenied` when it is none, is dead, or may
    not be used from that address."""
    found = await core.tokens.find(request.transaction, request.client_token, request.time)
    if found is None:
        raise PermissionDenied
    cidrs = found.token.bound_cidrs
    if cidrs and not address_allowed(request.remote_address, cidrs):
        raise PermissionDenied
    return found


async def check_may_wrap(core: Core, request: Request) -> None:
    """`InvalidRequest` when a request to an endpoint that needs no token has none: what is wrapped
    is stored, and strangers must not fill the disk."""
    try:
        await calling_token(core, request)
    except PermissionDenied:
        raise InvalidRequest("X-Vault-Wrap-TTL: wrapping this answer needs a token") from None


async def opened(core: Core, request: Request, endpoint: Endpoint) -> bool:
    """Whether the listener lets the call through without a token, and the caller has none that
    allows it: whoever has one is known by it, and a useless one does not stand in the way."""
    try:
        found = await calling_token(core, request)
        acl = await rights(core, request.transaction, found.token, request.time)
    except PermissionDenied:
        return True
    given = request.body if request.operation is Operation.UPDATE else request.query
    return not acl.allows(
        request.operation, request.path, given, request.wrap_ttl, sudo=endpoint.sudo
    )


async def rights(core: Core, transaction: Transaction, token: Token, now: float) -> Acl:
    """What a token may do, by its own policies, its entity's, and those of all groups that the entity
    is in; `PermissionDenied` when its entity is gone or disabled."""
    policies, names, standing = core.policies, token.policies, None
    if token.entity_id:
        standing = await core.standings.of(transaction, token.entity_id)
        if standing is None or standing.entity.disabled:
            raise PermissionDenied
        names += standing.policies
    known = policies.known(transaction, names, standing, now)
    return known or await policies.acl(transaction, names, standing, now)
