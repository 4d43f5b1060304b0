"""What a login costs does not depend on how many entities there are."""

import asyncio

from tests.node import NodeUnderTest
from tests.odd import mount_odd
from tests.people import external_group, log_in
from wardgate.core.identity import entity_for_login
from wardgate.core.request import TokenGrant
from wardgate.core.storage import Transaction
from wardgate.store.memory import MemoryStore

GRANT = TokenGrant(display_name="a", alias="ada", group_aliases=("staff",))
FEW, MANY = 10, 10_000


class CountingStore(MemoryStore):
    """Counts what is asked of the storage."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    async def get(self, key: str):  # type: ignore[no-untyped-def]
        self.calls.append(f"get {key.partition('/')[0]}")
        return await super().get(key)

    async def list(self, prefix, after="", limit=None):  # type: ignore[no-untyped-def]
        self.calls.append("list")
        return await super().list(prefix, after, limit)

    async def commit(self, expect, writes):  # type: ignore[no-untyped-def]
        self.calls.append(f"commit of {len(expect)} reads and {len(writes)} writes")
        return await super().commit(expect, writes)


async def _populate(node: NodeUnderTest, count: int) -> None:
    async def work(transaction: Transaction) -> None:
        mount = (await node.core.mounts.table(transaction)).by_path["auth/odd/"]
        for number in range(count):
            await entity_for_login(transaction, mount, f"user{number}", {}, node.clock.now())

    await node.core.storage.transact(work)


async def _cost(people: int) -> tuple[list[str], list[str], list[str]]:
    """The storage calls of a first login, of a second one, and of the token's use, where nothing is
    cached."""
    store = CountingStore()
    node = await NodeUnderTest.start(store)
    await mount_odd(node, GRANT)
    await external_group(node, "staff", policies="default")
    await _populate(node, people)
    assert len(await node.keys_below("identity/entity/")) == people
    found = []
    for _ in range(2):
        node.core.forget()
        store.calls.clear()
        token, _ = await log_in(node)
        found.append(sorted(store.calls))
    node.core.forget()
    store.calls.clear()
    assert await node.lives(token)
    found.append(sorted(store.calls))
    await node.node.stop()
    return found[0], found[1], found[2]


def test_a_login_among_ten_thousand_costs_what_it_costs_among_ten() -> None:
    few, many = asyncio.run(_cost(FEW)), asyncio.run(_cost(MANY))
    assert few == many
    for calls in few:
        assert "list" not in calls
        assert len([call for call in calls if call.startswith("commit")]) <= 1
    first, second, use = few
    # alias, entity's name, group alias and group: what is there of them for somebody new
    assert first.count("get identity") == 4
    # alias, entity, group alias, group
    assert second.count("get identity") == 4
    # entity and group
    assert use.count("get identity") == 2
