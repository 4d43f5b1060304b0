"""What follows from several records: true for as long as none of them changes."""

import asyncio

import pytest

from tests.unit.core.numbers import NUMBER, get, put
from wardgate.core.premise import Premise
from wardgate.core.storage import Storage
from wardgate.store.interface import Conflict
from wardgate.store.memory import MemoryStore


def test_what_follows_from_records_holds_until_one_of_them_changes() -> None:
    async def run() -> None:
        store = MemoryStore()
        here, there = Storage(store), Storage(store)
        await put(there, "a", 1)
        transaction = await here.begin()
        await transaction.get("a", NUMBER)
        await transaction.get("absent", NUMBER)
        premise = Premise(dict(transaction.reads))

        async def holds() -> bool:
            return premise.holds(await here.begin())

        assert await holds()
        await put(there, "b", 1)
        assert await get(here, "b") == 1
        await put(there, "b", 2)
        assert await holds()
        await put(there, "absent", 1)
        assert not await holds()
        assert await get(here, "absent") == 1
        assert not await holds()

    asyncio.run(run())


def test_what_follows_from_a_record_does_not_outlive_its_place_in_the_cache() -> None:
    """What the cache has given up nobody hears of when it changes."""

    async def run() -> None:
        store = MemoryStore()
        here, there = Storage(store, cache_bytes=2000), Storage(store)
        await put(there, "a", 1)
        transaction = await here.begin()
        await transaction.get("a", NUMBER)
        premise = Premise(dict(transaction.reads))
        assert premise.holds(await here.begin())
        for number in range(10):
            await get(here, f"k{number}")
        await put(there, "a", 2)
        assert not premise.holds(await here.begin())

    asyncio.run(run())


def test_a_transaction_that_relies_on_what_is_known_has_read_it() -> None:
    async def run() -> None:
        storage = Storage(MemoryStore())
        await put(storage, "a", 1)
        first = await storage.begin()
        await first.get("a", NUMBER)
        premise = Premise(dict(first.reads))
        second = await storage.begin()
        assert premise.holds(second)
        await put(storage, "a", 2)
        second.put("b", 1, NUMBER)
        with pytest.raises(Conflict):
            await second.commit()

    asyncio.run(run())
