"""What the sweeper does for identities, a little at a time."""

from wardgate.core.identity.groups import forget_members
from wardgate.core.identity.indexing import index_entities
from wardgate.core.identity.pruning import prune_step
from wardgate.core.storage import Transaction


async def keep_identities(transaction: Transaction, now: float, limit: int) -> bool:
    """One step about at most `limit` records; whether there was anything to do."""
    return (
        await index_entities(transaction, limit)
        or await forget_members(transaction, limit)
        or await prune_step(transaction, now, limit)
    )
