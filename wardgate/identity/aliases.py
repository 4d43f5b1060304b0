"""``identity/entity-alias``: the names of entities at auth mounts, and the old paths for them."""

from typing import Annotated

import msgspec

from wardgate.core.core import Core
from wardgate.core.identity.entities import (
    entity_by_alias,
    entity_by_alias_id,
    leave_external,
    new_entity,
    put_alias,
    remove_alias,
)
from wardgate.core.identity.records import ALIAS_IDS, Alias, Entity, folded, get_entity
from wardgate.core.ids import new_uuid
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, StringMap
from wardgate.framework.paging import Page
from wardgate.identity.alias_answers import alias_answer, alias_listing
from wardgate.identity.checks import auth_mount, checked_custom_metadata, checked_name


class OldAliasById(Body):
    """What may be changed of an alias."""

    canonical_id: Annotated[str, Doc("The id of the entity that the alias belongs to.")] = ""
    entity_id: Annotated[
        str, Doc("Use 'canonical_id' instead, which goes before it.", deprecated=True)
    ] = ""
    mount_accessor: Annotated[str, Doc("The accessor of the auth mount.")] = ""
    name: Annotated[str, Doc("The name there.")] = ""


class OldAliasBody(OldAliasById):
    """An alias to make or to change."""

    id: Annotated[str, Doc("The id of the alias to change; a new one is made without it.")] = ""


class AliasById(OldAliasById):
    """What may be changed of an alias."""

    custom_metadata: Annotated[StringMap | None, Doc("Free key=value pairs about the alias.")] = (
        None
    )


class AliasBody(AliasById):
    """An alias to make or to change."""

    id: Annotated[str, Doc("The id of the alias to change; a new one is made without it.")] = ""


class AliasEndpoints:
    """Make, read, change, list and delete aliases."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("entity-alias", Operation.UPDATE, operation_id="entity-create-alias")
    async def create(self, request: Request, body: AliasBody) -> Response:
        """Make an alias, or change the one with this id, or with this name at this mount."""
        return await self._write(request, body.id, body, body.custom_metadata)

    @endpoint("alias", Operation.UPDATE, operation_id="alias-create")
    async def create_old(self, request: Request, body: OldAliasBody) -> Response:
        """Make an alias, or change one. Use 'entity-alias' instead."""
        return await self._write(request, body.id, body, None)

    @endpoint("entity-alias/id/{id}", Operation.UPDATE, operation_id="entity-update-alias-by-id")
    async def write_by_id(self, request: Request, id: str, body: AliasById) -> Response:
        """Change an alias."""
        return await self._write(request, id, body, body.custom_metadata)

    @endpoint("alias/id/{id}", Operation.UPDATE, operation_id="alias-update-by-id")
    async def write_old_by_id(self, request: Request, id: str, body: OldAliasById) -> Response:
        """Change an alias. Use 'entity-alias' instead."""
        return await self._write(request, id, body, None)

    @endpoint("entity-alias/id/{id}", Operation.READ, operation_id="entity-read-alias-by-id")
    @endpoint("alias/id/{id}", Operation.READ, operation_id="alias-read-by-id")
    @endpoint("persona/id/{id}", Operation.READ, operation_id="persona-read-by-id")
    async def read(self, request: Request, id: str) -> Response:
        """Read an alias."""
        return await alias_answer(self._core, request, id, entity_by_alias_id)

    @endpoint("entity-alias/id/{id}", Operation.DELETE, operation_id="entity-delete-alias-by-id")
    @endpoint("alias/id/{id}", Operation.DELETE, operation_id="alias-delete-by-id")
    @endpoint("persona/id/{id}", Operation.DELETE, operation_id="persona-delete-by-id")
    async def delete(self, request: Request, id: str) -> Response:
        """Delete an alias; the entity stays."""
        found = await entity_by_alias_id(request.transaction, id)
        if found is not None:
            remove_alias(request.transaction, *found, request.time)
        return no_content()

    @endpoint("entity-alias/id", Operation.LIST, operation_id="entity-list-aliases-by-id")
    @endpoint("alias/id", Operation.LIST, operation_id="alias-list-by-id")
    @endpoint("persona/id", Operation.LIST, operation_id="persona-list-by-id")
    async def list_aliases(self, request: Request, page: Page) -> Response:
        """List the ids of aliases, with their names, mounts and entities."""
        return await alias_listing(self._core, request, ALIAS_IDS, page, entity_by_alias_id)

    async def _write(
        self,
        request: Request,
        alias_id: str,
        body: OldAliasById,
        custom_metadata: dict[str, str] | None,
    ) -> Response:
        transaction = request.transaction
        checked_name(body.name)
        if custom_metadata is not None:
            checked_custom_metadata(custom_metadata)
        if alias_id:
            found = await entity_by_alias_id(transaction, alias_id)
            if found is None:
                raise InvalidRequest("invalid alias ID provided")
            return await self._change(request, *found, body, custom_metadata)
        if not body.name or not body.mount_accessor:
            raise InvalidRequest("'id' or 'mount_accessor' and 'name' must be provided")
        auth_mount(await self._core.mounts.table(transaction), body.mount_accessor)
        entity = await entity_by_alias(transaction, body.mount_accessor, body.name)
        alias = None if entity is None else entity.alias_at(body.mount_accessor)
        if entity is not None and alias is not None:
            return await self._change(request, entity, alias, body, custom_metadata or {})
        return await self._create(request, body, custom_metadata or {})

    async def _create(
        self, request: Request, body: OldAliasById, custom_metadata: dict[str, str]
    ) -> Response:
        transaction, now = request.transaction, request.time
        entity_id = body.canonical_id or body.entity_id
        entity = await get_entity(transaction, entity_id)
        if entity is None and entity_id:
            raise InvalidRequest("invalid canonical ID")
        if entity is not None and entity.alias_at(body.mount_accessor) is not None:
            raise InvalidRequest("Alias already exists for requested entity and mount accessor")
        alias = Alias(
            id=new_uuid(),
            name=body.name,
            mount_accessor=body.mount_accessor,
            custom_metadata=custom_metadata,
            created=now,
            updated=now,
        )
        entity = put_alias(transaction, entity or await new_entity(transaction, now), alias)
        return _written(entity, alias)

    async def _change(
        self,
        request: Request,
        entity: Entity,
        alias: Alias,
        body: OldAliasById,
        custom_metadata: dict[str, str] | None,
    ) -> Response:
        transaction = request.transaction
        changed = msgspec.structs.replace(
            alias,
            name=body.name or alias.name,
            mount_accessor=body.mount_accessor or alias.mount_accessor,
            custom_metadata=alias.custom_metadata if custom_metadata is None else custom_metadata,
        )
        owner = await self._owner(request, entity, body)
        if changed == alias and owner is entity:
            return no_content()
        await self._check_place(request, entity, owner, alias, changed)
        changed = msgspec.structs.replace(changed, updated=request.time)
        if owner is not entity:
            remove_alias(transaction, entity, alias, request.time)
        elif (changed.mount_accessor, changed.name) != (alias.mount_accessor, alias.name):
            # it is somebody else's name now, and what logins told was about the old one
            owner = leave_external(transaction, owner, alias.mount_accessor)
        return _written(put_alias(transaction, owner, changed), changed)

    async def _owner(self, request: Request, entity: Entity, body: OldAliasById) -> Entity:
        owner_id = body.canonical_id or body.entity_id
        if owner_id in ("", entity.id):
            return entity
        owner = await get_entity(request.transaction, owner_id)
        if owner is None:
            raise InvalidRequest("given 'canonical_id' is not associated with an entity")
        return owner

    async def _check_place(
        self, request: Request, entity: Entity, owner: Entity, alias: Alias, changed: Alias
    ) -> None:
        """An alias never takes the place of another one, whoever that belongs to: two entities
        become one by `entity/merge` only (CVE-2021-41802)."""
        accessor = changed.mount_accessor
        moved = accessor != alias.mount_accessor
        if moved:
            auth_mount(await self._core.mounts.table(request.transaction), accessor)
        if moved and owner is entity and owner.alias_at(accessor) is not None:
            raise InvalidRequest(
                "Alias cannot be updated as the entity already has an alias for the given"
                " 'mount_accessor' "
            )
        if moved or folded(changed.name) != folded(alias.name):
            holder = await entity_by_alias(request.transaction, accessor, changed.name)
            if holder is not None:
                raise InvalidRequest(
                    "alias with combination of mount accessor and name already exists"
                )
        if owner is not entity and owner.alias_at(accessor) is not None:
            raise InvalidRequest(
                "Alias cannot be updated as the given entity already has an alias for this mount "
            )


def _written(entity: Entity, alias: Alias) -> Response:
    return Response({"canonical_id": entity.id, "id": alias.id})
