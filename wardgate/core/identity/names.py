"""The names of entities and groups: unique among their kind, in upper or lower case."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from wardgate.core.identity.records import (
    ENTITY_NAMES,
    GROUP_NAMES,
    ID,
    Entity,
    Group,
    folded,
    get_entity,
    get_group,
    led_to,
    name_digest,
)
from wardgate.core.storage import Transaction
from wardgate.errors import InvalidRequest

Named = TypeVar("Named", bound=Entity | Group)


class NameIndex(Generic[Named]):
    """Leads from the names of one kind to those who have them."""

    def __init__(
        self,
        kind: str,
        folder: str,
        by_id: Callable[[Transaction, str], Awaitable[Named | None]],
    ) -> None:
        """The index below `folder`; `kind` is what an error and a made-up name call its things."""
        self._kind = kind
        self._folder = folder
        self._by_id = by_id

    def key(self, name: str) -> str:
        """Where the index has the id of whoever is called `name`."""
        return self._folder + name_digest(name)

    async def find(self, transaction: Transaction, name: str) -> Named | None:
        """Who is called `name`."""
        return await self._by_id(transaction, await led_to(transaction, self.key(name)))

    async def free(self, transaction: Transaction) -> str:
        """A name that nobody has."""
        while True:
            name = f"{self._kind}_{secrets.token_hex(4)}.root"
            if not await led_to(transaction, self.key(name)):
                return name

    async def take(self, transaction: Transaction, owner: Named) -> None:
        """Note the name of `owner`, which is new. Raises `InvalidRequest` when another has it."""
        holder = await self.find(transaction, owner.name)
        if holder is not None and holder.id != owner.id:
            raise InvalidRequest(f"{self._kind} name is already in use")
        transaction.put(self.key(owner.name), owner.id, ID)

    async def move(self, transaction: Transaction, owner: Named, before: str) -> None:
        """Note the name of `owner`, who was called `before`. Raises as `take` does."""
        if folded(owner.name) != folded(before):
            await self.take(transaction, owner)
            self.release(transaction, before)

    def release(self, transaction: Transaction, name: str) -> None:
        """Forget a name: its owner is gone, or has another one."""
        transaction.delete(self.key(name))


ENTITIES_BY_NAME = NameIndex("entity", ENTITY_NAMES, get_entity)
GROUPS_BY_NAME = NameIndex("group", GROUP_NAMES, get_group)
