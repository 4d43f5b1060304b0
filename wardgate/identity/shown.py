"""How entities, groups and their aliases are shown."""

from wardgate.core.identity import Alias, Entity, Group
from wardgate.core.identity.standing import standing_of
from wardgate.core.mounts import MountTable
from wardgate.core.request import JsonMap
from wardgate.core.storage import Transaction
from wardgate.timestamps import rfc3339


async def entity_shown(transaction: Transaction, table: MountTable, entity: Entity) -> JsonMap:
    """An entity, with its aliases and with the groups that it is in."""
    standing = await standing_of(transaction, entity)
    direct = [group.id for group in standing.direct]
    inherited = [group.id for group in standing.inherited]
    return {
        "aliases": [alias_shown(table, alias, entity.id) for alias in entity.aliases],
        "creation_time": rfc3339(entity.created),
        "direct_group_ids": direct,
        "disabled": entity.disabled,
        "group_ids": direct + inherited,
        "id": entity.id,
        "inherited_group_ids": inherited,
        "last_update_time": rfc3339(entity.updated or entity.created),
        "merged_entity_ids": entity.merged or None,
        "metadata": entity.metadata or None,
        "name": entity.name,
        "namespace_id": "root",
        "policies": entity.policies,
    }


def group_shown(table: MountTable, group: Group, members: list[str]) -> JsonMap:
    """A group; `members` are the ids of its entities."""
    return {
        "alias": group_alias_inside(table, group),
        "creation_time": rfc3339(group.created),
        "id": group.id,
        "last_update_time": rfc3339(group.updated),
        "member_entity_ids": members or None,
        "member_group_ids": group.members or None,
        "metadata": group.metadata or None,
        "modify_index": group.index,
        "name": group.name,
        "namespace_id": "root",
        "parent_group_ids": group.parents or None,
        "policies": group.policies or None,
        "type": group.type,
    }


def group_alias_inside(table: MountTable, group: Group) -> JsonMap:
    """A group's alias as part of the group; empty when it has none."""
    if group.alias is None:
        return {}
    shown = alias_shown(table, group.alias, group.id)
    del shown["custom_metadata"], shown["local"]
    return shown


def alias_shown(table: MountTable, alias: Alias, canonical_id: str) -> JsonMap:
    """An alias of an entity or group with this id."""
    return {
        **alias_in_list(table, alias, canonical_id),
        "creation_time": rfc3339(alias.created),
        "id": alias.id,
        "last_update_time": rfc3339(alias.updated or alias.created),
        "merged_from_canonical_ids": alias.merged_from or None,
    }


def alias_in_list(table: MountTable, alias: Alias, canonical_id: str) -> JsonMap:
    """What a list of aliases tells of one."""
    return {
        **mount_of(table, alias),
        "canonical_id": canonical_id,
        "custom_metadata": alias.custom_metadata or None,
        "local": False,
        "metadata": alias.metadata or None,
    }


def mount_of(table: MountTable, alias: Alias) -> JsonMap:
    """An alias's name and mount; a mount that is gone has neither path nor type."""
    mount = table.by_accessor.get(alias.mount_accessor)
    return {
        "mount_accessor": alias.mount_accessor,
        "mount_path": "" if mount is None else mount.path,
        "mount_type": "" if mount is None else mount.type,
        "name": alias.name,
    }
