"""What becomes of the aliases of an auth mount that is taken away."""

import msgspec

from wardgate.core.identity.entities import delete_entity, remove_alias
from wardgate.core.identity.groups import remove_group_alias
from wardgate.core.identity.records import (
    ALIASES,
    GROUP_ALIASES,
    Entity,
    get_entity,
    get_group,
    led_to,
)
from wardgate.core.storage import Transaction


async def remove_aliases(
    transaction: Transaction, mount_accessor: str, limit: int, now: float
) -> bool:
    """Remove up to `limit` aliases of a mount that is gone; whether there were any.

    An entity that only its logins made ends with its last alias. One that somebody gave a policy,
    metadata, a group, another name or another entity's aliases stays.
    """
    if not mount_accessor:  # a job from before it was noted
        return False
    folder = f"{ALIASES}{mount_accessor}/"
    names = await transaction.list(folder, limit=limit)
    for name in names:
        entity = await get_entity(transaction, await led_to(transaction, folder + name))
        transaction.delete(folder + name)
        alias = None if entity is None else entity.alias_at(mount_accessor)
        if entity is None or alias is None:
            continue
        entity = remove_alias(transaction, entity, alias, now)
        if not entity.aliases and _made_by_logins(entity):
            delete_entity(transaction, entity)
    return bool(names) or await _remove_group_aliases(transaction, mount_accessor, limit, now)


def _made_by_logins(entity: Entity) -> bool:
    return not (
        entity.policies
        or entity.metadata
        or entity.groups
        or entity.merged
        or entity.disabled
        or not entity.name.startswith("entity_")
    )


async def _remove_group_aliases(
    transaction: Transaction, mount_accessor: str, limit: int, now: float
) -> bool:
    folder = f"{GROUP_ALIASES}{mount_accessor}/"
    names = await transaction.list(folder, limit=limit)
    for name in names:
        group = await get_group(transaction, await led_to(transaction, folder + name))
        transaction.delete(folder + name)
        if group is not None and group.alias is not None:
            remove_group_alias(transaction, msgspec.structs.replace(group, updated=now))
    return bool(names)
