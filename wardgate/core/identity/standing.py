"""What an identity adds to a token: the entity, all groups that it is in, and their policies."""

from typing import Any

import msgspec

from wardgate.core.identity.entities import entity_by_id
from wardgate.core.identity.records import ENTITIES, ENTITY, GROUP, GROUPS, Entity, Group
from wardgate.core.policy import TemplateAlias, TemplateGroup, TemplateSubject
from wardgate.core.records import Codec
from wardgate.core.storage import Transaction

_REMEMBERED = 10_000  # standings kept; each is checked against the storage before it is used
_ROOT = "root"


class Standing(msgspec.Struct, frozen=True, eq=False):
    """An entity, the groups that it is in (`direct` ones, then the others), and the `policies` of
    them all: first the entity's.

    ``root`` is never among the policies, whoever wrote it there (CVE-2024-9180). `sources` are the
    records that this was made from, by key: it is true for as long as these are.
    """

    entity: Entity
    direct: tuple[Group, ...]
    inherited: tuple[Group, ...]
    policies: tuple[str, ...]
    sources: dict[str, Entity | Group | None]

    def template_subject(self) -> TemplateSubject:
        """What templated policies may say about this entity."""
        entity = self.entity
        return TemplateSubject(
            entity_id=entity.id,
            entity_name=entity.name,
            entity_metadata=entity.metadata,
            aliases={
                alias.mount_accessor: TemplateAlias(
                    id=alias.id,
                    name=alias.name,
                    metadata=alias.metadata,
                    custom_metadata=alias.custom_metadata,
                )
                for alias in entity.aliases
            },
            groups=tuple(
                TemplateGroup(id=group.id, name=group.name, metadata=group.metadata)
                for group in (*self.direct, *self.inherited)
            ),
        )


class Standings:
    """Works out standings, and keeps them for as long as the records behind them stay as they are.

    A removed membership, policy or entity counts at the next request, whichever process removed it:
    every record is looked at in each request's own transaction.
    """

    def __init__(self) -> None:
        self._made: dict[str, Standing] = {}

    async def of(self, transaction: Transaction, entity_id: str) -> Standing | None:
        """The standing of an entity, or of the one it was merged into; None when it is gone."""
        if not entity_id:
            return None
        made = self._made.get(entity_id)
        if made is not None and await _holds(transaction, made):
            return made
        entity = await entity_by_id(transaction, entity_id)
        if entity is None:
            self._made.pop(entity_id, None)
            return None
        made = await standing_of(transaction, entity)
        if entity.id == entity_id:
            if len(self._made) >= _REMEMBERED:
                self._made.clear()
            self._made[entity_id] = made
        return made

    def forget(self) -> None:
        """Drop everything (when the barrier is sealed)."""
        self._made.clear()


async def _holds(transaction: Transaction, made: Standing) -> bool:
    """Whether all records are still those that `made` was made from. Reads them all, so that the
    transaction commits only while they stay so. One version of a record is one object."""
    for key, record in made.sources.items():
        found = transaction.known(key)
        if found is None:
            codec: Codec[Any] = GROUP if key.startswith(GROUPS) else ENTITY
            found = await transaction.get(key, codec)
        if found is not record:
            return False
    return True


async def standing_of(transaction: Transaction, entity: Entity) -> Standing:
    """The standing of an entity as it is in this transaction."""
    sources: dict[str, Entity | Group | None] = {ENTITIES + entity.id: entity}
    direct = [
        group
        for group_id in (*entity.groups, *entity.external)
        if (group := await _group(transaction, group_id, sources)) is not None
        and _is_member(entity, group)
    ]
    inherited: list[Group] = []
    seen = {group.id for group in direct}
    waiting = [parent for group in direct for parent in group.parents]
    while waiting:
        group_id = waiting.pop(0)
        if group_id in seen:
            continue
        seen.add(group_id)
        group = await _group(transaction, group_id, sources)
        if group is not None:
            inherited.append(group)
            waiting += group.parents
    granted = dict.fromkeys(entity.policies)
    for name in sorted({name for group in (*direct, *inherited) for name in group.policies}):
        granted.setdefault(name)
    granted.pop(_ROOT, None)
    return Standing(entity, tuple(direct), tuple(inherited), tuple(granted), sources)


def _is_member(entity: Entity, group: Group) -> bool:
    if group.id in entity.groups:
        return True
    return bool(group.via) and group.via == entity.external.get(group.id)


async def _group(
    transaction: Transaction, group_id: str, sources: dict[str, Entity | Group | None]
) -> Group | None:
    group = await transaction.get(GROUPS + group_id, GROUP)
    sources[GROUPS + group_id] = group
    return group
