"""Groups: found, made, changed and deleted, with all keys that belong to them."""

from collections.abc import Iterable

import msgspec

from wardgate.core.identity.entities import join, leave
from wardgate.core.identity.names import GROUPS_BY_NAME
from wardgate.core.identity.records import (
    GROUP,
    GROUP_ALIAS_IDS,
    GROUPS,
    ID,
    MEMBERS,
    NOTHING,
    Alias,
    Entity,
    Group,
    get_entity,
    get_group,
    group_alias_key,
    led_to,
    new_via,
)
from wardgate.core.identity.scan import in_turns
from wardgate.core.ids import new_uuid
from wardgate.core.storage import Transaction
from wardgate.errors import InvalidRequest

MOST_CHANGES = 10_000
"""Entities that one write may put into a group or take out of it: more would make others wait."""

ENDED_MEMBERS = "job/identity-members/"
"""Jobs: the `member_source` in the key is gone, and its members are to be told."""


async def group_by_name(transaction: Transaction, name: str) -> Group | None:
    """The group of this name, in upper or lower case."""
    return await GROUPS_BY_NAME.find(transaction, name)


async def group_by_alias(
    transaction: Transaction, mount_accessor: str, alias_name: str
) -> Group | None:
    """The group that is called `alias_name` at a mount."""
    key = group_alias_key(mount_accessor, alias_name)
    return await get_group(transaction, await led_to(transaction, key))


async def group_by_alias_id(transaction: Transaction, alias_id: str) -> tuple[Group, Alias] | None:
    """The group that has the alias with this id, and that alias."""
    if not alias_id:
        return None
    group = await get_group(transaction, await led_to(transaction, GROUP_ALIAS_IDS + alias_id))
    if group is None or group.alias is None or group.alias.id != alias_id:
        return None
    return group, group.alias


async def new_group(transaction: Transaction, now: float, kind: str, name: str = "") -> Group:
    """Make a group of the type `kind`; without a `name` it gets one that is free.

    Raises `InvalidRequest` when there is one of this name.
    """
    name = name or await GROUPS_BY_NAME.free(transaction)
    group = Group(id=new_uuid(), name=name, type=kind, created=now, updated=now)
    await GROUPS_BY_NAME.take(transaction, group)
    put_group(transaction, group)
    return group


def put_group(transaction: Transaction, group: Group) -> None:
    """Store a changed group whose name and alias are those that it had."""
    transaction.put(GROUPS + group.id, group, GROUP)


async def rename_group(transaction: Transaction, group: Group, name: str) -> Group:
    """Give a group another name; `InvalidRequest` when it is another's."""
    renamed = msgspec.structs.replace(group, name=name)
    await GROUPS_BY_NAME.move(transaction, renamed, group.name)
    put_group(transaction, renamed)
    return renamed


async def member_entity_ids(transaction: Transaction, group: Group) -> list[str]:
    """The ids of the entities that are in the group themselves, sorted."""
    source = group.member_source
    return await transaction.list(f"{MEMBERS}{source}/") if source else []


async def set_member_entities(
    transaction: Transaction, group: Group, entity_ids: Iterable[str]
) -> None:
    """Make just these entities the members of an internal group.

    Raises `InvalidRequest` when one of them is not there, or too much would change. The caller
    writes the group too, so that of two such changes at once one sees what the other did.
    """
    wanted = set(entity_ids)
    present = set(await member_entity_ids(transaction, group))
    if len(wanted ^ present) > MOST_CHANGES:
        raise InvalidRequest(
            f"member_entity_ids: one write may add and remove at most {MOST_CHANGES} members;"
            " do it in several steps"
        )
    async for entity_id in in_turns(sorted(wanted - present)):
        entity = await get_entity(transaction, entity_id)
        if entity is None:
            raise InvalidRequest("member_entity_ids: there is no entity with one of these ids")
        join(transaction, entity, group.id)
    async for entity_id in in_turns(sorted(present - wanted)):
        entity = await get_entity(transaction, entity_id)
        if entity is not None:
            leave(transaction, entity, group.id)


async def set_member_groups(
    transaction: Transaction, group: Group, group_ids: Iterable[str], now: float
) -> Group:
    """Make just these groups the members of an internal group; its new record.

    Raises `InvalidRequest` when one of them is not there, or would come to be inside of itself.
    """
    wanted = tuple(dict.fromkeys(group_ids))
    if group.id in wanted:
        raise InvalidRequest("member_group_ids: a group cannot be a member of itself")
    above = await _ancestors(transaction, group)
    for member_id in wanted:
        member = await get_group(transaction, member_id)
        if member is None:
            raise InvalidRequest("member_group_ids: there is no group with one of these ids")
        if member_id in above:
            raise InvalidRequest(
                "member_group_ids: cyclic relationship: this group is inside of one of them"
            )
        if group.id not in member.parents:
            parents = (*member.parents, group.id)
            put_group(transaction, msgspec.structs.replace(member, parents=parents, updated=now))
    for member_id in group.members:
        if member_id not in wanted:
            await _lose_parent(transaction, member_id, group.id, now)
    group = msgspec.structs.replace(group, members=wanted)
    put_group(transaction, group)
    return group


async def _ancestors(transaction: Transaction, group: Group) -> set[str]:
    above: set[str] = set()
    waiting = list(group.parents)
    while waiting:
        group_id = waiting.pop()
        if group_id in above:
            continue
        above.add(group_id)
        parent = await get_group(transaction, group_id)
        waiting += parent.parents if parent else ()
    return above


async def _lose_parent(
    transaction: Transaction, member_id: str, parent_id: str, now: float
) -> None:
    member = await get_group(transaction, member_id)
    if member is not None:
        parents = tuple(each for each in member.parents if each != parent_id)
        put_group(transaction, msgspec.structs.replace(member, parents=parents, updated=now))


async def delete_group(transaction: Transaction, group: Group, now: float) -> None:
    """Remove a group: its rights end at once; what its members hold of it is cleared away later."""
    for member_id in group.members:
        await _lose_parent(transaction, member_id, group.id, now)
    for parent_id in group.parents:
        parent = await get_group(transaction, parent_id)
        if parent is not None:
            members = tuple(each for each in parent.members if each != group.id)
            put_group(transaction, msgspec.structs.replace(parent, members=members, updated=now))
    if group.member_source:
        transaction.put(ENDED_MEMBERS + group.member_source, b"", NOTHING)
    remove_group_alias(transaction, group)
    GROUPS_BY_NAME.release(transaction, group.name)
    transaction.delete(GROUPS + group.id)


def set_group_alias(transaction: Transaction, group: Group, alias: Alias) -> Group:
    """Give an external group an alias, which no other group has, in the place of its old one.

    Who is a member by another alias, or by another name of this one, is a member no more.
    """
    key = group_alias_key(alias.mount_accessor, alias.name)
    old, via = group.alias, group.via
    if old is None or old.id != alias.id or key != group_alias_key(old.mount_accessor, old.name):
        group = remove_group_alias(transaction, group)
        via = new_via(alias.mount_accessor)
    group = msgspec.structs.replace(group, alias=alias, via=via)
    put_group(transaction, group)
    transaction.put(key, group.id, ID)
    transaction.put(GROUP_ALIAS_IDS + alias.id, group.id, ID)
    return group


def remove_group_alias(transaction: Transaction, group: Group) -> Group:
    """Take its alias away from a group, and so all members that logins made."""
    if group.alias is None:
        return group
    transaction.delete(group_alias_key(group.alias.mount_accessor, group.alias.name))
    transaction.delete(GROUP_ALIAS_IDS + group.alias.id)
    transaction.put(ENDED_MEMBERS + group.via, b"", NOTHING)
    group = msgspec.structs.replace(group, alias=None, via="")
    put_group(transaction, group)
    return group


async def forget_members(transaction: Transaction, limit: int) -> bool:
    """Tell up to `limit` members of a group that is gone; whether there was anything to do."""
    jobs = await transaction.list(ENDED_MEMBERS, limit=1)
    if not jobs:
        return False
    folder = f"{MEMBERS}{jobs[0]}/"
    members = await transaction.list(folder, limit=limit)
    for entity_id in members:
        entity: Entity | None = await get_entity(transaction, entity_id)
        if entity is not None:
            leave(transaction, entity, jobs[0])
        transaction.delete(folder + entity_id)
    if not members:
        transaction.delete(ENDED_MEMBERS + jobs[0])
    return True
