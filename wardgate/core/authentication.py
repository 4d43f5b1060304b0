"""Who is asking, and what they may do."""

from wardgate.core.cidr import address_allowed
from wardgate.core.core import Core
from wardgate.core.identity import entity_by_id
from wardgate.core.policies import ROOT
from wardgate.core.policy import Acl
from wardgate.core.request import Request
from wardgate.core.storage import Transaction
from wardgate.core.tokens.record import Token
from wardgate.core.tokens.store import Found
from wardgate.errors import PermissionDenied


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


async def rights(core: Core, transaction: Transaction, token: Token, now: float) -> Acl:
    """What a token may do, by its own policies and its entity's; `PermissionDenied` when its
    entity is gone or disabled."""
    policies = core.policies
    if not token.entity_id:
        known = policies.known(transaction, token.policies, None, now)
        return known or await policies.acl(transaction, token.policies, None, now)
    entity = await entity_by_id(transaction, token.entity_id)
    if entity is None or entity.disabled:
        raise PermissionDenied
    # root comes with a root token only: no identity, whoever wrote it, gives it (CVE-2024-9180)
    names = (*token.policies, *(name for name in entity.policies if name != ROOT))
    known = policies.known(transaction, names, entity, now)
    return known or await policies.acl(transaction, names, entity, now)
