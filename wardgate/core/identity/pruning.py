"""Removing entities that nobody needs any more, in small steps that survive a crash.

An entity is unused when it has no alias, is in no group, was not written for some time, and no
living token stands for it. Nothing leads from an entity to its tokens, so all tokens are looked at
once, after what could be removed was noted under keys of its own: the work in memory does not grow
with the number of either. Batch tokens are not stored and not seen: they end with their entity.
"""

from typing import Any

import msgspec

from wardgate.core.identity.entities import delete_entity
from wardgate.core.identity.records import (
    ENTITIES,
    ENTITY,
    ID,
    MERGED,
    NOTHING,
    Entity,
    get_entity,
)
from wardgate.core.identity.standing import standing_of
from wardgate.core.records import Codec
from wardgate.core.storage import Transaction
from wardgate.core.tokens.record import TOKEN
from wardgate.core.tokens.store import RECORDS
from wardgate.errors import InvalidRequest

PRUNING = "job/identity-prune"
REPORT = "identity/prune-report"
NOTED = "identity/unused/"
MOST_SHOWN = 100


class Pruning(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run, under way or ended. `before` is when an entity must have been written last, at the
    latest; times are seconds since the epoch. `shown` are the first ids that were removed, or that
    would have been."""

    started: float
    before: float
    dry_run: bool = False
    phase: str = "entities"
    cursor: str = ""
    looked_at: int = 0
    removed: int = 0
    shown: tuple[str, ...] = ()
    ended: float = 0


_PRUNING: Codec[Pruning] = Codec(Pruning)


async def start_pruning(
    transaction: Transaction, now: float, age: int, *, dry_run: bool
) -> Pruning:
    """Begin a run about entities that were not written for `age` seconds.

    Raises `InvalidRequest` while another one is under way.
    """
    if await transaction.get(PRUNING, _PRUNING) is not None:
        raise InvalidRequest("unused entities are being pruned already; wait until that has ended")
    run = Pruning(started=now, before=now - age, dry_run=dry_run)
    transaction.put(PRUNING, run, _PRUNING)
    return run


async def last_pruning(transaction: Transaction) -> Pruning | None:
    """The run that is under way, or else the last one."""
    run = await transaction.get(PRUNING, _PRUNING)
    if run is None:
        run = await transaction.get(REPORT, _PRUNING)
    return run


async def prune_step(transaction: Transaction, now: float, limit: int) -> bool:
    """One step of the run that is under way; whether there is one."""
    run = await transaction.get(PRUNING, _PRUNING)
    if run is None:
        return False
    if run.phase == "entities":
        run = await _note_entities(transaction, run, limit)
    elif run.phase == "tokens":
        run = await _spare_token_holders(transaction, run, now, limit)
    else:
        run = await _remove_noted(transaction, run, limit)
    if run.phase == "ended":
        transaction.delete(PRUNING)
        transaction.put(REPORT, msgspec.structs.replace(run, ended=now), _PRUNING)
    else:
        transaction.put(PRUNING, run, _PRUNING)
    return True


async def _note_entities(transaction: Transaction, run: Pruning, limit: int) -> Pruning:
    entity_ids = await transaction.list(ENTITIES, run.cursor, limit)
    for entity_id in entity_ids:
        entity = await transaction.peek(ENTITIES + entity_id, ENTITY)
        if entity is not None and await _unused(transaction, entity, run):
            transaction.put(NOTED + entity_id, b"", NOTHING)
    looked_at = run.looked_at + len(entity_ids)
    return _next(run, entity_ids, limit, "tokens", looked_at=looked_at)


async def _unused(transaction: Transaction, entity: Entity, run: Pruning) -> bool:
    if entity.aliases or max(entity.created, entity.updated) > run.before:
        return False
    standing = await standing_of(transaction, entity)
    return not standing.direct


async def _spare_token_holders(
    transaction: Transaction, run: Pruning, now: float, limit: int
) -> Pruning:
    names = await transaction.list(RECORDS, run.cursor, limit)
    for name in names:
        token = await transaction.peek(RECORDS + name, TOKEN)
        if token is None or not token.entity_id or not token.alive(now):
            continue
        merged_into = await transaction.peek(MERGED + token.entity_id, ID)
        key = NOTED + (merged_into or token.entity_id)
        if await transaction.peek(key, NOTHING) is not None:
            transaction.delete(key)
    return _next(run, names, limit, "removal")


async def _remove_noted(transaction: Transaction, run: Pruning, limit: int) -> Pruning:
    entity_ids = await transaction.list(NOTED, limit=limit)
    unused = []
    for entity_id in entity_ids:
        entity = await get_entity(transaction, entity_id)
        if entity is not None and await _unused(transaction, entity, run):
            unused.append(entity_id)
            if not run.dry_run:
                delete_entity(transaction, entity)
        transaction.delete(NOTED + entity_id)
    run = msgspec.structs.replace(
        run, removed=run.removed + len(unused), shown=(*run.shown, *unused)[:MOST_SHOWN]
    )
    # what was removed is not listed again, so there is no place to go on from
    return msgspec.structs.replace(_next(run, entity_ids, limit, "ended"), cursor="")


def _next(run: Pruning, names: list[str], limit: int, phase: str, **changes: Any) -> Pruning:
    """The run after a page of `names`: at the next page or, after the last one, in `phase`."""
    if len(names) == limit:
        return msgspec.structs.replace(run, cursor=names[-1], **changes)
    return msgspec.structs.replace(run, phase=phase, cursor="", **changes)
