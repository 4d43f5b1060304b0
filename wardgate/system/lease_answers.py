"""How leases are shown."""

import asyncio

from wardgate.core.leases.record import Lease
from wardgate.core.request import JsonMap
from wardgate.core.storage import Transaction
from wardgate.core.tokens.record import Token
from wardgate.timestamps import rfc3339

_PAGE = 5000  # names that are listed without giving others their turn


def token_properties(lease_id: str, token: Token, now: float) -> JsonMap:
    """A token, as a lease."""
    return {
        "expire_time": rfc3339(token.expires) if token.expires else None,
        "id": lease_id,
        "issue_time": rfc3339(token.issued),
        "last_renewal": rfc3339(token.last_renewed) if token.last_renewed else None,
        "path": lease_id.rpartition("/")[0],
        "renewable": token.renewable,
        "ttl": token.remaining(now),
    }


def lease_properties(lease: Lease, now: float) -> JsonMap:
    """A dynamic secret's lease; one that waits for its revocation can no longer be renewed."""
    shown: JsonMap = {
        "expire_time": rfc3339(lease.expires),
        "id": lease.id,
        "issue_time": rfc3339(lease.issued),
        "last_renewal": rfc3339(lease.last_renewed) if lease.last_renewed else None,
        "path": lease.path,
        "renewable": lease.renewable and lease.expires > now,
        "ttl": lease.remaining(now),
    }
    if lease.error:
        shown["revoke_error"] = lease.refusal
    return shown


async def names_below(transaction: Transaction, folder: str) -> list[str]:
    """All names on one level, however many, without keeping others waiting for long."""
    names: list[str] = []
    while True:
        page = await transaction.list(folder, names[-1] if names else "", _PAGE)
        names += page
        if len(page) < _PAGE:
            return names
        await asyncio.sleep(0)
