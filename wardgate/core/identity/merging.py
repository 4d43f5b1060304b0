"""Making one entity out of several."""

from collections.abc import Collection, Sequence

import msgspec

from wardgate.core.identity.entities import delete_entity, put_entity, remove_alias
from wardgate.core.identity.records import (
    ALIAS_IDS,
    ID,
    MEMBERS,
    MERGED,
    NOTHING,
    Alias,
    Entity,
    alias_key,
)
from wardgate.core.storage import Transaction


class Clash(msgspec.Struct, frozen=True):
    """Two entities that are to become one, each with an alias of its own at the same mount."""

    first: Entity
    first_alias: Alias
    second: Entity
    second_alias: Alias


def clashes(entities: Sequence[Entity]) -> list[Clash]:
    """The aliases of which a merged entity could keep only one, mount by mount."""
    found = []
    held: dict[str, tuple[Entity, Alias]] = {}
    for entity in entities:
        for alias in entity.aliases:
            other = held.setdefault(alias.mount_accessor, (entity, alias))
            if other[1] is not alias:
                found.append(Clash(*other, entity, alias))
    return found


def merge(
    transaction: Transaction,
    target: Entity,
    sources: Sequence[Entity],
    dropped: Collection[str],
    now: float,
) -> Entity:
    """Merge `sources` into `target`, without the aliases whose ids are `dropped`.

    The target takes over aliases, memberships, and the tokens; its own policies and metadata stay
    as they are, and those of the sources end with them.
    """
    target = _without(transaction, target, dropped, now)
    aliases, groups = list(target.aliases), dict.fromkeys(target.groups)
    external, merged = dict(target.external), list(target.merged)
    for source in (_without(transaction, each, dropped, now) for each in sources):
        delete_entity(transaction, source)
        aliases += [
            msgspec.structs.replace(alias, merged_from=(*alias.merged_from, source.id), updated=now)
            for alias in source.aliases
        ]
        groups |= dict.fromkeys(source.groups)
        external = {**source.external, **external}
        merged += [*source.merged, source.id]
    changed = msgspec.structs.replace(
        target,
        aliases=tuple(aliases),
        groups=tuple(groups),
        external=external,
        merged=tuple(merged),
        updated=now,
    )
    _store(transaction, changed)
    return changed


def _without(
    transaction: Transaction, entity: Entity, dropped: Collection[str], now: float
) -> Entity:
    for alias in entity.aliases:
        if alias.id in dropped:
            entity = remove_alias(transaction, entity, alias, now)
    return entity


def _store(transaction: Transaction, entity: Entity) -> None:
    put_entity(transaction, entity)
    for alias in entity.aliases:
        transaction.put(alias_key(alias.mount_accessor, alias.name), entity.id, ID)
        transaction.put(ALIAS_IDS + alias.id, entity.id, ID)
    for source in (*entity.groups, *entity.external.values()):
        transaction.put(f"{MEMBERS}{source}/{entity.id}", b"", NOTHING)
    for merged in entity.merged:
        transaction.put(MERGED + merged, entity.id, ID)
