"""``identity/entity/merge``: one entity out of several."""

from collections.abc import Sequence
from typing import Annotated

from wardgate.core.core import Core
from wardgate.core.identity import Alias, Entity
from wardgate.core.identity.merging import Clash, clashes, merge
from wardgate.core.identity.records import get_entity
from wardgate.core.identity.scan import in_turns
from wardgate.core.mounts import MountTable
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, StringList

MOST_MERGED = 1_000
"""Entities that one request may merge: more would make others wait."""


class MergeBody(Body):
    """Which entities to merge."""

    conflicting_alias_ids_to_keep: Annotated[
        StringList,
        Doc("Where two of the entities have aliases at one mount: the ids of those that stay."),
    ] = ()
    force: Annotated[bool, Doc("Has no effect: no entity has secrets that could clash.")] = False
    from_entity_ids: Annotated[StringList, Doc("The ids of the entities to merge; they end.")] = ()
    to_entity_id: Annotated[str, Doc("The id of the entity to merge them into.")] = ""


class MergeEndpoints:
    """Merge entities."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("entity/merge", Operation.UPDATE, operation_id="entity-merge")
    async def merge(self, request: Request, body: MergeBody) -> Response:
        """Merge entities into one, which takes over their aliases, memberships and tokens."""
        target, sources = await _entities(request, body)
        found = clashes((target, *sources))
        if found and not body.conflicting_alias_ids_to_keep:
            table = await self._core.mounts.table(request.transaction)
            return _refused(table, found)
        dropped = _dropped(found, body.conflicting_alias_ids_to_keep)
        merge(request.transaction, target, sources, dropped, request.time)
        return no_content()


async def _entities(request: Request, body: MergeBody) -> tuple[Entity, list[Entity]]:
    if not body.to_entity_id:
        raise InvalidRequest("missing entity id to merge to")
    if not body.from_entity_ids:
        raise InvalidRequest("missing entity ids to merge from")
    if len(body.from_entity_ids) > MOST_MERGED:
        raise InvalidRequest(f"from_entity_ids: give at most {MOST_MERGED} at once")
    if body.to_entity_id in body.from_entity_ids:
        raise InvalidRequest("to_entity_id should not be present in from_entity_ids")
    target = await get_entity(request.transaction, body.to_entity_id)
    if target is None:
        raise InvalidRequest("entity id to merge to is invalid")
    sources = []
    async for entity_id in in_turns(dict.fromkeys(body.from_entity_ids)):
        source = await get_entity(request.transaction, entity_id)
        if source is None:
            raise InvalidRequest("entity id to merge from is invalid")
        sources.append(source)
    return target, sources


def _dropped(found: Sequence[Clash], kept: Sequence[str]) -> set[str]:
    """The ids of the aliases that give way to those which are kept."""
    dropped = set()
    for clash in found:
        pair = {clash.first_alias.id, clash.second_alias.id}
        if len(pair.intersection(kept)) != 1:
            raise InvalidRequest(
                "conflicting_alias_ids_to_keep: of two aliases at the same mount, give the id of"
                f" just one; there are {' and '.join(sorted(pair))}"
            )
        dropped |= pair.difference(kept)
    return dropped


def _refused(table: MountTable, found: Sequence[Clash]) -> Response:
    """What stands in the way of a merge: a message, and the aliases one by one."""
    shown = []
    for clash in found:
        shown.append(_side(table, clash.first, clash.first_alias))
        shown.append(_side(table, clash.second, clash.second_alias))
    message = (
        "the entities have aliases at the same mount: give the ids of those that shall stay as"
        " conflicting_alias_ids_to_keep"
    )
    return Response({"errors": [message], "data": shown}, status=400, bare=True)


def _side(table: MountTable, entity: Entity, alias: Alias) -> JsonMap:
    mount = table.by_accessor.get(alias.mount_accessor)
    return {
        "alias": alias.name,
        "alias_id": alias.id,
        "entity": entity.name,
        "entity_id": entity.id,
        "mount": "" if mount is None else mount.type,
        "mount_path": "" if mount is None else mount.path,
    }
