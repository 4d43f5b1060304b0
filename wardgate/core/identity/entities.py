"""Entities: found, made, changed and deleted, with all keys that belong to them."""

import msgspec

from wardgate.core.identity.names import ENTITIES_BY_NAME
from wardgate.core.identity.records import (
    ALIAS_IDS,
    ENTITIES,
    ENTITY,
    ID,
    MEMBERS,
    MERGED,
    NOTHING,
    Alias,
    Entity,
    alias_key,
    get_entity,
    led_to,
    made_at,
)
from wardgate.core.ids import new_uuid
from wardgate.core.storage import Transaction


async def entity_by_id(transaction: Transaction, entity_id: str) -> Entity | None:
    """The entity with this id, or the one that it was merged into."""
    entity = await get_entity(transaction, entity_id)
    if entity is not None or not entity_id:
        return entity
    return await get_entity(transaction, await led_to(transaction, MERGED + entity_id))


async def entity_by_name(transaction: Transaction, name: str) -> Entity | None:
    """The entity of this name, in upper or lower case."""
    return await ENTITIES_BY_NAME.find(transaction, name)


async def entity_by_alias(
    transaction: Transaction, mount_accessor: str, alias_name: str
) -> Entity | None:
    """The entity that is called `alias_name` at a mount."""
    return await get_entity(
        transaction, await led_to(transaction, alias_key(mount_accessor, alias_name))
    )


async def entity_by_alias_id(
    transaction: Transaction, alias_id: str
) -> tuple[Entity, Alias] | None:
    """The entity that has the alias with this id, and that alias."""
    if not alias_id:
        return None
    entity = await get_entity(transaction, await led_to(transaction, ALIAS_IDS + alias_id))
    for alias in entity.aliases if entity else ():
        if entity is not None and alias.id == alias_id:
            return entity, alias
    return None


async def new_entity(transaction: Transaction, now: float, name: str = "") -> Entity:
    """Make an entity; without a `name` it gets one that is free.

    Raises `InvalidRequest` when there is one of this name.
    """
    name = name or await ENTITIES_BY_NAME.free(transaction)
    entity = Entity(id=new_uuid(), name=name, created=now, updated=now)
    await ENTITIES_BY_NAME.take(transaction, entity)
    put_entity(transaction, entity)
    return entity


def put_entity(transaction: Transaction, entity: Entity) -> None:
    """Store a changed entity whose name and aliases are those that it had."""
    transaction.put(ENTITIES + entity.id, entity, ENTITY)


async def rename_entity(transaction: Transaction, entity: Entity, name: str) -> Entity:
    """Give an entity another name; `InvalidRequest` when it is somebody else's."""
    renamed = msgspec.structs.replace(entity, name=name)
    await ENTITIES_BY_NAME.move(transaction, renamed, entity.name)
    put_entity(transaction, renamed)
    return renamed


def put_alias(transaction: Transaction, entity: Entity, alias: Alias) -> Entity:
    """Store `alias` with `entity`, in the place of the one with the same id if there is one."""
    rest = [each for each in entity.aliases if each.id != alias.id]
    old = next((each for each in entity.aliases if each.id == alias.id), None)
    if old is not None:
        transaction.delete(alias_key(old.mount_accessor, old.name))
    transaction.put(alias_key(alias.mount_accessor, alias.name), entity.id, ID)
    transaction.put(ALIAS_IDS + alias.id, entity.id, ID)
    changed = msgspec.structs.replace(entity, aliases=(*rest, alias))
    put_entity(transaction, changed)
    return changed


def remove_alias(transaction: Transaction, entity: Entity, alias: Alias, now: float) -> Entity:
    """Take an alias away from its entity, and with it the groups that logins by it told of."""
    transaction.delete(alias_key(alias.mount_accessor, alias.name))
    transaction.delete(ALIAS_IDS + alias.id)
    entity = leave_external(transaction, entity, alias.mount_accessor)
    rest = tuple(each for each in entity.aliases if each.id != alias.id)
    changed = msgspec.structs.replace(entity, aliases=rest, updated=now)
    put_entity(transaction, changed)
    return changed


def join(transaction: Transaction, entity: Entity, group_id: str) -> Entity:
    """Make an entity a member of an internal group."""
    changed = msgspec.structs.replace(entity, groups=(*entity.groups, group_id))
    put_entity(transaction, changed)
    transaction.put(f"{MEMBERS}{group_id}/{entity.id}", b"", NOTHING)
    return changed


def leave(transaction: Transaction, entity: Entity, source: str) -> Entity:
    """End the membership by `source`, a group's `member_source`."""
    changed = msgspec.structs.replace(
        entity,
        groups=tuple(each for each in entity.groups if each != source),
        external={group: via for group, via in entity.external.items() if via != source},
    )
    put_entity(transaction, changed)
    transaction.delete(f"{MEMBERS}{source}/{entity.id}")
    return changed


def leave_external(transaction: Transaction, entity: Entity, mount_accessor: str) -> Entity:
    """End the memberships that logins at a mount made."""
    for via in entity.external.values():
        if made_at(via, mount_accessor):
            entity = leave(transaction, entity, via)
    return entity


def delete_entity(transaction: Transaction, entity: Entity) -> None:
    """Remove an entity with everything that leads to it: its tokens may do nothing any more."""
    for alias in entity.aliases:
        transaction.delete(alias_key(alias.mount_accessor, alias.name))
        transaction.delete(ALIAS_IDS + alias.id)
    for source in (*entity.groups, *entity.external.values()):
        transaction.delete(f"{MEMBERS}{source}/{entity.id}")
    for merged in entity.merged:
        transaction.delete(MERGED + merged)
    ENTITIES_BY_NAME.release(transaction, entity.name)
    transaction.delete(ENTITIES + entity.id)
