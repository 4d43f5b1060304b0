"""What follows from several records: true for as long as none of them changes."""

import asyncio

import pytest

from wardgate.core.premise import Premise
from wardgate.core.records import Codec
from wardgate.core.storage import Storage, Transaction
from wardgate.store.interface import Conflict
from wardgate.store.memory import MemoryStore

NUMBER: Codec[int] = Codec(int)


async def _put(storage: Storage, key: str, number: int) -> None:
    async def work(transaction: Transaction) -> None:
        transaction.put(key, number, NUMBER)

    await storage.transact(work)


async def _get(storage: Storage, key: str) -> int | None:
    return await (await storage.begin()).get(key, NUMBER)


def test_what_follows_from_records_holds_until_one_of_them_changes() -> None:
    async def run() -> None:
        store = MemoryStore()
        here, there = Storage(store), Storage(store)
        await _put(there, "a", 1)
        transaction = await here.begin()
        await transaction.get("a", NUMBER)
        await transaction.get("absent", NUMBER)
        premise = Premise(dict(transaction.reads))

        async def holds() -> bool:
            return premise.holds(await here.begin())

        assert await holds()
        await _put(there, "b", 1)
        assert await _get(here, "b") == 1
        await _put(there, "b", 2)
        assert await holds()
        await _put(there, "absent", 1)
        assert not await holds()
        assert await _get(here, "absent") == 1
        assert not await holds()

    asyncio.run(run())


def test_what_follows_from_a_record_does_not_outlive_its_place_in_the_cache() -> None:
    """What the cache has given up nobody hears of when it changes."""

    async def run() -> None:
        store = MemoryStore()
        here, there = Storage(store, cache_bytes=2000), Storage(store)
        await _put(there, "a", 1)
        transaction = await here.begin()
        await transaction.get("a", NUMBER)
        premise = Premise(dict(transaction.reads))
        assert premise.holds(await here.begin())
        for number in range(10):
            await _get(here, f"k{number}")
        await _put(there, "a", 2)
        assert not premise.holds(await here.begin())

    asyncio.run(run())


def test_a_transaction_that_relies_on_what_is_known_has_read_it() -> None:
    async def run() -> None:
        storage = Storage(MemoryStore())
        await _put(storage, "a", 1)
        first = await storage.begin()
        await first.get("a", NUMBER)
        premise = Premise(dict(first.reads))
        second = await storage.begin()
        assert premise.holds(second)
        await _put(storage, "a", 2)
        second.put("b", 1, NUMBER)
        with pytest.raises(Conflict):
            await second.commit()

    asyncio.run(run())
