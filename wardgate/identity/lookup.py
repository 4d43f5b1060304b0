"""``identity/lookup``: an entity or group by whatever is known of it."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from wardgate.core.core import Core
from wardgate.core.identity.entities import entity_by_alias, entity_by_alias_id, entity_by_name
from wardgate.core.identity.groups import (
    group_by_alias,
    group_by_alias_id,
    group_by_name,
    member_entity_ids,
)
from wardgate.core.identity.records import Alias, Entity, Group, get_entity, get_group
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.core.storage import Transaction
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.identity.shown import entity_shown, group_shown

T = TypeVar("T", Entity, Group)


class EntityQuery(Body):
    """What is known of an entity: one of these, or an alias's name with its mount."""

    alias_id: Annotated[str, Doc("The id of one of its aliases.")] = ""
    alias_mount_accessor: Annotated[str, Doc("The accessor of the mount of an alias.")] = ""
    alias_name: Annotated[str, Doc("The name of an alias at that mount.")] = ""
    id: Annotated[str, Doc("Its id.")] = ""
    name: Annotated[str, Doc("Its name.")] = ""


class GroupQuery(EntityQuery):
    """What is known of a group: one of these, or its alias's name with the mount."""


class LookupEndpoints:
    """Look up entities and groups."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("lookup/entity", Operation.UPDATE, operation_id="entity-look-up")
    async def entity(self, request: Request, body: EntityQuery) -> Response:
        """Find an entity by its id, its name, or an alias."""
        _check_query(body)
        entity = await _found(
            request.transaction,
            body,
            get_entity,
            entity_by_name,
            entity_by_alias_id,
            entity_by_alias,
        )
        if entity is None:
            return no_content()
        table = await self._core.mounts.table(request.transaction)
        return Response(await entity_shown(request.transaction, table, entity))

    @endpoint("lookup/group", Operation.UPDATE, operation_id="group-look-up")
    async def group(self, request: Request, body: GroupQuery) -> Response:
        """Find a group by its id, its name, or its alias."""
        _check_query(body)
        group = await _found(
            request.transaction,
            body,
            get_group,
            group_by_name,
            group_by_alias_id,
            group_by_alias,
        )
        if group is None:
            return no_content()
        table = await self._core.mounts.table(request.transaction)
        members = await member_entity_ids(request.transaction, group)
        return Response(group_shown(table, group, members))


def _check_query(body: EntityQuery) -> None:
    by_alias = bool(body.alias_name or body.alias_mount_accessor)
    given = [bool(body.id), bool(body.name), bool(body.alias_id), by_alias]
    if sum(given) == 0:
        raise InvalidRequest("query parameter not supplied")
    if sum(given) > 1:
        raise InvalidRequest(
            "query parameter conflict; please supply distinct set of query parameters"
        )
    if by_alias and not (body.alias_name and body.alias_mount_accessor):
        raise InvalidRequest("both 'alias_name' and 'alias_mount_accessor' needs to be set")


async def _found(
    transaction: Transaction,
    body: EntityQuery,
    by_id: Callable[[Transaction, str], Awaitable[T | None]],
    by_name: Callable[[Transaction, str], Awaitable[T | None]],
    by_alias_id: Callable[[Transaction, str], Awaitable[tuple[T, Alias] | None]],
    by_alias: Callable[[Transaction, str, str], Awaitable[T | None]],
) -> T | None:
    if body.id:
        return await by_id(transaction, body.id)
    if body.name:
        return await by_name(transaction, body.name)
    if body.alias_id:
        found = await by_alias_id(transaction, body.alias_id)
        return found[0] if found else None
    return await by_alias(transaction, body.alias_mount_accessor, body.alias_name)
