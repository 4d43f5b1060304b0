"""Entities and aliases: the person or machine behind a token, whichever way they logged in.

Each entity and each alias has a key of its own, so a login reads and writes only what belongs to
whoever logs in, and its cost does not depend on how many entities there are.
"""

import base64
import hashlib
import secrets

import msgspec

from wardgate.core.ids import new_uuid
from wardgate.core.mounts import Mount
from wardgate.core.policy import TemplateAlias, TemplateSubject
from wardgate.core.records import Codec
from wardgate.core.storage import Transaction

ENTITIES = "identity/entity/"
ALIASES = "identity/alias/"


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """An entity's name at one auth mount."""

    id: str
    name: str
    mount_accessor: str
    metadata: dict[str, str] = {}
    custom_metadata: dict[str, str] = {}


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """A person or machine. Times are seconds since the epoch."""

    id: str
    name: str
    created: float
    aliases: tuple[Alias, ...] = ()
    policies: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    disabled: bool = False

    def template_subject(self) -> TemplateSubject:
        """What templated policies may say about this entity."""
        return TemplateSubject(
            entity_id=self.id,
            entity_name=self.name,
            entity_metadata=self.metadata,
            aliases={
                alias.mount_accessor: TemplateAlias(
                    id=alias.id,
                    name=alias.name,
                    metadata=alias.metadata,
                    custom_metadata=alias.custom_metadata,
                )
                for alias in self.aliases
            },
        )


ENTITY: Codec[Entity] = Codec(Entity)
_ENTITY_ID: Codec[str] = Codec(str)


def _alias_key(mount_accessor: str, name: str) -> str:
    """Names come from outside and may be long or odd, so the key holds a digest of the name."""
    digest = hashlib.sha256(name.encode()).digest()[:24]
    return f"{ALIASES}{mount_accessor}/{base64.urlsafe_b64encode(digest).decode()}"


async def entity_by_id(transaction: Transaction, entity_id: str) -> Entity | None:
    """The entity with this id."""
    if not entity_id:
        return None
    return await transaction.get(ENTITIES + entity_id, ENTITY)


async def entity_by_alias(transaction: Transaction, mount: Mount, alias_name: str) -> Entity | None:
    """The entity that is called `alias_name` at `mount`."""
    entity_id = await transaction.get(_alias_key(mount.accessor, alias_name), _ENTITY_ID)
    return None if entity_id is None else await entity_by_id(transaction, entity_id)


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
    entity = await entity_by_alias(transaction, mount, alias_name)
    if entity is None:
        alias = Alias(
            id=new_uuid(), name=alias_name, mount_accessor=mount.accessor, metadata=metadata
        )
        entity = Entity(
            id=new_uuid(),
            name=f"entity_{secrets.token_hex(4)}",
            created=now,
            aliases=(alias,),
        )
        transaction.put(_alias_key(mount.accessor, alias_name), entity.id, _ENTITY_ID)
        transaction.put(ENTITIES + entity.id, entity, ENTITY)
        return entity
    refreshed = tuple(
        msgspec.structs.replace(alias, metadata=metadata)
        if alias.mount_accessor == mount.accessor and alias.name == alias_name
        else alias
        for alias in entity.aliases
    )
    if refreshed != entity.aliases:
        entity = msgspec.structs.replace(entity, aliases=refreshed)
        transaction.put(ENTITIES + entity.id, entity, ENTITY)
    return entity


async def remove_aliases(transaction: Transaction, mount_accessor: str, limit: int) -> bool:
    """Remove up to `limit` aliases of a mount that is gone; whether there were any.

    An entity ends with its last alias, since only a login made it. Aliases at other mounts keep it.
    """
    if not mount_accessor:  # a job from before it was noted
        return False
    folder = f"{ALIASES}{mount_accessor}/"
    names = await transaction.list(folder, limit=limit)
    for name in names:
        entity = await entity_by_id(
            transaction, await transaction.get(folder + name, _ENTITY_ID) or ""
        )
        transaction.delete(folder + name)
        if entity is None:
            continue
        rest = tuple(each for each in entity.aliases if each.mount_accessor != mount_accessor)
        if rest:
            changed = msgspec.structs.replace(entity, aliases=rest)
            transaction.put(ENTITIES + entity.id, changed, ENTITY)
        else:
            transaction.delete(ENTITIES + entity.id)
    return bool(names)
