"""Transactions: what they see, when they run again, and what they never mix up."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from tests.unit.core.numbers import NUMBER, get, put
from wardgate.core.records import BytesCodec, Codec
from wardgate.core.storage import LIST_PART, Storage, Transaction, View
from wardgate.errors import InternalError, Unavailable
from wardgate.store.interface import REMEMBERED, Conflict, Entry, Put, StoreError, Write
from wardgate.store.memory import MemoryStore

TEXT: Codec[str] = Codec(str)


async def _read(transaction: Transaction, key: str) -> int | None:
    found = await transaction.get(key, NUMBER)
    return found  # noqa: RET504  (in one line, mypy takes the codec for one of None too)


async def _increment(storage: Storage, key: str = "n") -> int:
    async def work(transaction: Transaction) -> int:
        number = (await transaction.get(key, NUMBER) or 0) + 1
        await asyncio.sleep(0)
        transaction.put(key, number, NUMBER)
        return number

    return await storage.transact(work)


def test_a_transaction_sees_its_own_writes_and_nobody_else_does_before_the_commit() -> None:
    async def run() -> None:
        storage = Storage(MemoryStore())
        await put(storage, "a", 1)
        transaction = await storage.begin()
        transaction.put("a", 2, NUMBER)
        transaction.put("b", 3, NUMBER)
        assert await transaction.get("a", NUMBER) == 2
        assert await transaction.get("b", NUMBER) == 3
        transaction.delete("a")
        assert await transaction.get("a", NUMBER) is None
        assert (await get(storage, "a"), await get(storage, "b")) == (1, None)
        await transaction.commit()
        assert (await get(storage, "a"), await get(storage, "b")) == (None, 3)

    asyncio.run(run())


def test_a_commit_fails_when_something_that_was_read_has_changed() -> None:
    async def run() -> None:
        storage = Storage(MemoryStore())
        await put(storage, "a", 1)
        for key, before in (("a", 1), ("absent", None)):
            transaction = await storage.begin()
            assert await transaction.get(key, NUMBER) == before
            await put(storage, key, 9)
            transaction.put("b", 1, NUMBER)
            with pytest.raises(Conflict):
                await transaction.commit()
            assert await get(storage, "b") is None

    asyncio.run(run())


def test_a_transaction_that_wrote_nothing_commits_nothing() -> None:
    async def run() -> None:
        storage = Storage(MemoryStore())
        await put(storage, "a", 1)
        transaction = await storage.begin()
        await transaction.get("a", NUMBER)
        await put(storage, "a", 2)
        revision = await storage.blobs.revision()
        await transaction.commit()
        assert await storage.blobs.revision() == revision

    asyncio.run(run())


def test_300_increments_at_once_are_300() -> None:
    async def run() -> None:
        storage = Storage(MemoryStore())
        results = await asyncio.gather(*(_increment(storage) for _ in range(300)))
        assert sorted(results) == list(range(1, 301))
        assert await get(storage, "n") == 300

    asyncio.run(run())


def test_increments_of_two_processes_are_all_counted() -> None:
    async def run() -> None:
        store = MemoryStore()
        storages = [Storage(store), Storage(store)]
        await asyncio.gather(*(_increment(storages[n % 2]) for n in range(300)))
        assert [await get(storage, "n") for storage in storages] == [300, 300]

    asyncio.run(run())


def test_a_change_by_another_process_is_seen_by_the_next_transaction() -> None:
    async def run() -> None:
        store = MemoryStore()
        here, there = Storage(store), Storage(store)
        for number in range(1, 4):
            await put(there, "a", number)
            assert await get(here, "a") == number
            assert await get(here, "never") is None

        async def drop(transaction: Transaction) -> None:
            transaction.delete("a")

        await there.transact(drop)
        assert await get(here, "a") is None
        await put(there, "never", 5)
        assert await get(here, "never") == 5

    asyncio.run(run())


class _Counting(MemoryStore):
    """Counts what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.gets = 0

    async def get(self, key: str) -> Entry | None:
        self.gets += 1
        return await super().get(key)


def test_what_did_not_change_is_read_and_decoded_once() -> None:
    class Fussy(Codec[int]):
        decoded = 0

        def decode(self, data: bytes) -> int:
            Fussy.decoded += 1
            return super().decode(data)

    async def run() -> None:
        store, codec = _Counting(), Fussy(int)
        storage = Storage(store)
        await put(storage, "a", 1)
        for _ in range(10):
            assert await (await storage.begin()).get("a", codec) == 1
        assert (store.gets, Fussy.decoded) == (1, 1)
        await put(storage, "other", 1)
        for _ in range(10):
            assert await (await storage.begin()).get("a", codec) == 1
        assert (store.gets, Fussy.decoded) == (1, 1)
        await put(storage, "a", 2)
        for _ in range(10):
            assert await (await storage.begin()).get("a", codec) == 2
        assert (store.gets, Fussy.decoded) == (2, 2)

    asyncio.run(run())


def test_more_changes_than_are_remembered_are_all_seen() -> None:
    async def run() -> None:
        store = MemoryStore()
        here, there = Storage(store), Storage(store)
        await put(there, "a", 1)
        assert (await get(here, "a"), await get(here, "never")) == (1, None)
        await put(there, "a", 2)
        await put(there, "never", 3)
        for number in range(REMEMBERED):
            await put(there, "other", number)
        assert (await get(here, "a"), await get(here, "never")) == (2, 3)

    asyncio.run(run())


def test_a_slow_read_does_not_hide_a_newer_value() -> None:
    """A read that began before a commit ends after somebody has read the new value."""

    class Slow(MemoryStore):
        gate: asyncio.Event | None = None

        async def get(self, key: str) -> Entry | None:
            entry = await super().get(key)
            if self.gate is not None:
                gate, self.gate = self.gate, None
                await gate.wait()
            return entry

    async def run() -> None:
        store = Slow()
        storage = Storage(store)
        await put(storage, "a", 1)
        old = await storage.begin()
        gate = store.gate = asyncio.Event()
        reading: asyncio.Task[int | None] = asyncio.create_task(_read(old, "a"))
        await asyncio.sleep(0)
        await put(storage, "a", 2)
        assert await get(storage, "a") == 2
        gate.set()
        assert await reading == 1
        assert await get(storage, "a") == 2
        old.put("b", 1, NUMBER)
        with pytest.raises(Conflict):
            await old.commit()

    asyncio.run(run())


def test_the_cache_gives_up_the_oldest_when_it_is_full_and_still_answers() -> None:
    async def run() -> None:
        store = MemoryStore()
        storage = Storage(store, cache_bytes=5000)
        for number in range(50):
            await put(storage, f"k{number}", number)
        assert [await get(storage, f"k{n}") for n in range(50)] == list(range(50))
        assert len(storage.cache) <= 12
        await store.commit({}, [Put("big", TEXT.encode("x" * 10_000))])
        assert await (await storage.begin()).get("big", TEXT) == "x" * 10_000
        assert await get(storage, "k3") == 3
        storage.forget()
        assert storage.cache == {}
        assert [await get(storage, f"k{n}") for n in range(50)] == list(range(50))

    asyncio.run(run())


def test_writes_can_be_taken_back_to_where_they_were() -> None:
    async def run() -> None:
        transaction = await Storage(MemoryStore()).begin()
        transaction.put("a", 1, NUMBER)
        staged = transaction.staged()
        transaction.put("a", 2, NUMBER)
        transaction.put("b", 2, NUMBER)
        transaction.restore(staged)
        assert await transaction.get("a", NUMBER) == 1
        assert await transaction.get("b", NUMBER) is None

    asyncio.run(run())


def test_a_view_sees_only_what_lies_below_its_prefix() -> None:
    async def run() -> None:
        storage = Storage(MemoryStore())
        for key in ("mount/1/a", "mount/1/b/c", "mount/10/a", "mount/2/a", "a"):
            await put(storage, key, len(key))
        transaction = await storage.begin()
        view = View(transaction, "mount/1/")
        assert await view.list() == ["a", "b/"]
        assert await view.list("b/") == ["c"]
        assert await view.get("a", NUMBER) == len("mount/1/a")
        assert await view.get("mount/2/a", NUMBER) is None
        assert await view.get("../2/a", NUMBER) is None
        view.put("new", 1, NUMBER)
        view.delete("a")
        await transaction.commit()
        assert await storage.blobs.list("mount/1/") == ["b/", "new"]
        assert await storage.blobs.list("mount/2/") == ["a"]

    asyncio.run(run())


def test_a_record_that_cannot_be_decoded_is_an_internal_error_and_not_repeated() -> None:
    async def run() -> None:
        store = MemoryStore()
        await store.commit({}, [Put("a", b"\xffhunter2")])
        with pytest.raises(InternalError) as failed:
            await (await Storage(store).begin()).get("a", NUMBER)
        assert "hunter2" not in str(failed.value)
        transaction = await Storage(store).begin()
        assert await transaction.get("a", BytesCodec()) == b"\xffhunter2"

    asyncio.run(run())


def test_a_storage_that_fails_is_unavailable_and_the_next_try_works() -> None:
    class Failing(MemoryStore):
        failing = True

        async def commit(self, expect: Mapping[str, int], writes: Sequence[Write]) -> int:
            if self.failing:
                raise StoreError("disk full")
            return await super().commit(expect, writes)

    async def run() -> None:
        store = Failing()
        storage = Storage(store)
        with pytest.raises(Unavailable):
            await _increment(storage)
        store.failing = False
        assert await _increment(storage) == 1

    asyncio.run(run())


def test_an_error_in_the_work_writes_nothing_and_frees_the_turn() -> None:
    async def run() -> None:
        storage = Storage(MemoryStore())

        async def work(transaction: Transaction) -> None:
            number = await transaction.get("n", NUMBER) or 0
            await asyncio.sleep(0)
            transaction.put("n", number + 1, NUMBER)
            if number == 3:
                raise ValueError

        answers = await asyncio.gather(
            *(storage.transact(work) for _ in range(20)), return_exceptions=True
        )
        assert sum(isinstance(answer, ValueError) for answer in answers) == 17
        assert await get(storage, "n") == 3
        assert not any(turn.locked() for turn in storage._turns)

    asyncio.run(run())


def test_what_commits_by_another_way_is_given_all_reads_and_writes() -> None:
    async def run() -> None:
        store = MemoryStore()
        storage = Storage(store)
        await put(storage, "a", 1)
        given: list[tuple[dict[str, int], list[Write]]] = []

        async def commit(expect: Mapping[str, int], writes: Sequence[Write]) -> None:
            given.append((dict(expect), list(writes)))
            if len(given) == 1:
                raise Conflict("a")
            await store.commit(expect, [*writes, Put("beside", b"1")])

        async def work(transaction: Transaction) -> None:
            await _read(transaction, "a")
            transaction.put("b", 2, NUMBER)
            transaction.commit_by(commit)

        await storage.transact(work)
        assert given == [({"a": 1}, [Put("b", NUMBER.encode(2))])] * 2
        assert await get(storage, "b") == 2
        assert await store.get("beside") is not None

    asyncio.run(run())


def test_going_back_to_earlier_writes_forgets_another_way_of_committing() -> None:
    async def run() -> None:
        storage = Storage(MemoryStore())

        async def commit(expect: Mapping[str, int], writes: Sequence[Write]) -> None:
            pytest.fail("what was refused is committed")

        async def work(transaction: Transaction) -> None:
            transaction.put("use", 1, NUMBER)
            staged = transaction.staged()
            transaction.put("b", 2, NUMBER)
            transaction.commit_by(commit)
            transaction.restore(staged)

        await storage.transact(work)
        assert await get(storage, "use") == 1
        assert await get(storage, "b") is None

    asyncio.run(run())


def test_a_long_list_gives_others_their_turn() -> None:
    async def run() -> None:
        store = MemoryStore()
        names = [f"{number:05}" for number in range(2 * LIST_PART + 1)]
        await store.commit({}, [Put(f"many/{name}", b"x") for name in names])
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        transaction = await Storage(store).begin()
        task = asyncio.create_task(other())
        assert await transaction.list("many/") == names
        task.cancel()
        assert turns >= 2
        assert await transaction.list("many/", names[3], LIST_PART + 5) == names[4 : LIST_PART + 9]

    asyncio.run(run())
