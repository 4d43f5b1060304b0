"""Finds a place among the leases for tokens from before tokens were leases.

Until this has been done once, such tokens work as ever, but no prefix reaches them.
"""

from wardgate.core.leases.places import token_key
from wardgate.core.records import BytesCodec, Codec
from wardgate.core.storage import Transaction
from wardgate.core.tokens.record import TOKEN
from wardgate.core.tokens.store import RECORDS

REACHED_KEY = "core/leased-tokens"
REACHED: Codec[str] = Codec(str)
"""The storage name of the last token that was looked at, or `ALL`."""
ALL = "all"
BATCH = 100

_BYTES = BytesCodec()


async def index_some(transaction: Transaction) -> bool:
    """Go on with some tokens; False when all are done, as on every server that began later."""
    reached = await transaction.get(REACHED_KEY, REACHED) or ""
    if reached == ALL:
        return False
    names = await transaction.list(RECORDS, reached, BATCH)
    for name in names:
        token = await transaction.get(RECORDS + name, TOKEN)
        if token is not None and token.leased and not token.dissolved:
            transaction.put(token_key(token.path, name), b"", _BYTES)
    transaction.put(REACHED_KEY, names[-1] if len(names) == BATCH else ALL, REACHED)
    return True
