"""``identity/entity``: the people and machines behind tokens."""

from typing import Annotated

import msgspec

from wardgate.core.core import Core
from wardgate.core.identity.entities import (
    delete_entity,
    entity_by_name,
    new_entity,
    put_entity,
    rename_entity,
)
from wardgate.core.identity.metadata import checked_metadata
from wardgate.core.identity.records import ENTITIES, Entity, get_entity
from wardgate.core.identity.scan import in_turns, names_below
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, listing, no_content
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, StringList, StringMap
from wardgate.framework.paging import Page
from wardgate.identity.checks import (
    check_spelling,
    checked_name,
    checked_policies,
)
from wardgate.identity.shown import entity_shown, mount_of

MOST_DELETED = 10_000
"""Entities that one request may delete: more would make others wait."""


class EntityById(Body):
    """What may be changed of an entity."""

    disabled: Annotated[
        bool | None, Doc("Whether the tokens of the entity may do nothing, and nobody logs in.")
    ] = None
    metadata: Annotated[StringMap | None, Doc("Free key=value pairs about the entity.")] = None
    name: Annotated[str, Doc("The name of the entity; made up when not given.")] = ""
    policies: Annotated[
        StringList | None, Doc("Policies of all tokens of the entity, beside their own.")
    ] = None


class EntityBody(EntityById):
    """An entity to make or to change."""

    id: Annotated[str, Doc("The id of the entity to change; a new one is made without it.")] = ""


class EntityByName(Body):
    """An entity to make or to change, under the name in the path."""

    disabled: Annotated[
        bool | None, Doc("Whether the tokens of the entity may do nothing, and nobody logs in.")
    ] = None
    id: Annotated[str, Doc("The id of the entity that is to have this name.")] = ""
    metadata: Annotated[StringMap | None, Doc("Free key=value pairs about the entity.")] = None
    policies: Annotated[
        StringList | None, Doc("Policies of all tokens of the entity, beside their own.")
    ] = None


class BatchDeleteBody(Body):
    """Entities to delete."""

    entity_ids: Annotated[StringList, Doc("The ids of the entities.")] = ()


class EntityEndpoints:
    """Make, read, change, list and delete entities, by id and by name."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("entity", Operation.UPDATE, operation_id="entity-create")
    async def create(self, request: Request, body: EntityBody) -> Response:
        """Make an entity, or change the one with this id or name."""
        return await write_entity(
            request, await meant_entity(request, body.id, body.name), body, body.name
        )

    @endpoint("entity/name/{name...}", Operation.READ, operation_id="entity-read-by-name")
    async def read_by_name(self, request: Request, name: str) -> Response:
        """Read an entity."""
        entity = await entity_by_name(request.transaction, name)
        if entity is not None:
            check_spelling(request, "entity/name", name, entity.name)
        return await self._shown(request, entity)

    @endpoint("entity/name/{name...}", Operation.UPDATE, operation_id="entity-update-by-name")
    async def write_by_name(self, request: Request, name: str, body: EntityByName) -> Response:
        """Make an entity of this name, or change it."""
        entity = await meant_entity(request, body.id, name)
        holder = await entity_by_name(request.transaction, name)
        if holder is not None:
            check_spelling(request, "entity/name", name, holder.name)
        return await write_entity(request, entity, body, name)

    @endpoint("entity/name/{name...}", Operation.DELETE, operation_id="entity-delete-by-name")
    async def delete_by_name(self, request: Request, name: str) -> Response:
        """Delete an entity: its tokens may do nothing from then on."""
        entity = await entity_by_name(request.transaction, name)
        if entity is not None:
            check_spelling(request, "entity/name", name, entity.name)
            delete_entity(request.transaction, entity)
        return no_content()

    @endpoint("entity/name", Operation.LIST, operation_id="entity-list-by-name")
    async def list_names(self, request: Request) -> Response:
        """List the names of all entities."""
        names = []
        async for page in names_below(request.transaction, ENTITIES):
            entities = [await get_entity(request.transaction, entity_id) for entity_id in page]
            names += [entity.name for entity in entities if entity is not None]
        return listing(names)

    @endpoint("entity/id/{id}", Operation.READ, operation_id="entity-read-by-id")
    async def read_by_id(self, request: Request, id: str) -> Response:
        """Read an entity."""
        return await self._shown(request, await get_entity(request.transaction, id))

    @endpoint("entity/id/{id}", Operation.UPDATE, operation_id="entity-update-by-id")
    async def write_by_id(self, request: Request, id: str, body: EntityById) -> Response:
        """Change an entity."""
        return await write_entity(request, await existing_entity(request, id), body, body.name)

    @endpoint("entity/id/{id}", Operation.DELETE, operation_id="entity-delete-by-id")
    async def delete_by_id(self, request: Request, id: str) -> Response:
        """Delete an entity: its tokens may do nothing from then on."""
        entity = await get_entity(request.transaction, id)
        if entity is not None:
            delete_entity(request.transaction, entity)
        return no_content()

    @endpoint("entity/id", Operation.LIST, operation_id="entity-list-by-id")
    async def list_ids(self, request: Request, page: Page) -> Response:
        """List the ids of entities, with their names and aliases."""
        table = await self._core.mounts.table(request.transaction)
        info: dict[str, JsonMap] = {}
        async for ids in names_below(request.transaction, ENTITIES, page.after, page.most):
            for entity_id in ids:
                entity = await get_entity(request.transaction, entity_id)
                if entity is None:
                    continue
                info[entity_id] = {"name": entity.name}
                if entity.aliases:
                    info[entity_id]["aliases"] = [
                        {"id": alias.id, **mount_of(table, alias)} for alias in entity.aliases
                    ]
        return listing(list(info), info)

    @endpoint("entity/batch-delete", Operation.UPDATE, operation_id="entity-batch-delete")
    async def batch_delete(self, request: Request, body: BatchDeleteBody) -> Response:
        """Delete several entities at once."""
        if not body.entity_ids:
            raise InvalidRequest("missing entity ids to delete")
        if len(body.entity_ids) > MOST_DELETED:
            raise InvalidRequest(f"entity_ids: give at most {MOST_DELETED} at once")
        async for entity_id in in_turns(body.entity_ids):
            entity = await get_entity(request.transaction, entity_id)
            if entity is not None:
                delete_entity(request.transaction, entity)
        return no_content()

    async def _shown(self, request: Request, entity: Entity | None) -> Response:
        if entity is None:
            raise NotFound
        table = await self._core.mounts.table(request.transaction)
        return Response(await entity_shown(request.transaction, table, entity))


async def existing_entity(request: Request, entity_id: str) -> Entity:
    entity = await get_entity(request.transaction, entity_id)
    if entity is None:
        raise InvalidRequest("entity not found from id")
    return entity


async def meant_entity(request: Request, entity_id: str, name: str) -> Entity | None:
    """The entity that a write is about: the one with this id or, without an id, of this name."""
    if entity_id:
        return await existing_entity(request, entity_id)
    return await entity_by_name(request.transaction, name) if name else None


async def write_entity(
    request: Request, entity: Entity | None, body: EntityById | EntityByName, name: str
) -> Response:
    """Change `entity`, or make one when it is None: what is given in `body`, and the `name`."""
    transaction = request.transaction
    made = entity is None
    policies = None if body.policies is None else checked_policies(body.policies)
    if body.metadata is not None:
        checked_metadata(body.metadata, "invalid entity metadata")
    checked_name(name)
    if entity is None:
        entity = await new_entity(transaction, request.time, name)
    elif name and name != entity.name:
        entity = await rename_entity(transaction, entity, name)
    entity = msgspec.structs.replace(
        entity,
        disabled=entity.disabled if body.disabled is None else body.disabled,
        metadata=entity.metadata if body.metadata is None else body.metadata,
        policies=entity.policies if policies is None else policies,
        updated=request.time,
    )
    put_entity(transaction, entity)
    if not made:
        return no_content()
    return Response({"aliases": None, "id": entity.id, "name": entity.name})
