"""Brings identities that the first versions stored up to date: they had no keys for finding an
entity by its name and an alias by its id, and told no times of aliases."""

import msgspec

from wardgate.core.identity.entities import put_entity
from wardgate.core.identity.names import ENTITIES_BY_NAME
from wardgate.core.identity.records import (
    ALIAS_IDS,
    ENTITIES,
    ID,
    NOTHING,
    get_entity,
    led_to,
)
from wardgate.core.storage import Transaction

INDEXED = "core/identity-indexed"
"""There when nothing is left to do; a new server starts with it."""

_CURSOR = "job/identity-index"


async def index_entities(transaction: Transaction, limit: int) -> bool:
    """Do it for the next `limit` entities; whether there was anything to do."""
    if await transaction.get(INDEXED, NOTHING) is not None:
        return False
    cursor = await led_to(transaction, _CURSOR)
    entity_ids = await transaction.list(ENTITIES, cursor, limit)
    for entity_id in entity_ids:
        entity = await get_entity(transaction, entity_id)
        if entity is None:
            continue
        name_key = ENTITIES_BY_NAME.key(entity.name)
        if not await led_to(transaction, name_key):
            transaction.put(name_key, entity_id, ID)
        for alias in entity.aliases:
            transaction.put(ALIAS_IDS + alias.id, entity_id, ID)
        aliases = tuple(
            alias if alias.created else msgspec.structs.replace(alias, created=entity.created)
            for alias in entity.aliases
        )
        put_entity(transaction, msgspec.structs.replace(entity, aliases=aliases))
    if len(entity_ids) == limit:
        transaction.put(_CURSOR, entity_ids[-1], ID)
    else:
        transaction.put(INDEXED, b"", NOTHING)
        transaction.delete(_CURSOR)
    return True
