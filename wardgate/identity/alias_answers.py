"""What is answered about aliases, whether they are entities' or groups'."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from wardgate.core.core import Core
from wardgate.core.identity.records import Alias, Entity, Group
from wardgate.core.identity.scan import names_below
from wardgate.core.request import JsonMap, Request, Response, listing
from wardgate.core.storage import Transaction
from wardgate.errors import NotFound
from wardgate.framework.paging import Page
from wardgate.identity.shown import alias_in_list, alias_shown

FindAlias: TypeAlias = Callable[
    [Transaction, str], Awaitable[tuple[Entity, Alias] | tuple[Group, Alias] | None]
]
"""Finds an alias by its id, with whoever has it."""


async def alias_answer(core: Core, request: Request, alias_id: str, find: FindAlias) -> Response:
    """One alias; `NotFound` when there is none with this id."""
    found = await find(request.transaction, alias_id)
    if found is None:
        raise NotFound
    table = await core.mounts.table(request.transaction)
    owner, alias = found
    return Response({**alias_shown(table, alias, owner.id), "namespace_id": "root"})


async def alias_listing(
    core: Core, request: Request, ids: str, page: Page, find: FindAlias
) -> Response:
    """The ids below the key `ids`, with what is told of each alias in a list."""
    table = await core.mounts.table(request.transaction)
    info: dict[str, JsonMap] = {}
    async for part in names_below(request.transaction, ids, page.after, page.most):
        for alias_id in part:
            found = await find(request.transaction, alias_id)
            if found is not None:
                info[alias_id] = alias_in_list(table, found[1], found[0].id)
    return listing(list(info), info)
