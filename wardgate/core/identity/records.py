"""What is stored about people, machines and groups, and under which keys.

Each entity, alias and group has keys of its own. Which groups an entity is in directly stands in
the entity, which groups a group is in stands in the group: so a request reads only what concerns
whoever sends it, and a login writes only what belongs to whoever logs in.

    identity/entity/ID                  an entity, with its aliases and its groups
    identity/entity-name/HASH           from a name to the entity's id
    identity/alias/ACCESSOR/HASH        from an alias at a mount to the entity's id
    identity/alias-id/ID                from an alias's id to the entity's id
    identity/merged/ID                  from an entity that is gone to the one that took it in
    identity/group/ID                   a group
    identity/group-name/HASH            from a name to the group's id
    identity/group-alias/ACCESSOR/HASH  from a group's alias at a mount to the group's id
    identity/group-alias-id/ID          from a group alias's id to the group's id
    identity/member/ID/ENTITY           who is in a group: for listing, rights do not hang on it.
                                        ID is the group's `member_source`

Names come from outside and may be long or odd, so keys hold a digest of them. Names differ when
they differ in more than upper and lower case. Times are seconds since the epoch.
"""

import base64
import hashlib

import msgspec

from wardgate.core.ids import random_base62
from wardgate.core.records import BytesCodec, Codec
from wardgate.core.storage import Transaction

ENTITIES = "identity/entity/"
ENTITY_NAMES = "identity/entity-name/"
ALIASES = "identity/alias/"
ALIAS_IDS = "identity/alias-id/"
MERGED = "identity/merged/"
GROUPS = "identity/group/"
GROUP_NAMES = "identity/group-name/"
GROUP_ALIASES = "identity/group-alias/"
GROUP_ALIAS_IDS = "identity/group-alias-id/"
MEMBERS = "identity/member/"

INTERNAL = "internal"
EXTERNAL = "external"


class Alias(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The name of an entity or a group at one mount. `metadata` is what the newest login told,
    `custom_metadata` what an operator wrote. `merged_from` are the entities that had it before."""

    id: str
    name: str
    mount_accessor: str
    metadata: dict[str, str] = {}
    custom_metadata: dict[str, str] = {}
    created: float = 0
    updated: float = 0
    merged_from: tuple[str, ...] = ()


class Entity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person or machine. `merged` are the ids of the entities that it took in."""

    id: str
    name: str
    created: float
    updated: float = 0
    aliases: tuple[Alias, ...] = ()
    policies: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    disabled: bool = False
    merged: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """The internal groups that it is a member of itself; some may be gone by now."""
    external: dict[str, str] = {}
    """The external groups that logins put it into, each with the group's `via` at that time: when
    it has another one now, this is no membership any more."""

    def alias_at(self, mount_accessor: str) -> Alias | None:
        """Its alias at a mount: it has no more than one."""
        for alias in self.aliases:
            if alias.mount_accessor == mount_accessor:
                return alias
        return None


class Group(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A group of entities and groups. Operators make the members of an internal one, logins those
    of an external one, which has an `alias`: the group's name at the auth mount.

    `members` are groups inside this one, `parents` groups that it is inside of. `index` counts the
    writes.
    """

    id: str
    name: str
    type: str
    created: float
    updated: float
    policies: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    members: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    alias: Alias | None = None
    via: str = ""
    """Made anew whenever an external group gets an alias, or its alias another name or mount: who
    was a member by the old one is no longer, until a login says so again. See `new_via`."""
    index: int = 1

    @property
    def member_source(self) -> str:
        """What stands for its entities in the keys below `MEMBERS`; empty when it can have none."""
        return self.id if self.type == INTERNAL else self.via


ENTITY: Codec[Entity] = Codec(Entity)
GROUP: Codec[Group] = Codec(Group)
ID: Codec[str] = Codec(str)
NOTHING = BytesCodec()


def folded(name: str) -> str:
    """The form in which names are compared."""
    return name.lower()


def name_digest(name: str) -> str:
    """The part of a key that stands for a name."""
    digest = hashlib.sha256(folded(name).encode()).digest()[:24]
    return base64.urlsafe_b64encode(digest).decode()


def alias_key(mount_accessor: str, name: str) -> str:
    return f"{ALIASES}{mount_accessor}/{name_digest(name)}"


def group_alias_key(mount_accessor: str, name: str) -> str:
    return f"{GROUP_ALIASES}{mount_accessor}/{name_digest(name)}"


def new_via(mount_accessor: str) -> str:
    """What stands for the members that logins at a mount make, from now on."""
    return f"{mount_accessor}.{random_base62(20)}"


def made_at(via: str, mount_accessor: str) -> bool:
    """Whether a `via` stands for members that logins at this mount made."""
    return via.startswith(mount_accessor + ".")


async def get_entity(transaction: Transaction, entity_id: str) -> Entity | None:
    """The entity with just this id."""
    if not entity_id:
        return None
    return await transaction.get(ENTITIES + entity_id, ENTITY)


async def get_group(transaction: Transaction, group_id: str) -> Group | None:
    """The group with this id."""
    if not group_id:
        return None
    return await transaction.get(GROUPS + group_id, GROUP)


async def led_to(transaction: Transaction, key: str) -> str:
    """The id that an index leads to; empty when it leads nowhere."""
    return await transaction.get(key, ID) or ""
