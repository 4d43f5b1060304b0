"""What a login does to identities: it touches the keys of whoever logs in and nothing else."""

from collections.abc import Iterable

import msgspec

from wardgate.core.identity.entities import (
    entity_by_alias,
    leave,
    new_entity,
    put_alias,
    put_entity,
)
from wardgate.core.identity.records import (
    MEMBERS,
    NOTHING,
    Alias,
    Entity,
    get_group,
    group_alias_key,
    led_to,
    made_at,
)
from wardgate.core.ids import new_uuid
from wardgate.core.mounts import Mount
from wardgate.core.storage import Transaction


async def entity_for_login(
    transaction: Transaction,
    mount: Mount,
    alias_name: str,
    metadata: dict[str, str],
    now: float,
) -> Entity:
    """The entity of somebody who logged in at `mount`; made when it is their first time.

    The alias takes over the `metadata` of this login. Nothing is written when nothing changed.
    """
    entity = await entity_by_alias(transaction, mount.accessor, alias_name)
    alias = None if entity is None else entity.alias_at(mount.accessor)
    if entity is None or alias is None:
        entity = entity or await new_entity(transaction, now)
        alias = Alias(
            id=new_uuid(),
            name=alias_name,
            mount_accessor=mount.accessor,
            metadata=metadata,
            created=now,
            updated=now,
        )
        return put_alias(transaction, entity, alias)
    if alias.metadata == metadata:
        return entity
    changed = msgspec.structs.replace(alias, metadata=metadata, updated=now)
    aliases = tuple(changed if each is alias else each for each in entity.aliases)
    entity = msgspec.structs.replace(entity, aliases=aliases)
    put_entity(transaction, entity)
    return entity


async def set_external_groups(
    transaction: Transaction, mount: Mount, entity: Entity, names: Iterable[str]
) -> Entity:
    """Make the entity a member of just those external groups of `mount` whose aliases there have
    these `names`; names that no group has are nobody's. Nothing is written when nothing changed."""
    wanted: dict[str, str] = {}
    for name in names:
        key = group_alias_key(mount.accessor, name)
        group = await get_group(transaction, await led_to(transaction, key))
        if group is not None and group.via:
            wanted[group.id] = group.via
    for group_id, via in entity.external.items():
        if made_at(via, mount.accessor) and wanted.get(group_id) != via:
            entity = leave(transaction, entity, via)
    joined = {group: via for group, via in wanted.items() if entity.external.get(group) != via}
    if joined:
        entity = msgspec.structs.replace(entity, external={**entity.external, **joined})
        put_entity(transaction, entity)
        for via in joined.values():
            transaction.put(f"{MEMBERS}{via}/{entity.id}", b"", NOTHING)
    return entity
