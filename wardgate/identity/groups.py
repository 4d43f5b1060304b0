"""``identity/group``: groups of entities and of groups."""

from typing import Annotated

import msgspec

from wardgate.core.core import Core
from wardgate.core.identity.groups import (
    delete_group,
    group_by_name,
    member_entity_ids,
    new_group,
    put_group,
    rename_group,
    set_member_entities,
    set_member_groups,
)
from wardgate.core.identity.metadata import checked_metadata
from wardgate.core.identity.records import EXTERNAL, GROUPS, INTERNAL, MEMBERS, Group, get_group
from wardgate.core.identity.scan import names_below
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
from wardgate.identity.shown import group_shown


class GroupFields(Body):
    """What may be changed of a group, whatever names it."""

    member_entity_ids: Annotated[
        StringList | None, Doc("The ids of the entities in the group.")
    ] = None
    member_group_ids: Annotated[StringList | None, Doc("The ids of the groups in the group.")] = (
        None
    )
    metadata: Annotated[StringMap | None, Doc("Free key=value pairs about the group.")] = None
    policies: Annotated[
        StringList | None, Doc("Policies of everybody in the group, beside their own.")
    ] = None
    type: Annotated[
        str,
        Doc("'internal' (the default) or 'external', whose members logins make; set once."),
    ] = ""


class GroupById(GroupFields):
    """What may be changed of a group."""

    name: Annotated[str, Doc("The name of the group; made up when not given.")] = ""


class GroupBody(GroupById):
    """A group to make or to change."""

    id: Annotated[str, Doc("The id of the group to change; a new one is made without it.")] = ""


class GroupByName(GroupFields):
    """A group to make or to change, under the name in the path."""

    id: Annotated[str, Doc("Has no effect.")] = ""


class GroupEndpoints:
    """Make, read, change, list and delete groups, by id and by name."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("group", Operation.UPDATE, operation_id="group-create")
    async def create(self, request: Request, body: GroupBody) -> Response:
        """Make a group, or change the one with this id or name."""
        group = None
        if body.id:
            group = await _existing(request, body.id)
        elif body.name:
            group = await group_by_name(request.transaction, body.name)
        return await _write(request, group, body, body.name)

    @endpoint("group/id/{id}", Operation.READ, operation_id="group-read-by-id")
    async def read_by_id(self, request: Request, id: str) -> Response:
        """Read a group."""
        return await self._shown(request, await get_group(request.transaction, id))

    @endpoint("group/id/{id}", Operation.UPDATE, operation_id="group-update-by-id")
    async def write_by_id(self, request: Request, id: str, body: GroupById) -> Response:
        """Change a group."""
        return await _write(request, await _existing(request, id), body, body.name)

    @endpoint("group/id/{id}", Operation.DELETE, operation_id="group-delete-by-id")
    async def delete_by_id(self, request: Request, id: str) -> Response:
        """Delete a group: nobody has its policies from then on."""
        group = await get_group(request.transaction, id)
        if group is not None:
            await delete_group(request.transaction, group, request.time)
        return no_content()

    @endpoint("group/name/{name...}", Operation.READ, operation_id="group-read-by-name")
    async def read_by_name(self, request: Request, name: str) -> Response:
        """Read a group."""
        return await self._shown(request, await _spelled(request, name))

    @endpoint("group/name/{name...}", Operation.UPDATE, operation_id="group-update-by-name")
    async def write_by_name(self, request: Request, name: str, body: GroupByName) -> Response:
        """Make a group of this name, or change it."""
        return await _write(request, await _spelled(request, name), body, name)

    @endpoint("group/name/{name...}", Operation.DELETE, operation_id="group-delete-by-name")
    async def delete_by_name(self, request: Request, name: str) -> Response:
        """Delete a group: nobody has its policies from then on."""
        group = await _spelled(request, name)
        if group is not None:
            await delete_group(request.transaction, group, request.time)
        return no_content()

    @endpoint("group/name", Operation.LIST, operation_id="group-list-by-name")
    async def list_names(self, request: Request) -> Response:
        """List the names of all groups."""
        names = []
        async for page in names_below(request.transaction, GROUPS):
            groups = [await get_group(request.transaction, group_id) for group_id in page]
            names += [group.name for group in groups if group is not None]
        return listing(names)

    @endpoint("group/id", Operation.LIST, operation_id="group-list-by-id")
    async def list_ids(self, request: Request, page: Page) -> Response:
        """List the ids of groups, with their names, and how many entities and groups they touch."""
        info: dict[str, JsonMap] = {}
        async for ids in names_below(request.transaction, GROUPS, page.after, page.most):
            for group_id in ids:
                group = await get_group(request.transaction, group_id)
                if group is not None:
                    info[group_id] = {
                        "name": group.name,
                        "num_member_entities": await _count(request, group),
                        "num_parent_groups": len(group.parents),
                    }
        return listing(list(info), info)

    async def _shown(self, request: Request, group: Group | None) -> Response:
        if group is None:
            raise NotFound
        table = await self._core.mounts.table(request.transaction)
        members = await member_entity_ids(request.transaction, group)
        return Response(group_shown(table, group, members))


async def _existing(request: Request, group_id: str) -> Group:
    group = await get_group(request.transaction, group_id)
    if group is None:
        raise InvalidRequest("invalid group ID")
    return group


async def _spelled(request: Request, name: str) -> Group | None:
    """The group of this name, if the caller's policies let it be meant."""
    group = await group_by_name(request.transaction, name)
    if group is not None:
        check_spelling(request, "group/name", name, group.name)
    return group


async def _count(request: Request, group: Group) -> int:
    if not group.member_source:
        return 0
    folder = f"{MEMBERS}{group.member_source}/"
    return sum([len(page) async for page in names_below(request.transaction, folder)])


async def _write(
    request: Request, group: Group | None, body: GroupById | GroupByName, name: str
) -> Response:
    """Change `group`, or make one when it is None: what is given in `body`, and the `name`."""
    transaction, now = request.transaction, request.time
    made = group is None
    kind = _kind(group, body)
    policies = None if body.policies is None else checked_policies(body.policies)
    if body.metadata is not None:
        checked_metadata(body.metadata, "invalid group metadata")
    checked_name(name)
    if group is None:
        group = await new_group(transaction, now, kind, name)
    elif name and name != group.name:
        group = await rename_group(transaction, group, name)
    group = msgspec.structs.replace(
        group,
        metadata=group.metadata if body.metadata is None else body.metadata,
        policies=group.policies if policies is None else policies,
        updated=now,
        index=group.index if made else group.index + 1,
    )
    put_group(transaction, group)
    if body.member_entity_ids is not None:
        await set_member_entities(transaction, group, body.member_entity_ids)
    if body.member_group_ids is not None:
        await set_member_groups(transaction, group, body.member_group_ids, now)
    return Response({"id": group.id, "name": group.name}) if made else no_content()


def _kind(group: Group | None, body: GroupFields) -> str:
    """The type that the group has or shall have; `InvalidRequest` when the write does not fit it."""
    kind = body.type or (group.type if group else INTERNAL)
    if kind not in (INTERNAL, EXTERNAL):
        raise InvalidRequest("invalid group type: use 'internal' or 'external'")
    if group is not None and kind != group.type:
        raise InvalidRequest("group type cannot be changed")
    if kind == EXTERNAL and body.member_entity_ids:
        raise InvalidRequest("member entities can't be set manually for external groups")
    if kind == EXTERNAL and body.member_group_ids:
        raise InvalidRequest("member groups can't be set for external groups")
    return kind
