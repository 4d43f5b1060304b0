"""``identity/group-alias``: what auth methods call external groups."""

from typing import Annotated

import msgspec

from wardgate.core.core import Core
from wardgate.core.identity.groups import (
    group_by_alias,
    group_by_alias_id,
    new_group,
    put_group,
    remove_group_alias,
    set_group_alias,
)
from wardgate.core.identity.records import (
    EXTERNAL,
    GROUP_ALIAS_IDS,
    Alias,
    Group,
    folded,
    get_group,
)
from wardgate.core.ids import new_uuid
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.framework.paging import Page
from wardgate.identity.alias_answers import alias_answer, alias_listing
from wardgate.identity.checks import auth_mount, checked_name


class GroupAliasById(Body):
    """What may be changed of a group's alias."""

    canonical_id: Annotated[str, Doc("The id of the external group.")] = ""
    mount_accessor: Annotated[str, Doc("The accessor of the auth mount.")] = ""
    name: Annotated[str, Doc("What the auth method calls the group.")] = ""


class GroupAliasBody(GroupAliasById):
    """A group's alias to make or to change."""

    id: Annotated[str, Doc("The id of the alias to change; a new one is made without it.")] = ""


class GroupAliasEndpoints:
    """Make, read, change, list and delete the aliases of external groups."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("group-alias", Operation.UPDATE, operation_id="group-create-alias")
    async def create(self, request: Request, body: GroupAliasBody) -> Response:
        """Make an alias for an external group, in the place of the one that it has."""
        return await self._write(request, body.id, body)

    @endpoint("group-alias/id/{id}", Operation.UPDATE, operation_id="group-update-alias-by-id")
    async def write_by_id(self, request: Request, id: str, body: GroupAliasById) -> Response:
        """Change a group's alias: its name, its mount, its group."""
        return await self._write(request, id, body)

    @endpoint("group-alias/id/{id}", Operation.READ, operation_id="group-read-alias-by-id")
    async def read(self, request: Request, id: str) -> Response:
        """Read a group's alias."""
        return await alias_answer(self._core, request, id, group_by_alias_id)

    @endpoint("group-alias/id/{id}", Operation.DELETE, operation_id="group-delete-alias-by-id")
    async def delete(self, request: Request, id: str) -> Response:
        """Delete a group's alias: who was a member by it is none any more."""
        found = await group_by_alias_id(request.transaction, id)
        if found is not None:
            _touch(request, remove_group_alias(request.transaction, found[0]))
        return no_content()

    @endpoint("group-alias/id", Operation.LIST, operation_id="group-list-aliases-by-id")
    async def list_aliases(self, request: Request, page: Page) -> Response:
        """List the ids of the groups' aliases, with their names, mounts and groups."""
        return await alias_listing(self._core, request, GROUP_ALIAS_IDS, page, group_by_alias_id)

    async def _write(self, request: Request, alias_id: str, body: GroupAliasById) -> Response:
        transaction, now = request.transaction, request.time
        holder, alias = None, None
        if alias_id:
            found = await group_by_alias_id(transaction, alias_id)
            if found is None:
                raise InvalidRequest("invalid group alias ID")
            holder, alias = found
        if not body.name:
            raise InvalidRequest("missing alias name")
        if not body.mount_accessor:
            raise InvalidRequest("missing mount_accessor")
        checked_name(body.name)
        auth_mount(await self._core.mounts.table(transaction), body.mount_accessor)
        group = await _group(request, body.canonical_id, holder)
        await _check_free(request, body, alias)
        if alias is None:
            alias = Alias(id=new_uuid(), name="", mount_accessor="", created=now)
        made = group is None
        if group is None:
            group = await new_group(transaction, now, EXTERNAL)
        elif holder is not None and holder.id != group.id:
            _touch(request, remove_group_alias(transaction, holder))
        alias = msgspec.structs.replace(
            alias, name=body.name, mount_accessor=body.mount_accessor, updated=now
        )
        group = set_group_alias(transaction, group, alias)
        if not made:
            _touch(request, group)
        return Response({"canonical_id": group.id, "id": alias.id})


async def _group(request: Request, group_id: str, holder: Group | None) -> Group | None:
    """The group that shall have the alias; None when one is to be made."""
    if not group_id:
        return holder
    group = await get_group(request.transaction, group_id)
    if group is None:
        raise InvalidRequest("invalid group ID given in 'canonical_id'")
    if group.type != EXTERNAL:
        raise InvalidRequest("alias can't be set on an internal group")
    return group


async def _check_free(request: Request, body: GroupAliasById, alias: Alias | None) -> None:
    """No two groups, and no two aliases, have the same name at a mount."""
    same = (
        alias is not None
        and alias.mount_accessor == body.mount_accessor
        and folded(alias.name) == folded(body.name)
    )
    if same:
        return
    if await group_by_alias(request.transaction, body.mount_accessor, body.name) is not None:
        raise InvalidRequest("combination of mount and group alias name is already in use")


def _touch(request: Request, group: Group) -> None:
    changed = msgspec.structs.replace(group, updated=request.time, index=group.index + 1)
    put_group(request.transaction, changed)
