"""Counters and summaries, and the registry that shows them."""

import asyncio

import pytest

from tests.node import NodeUnderTest, with_node
from wardgate.core.metrics import MAX_SERIES, OTHER, RECENT, Counter, Metrics, Reading, quantiles
from wardgate.core.records import BytesCodec
from wardgate.core.storage import Storage, Transaction
from wardgate.errors import InvalidRequest
from wardgate.store.memory import MemoryStore


def readings(metrics: Metrics, name: str) -> list[Reading]:
    (family,) = [family for family in metrics.families() if family.name == name]
    return list(family.read())


def test_the_same_name_and_labels_are_the_same_counter() -> None:
    metrics = Metrics()
    metrics.counter("a.b", "Help.", mount="x/", type="kv").add()
    metrics.counter("a.b", "Help.", type="kv", mount="x/").add(2)
    metrics.counter("a.b", "Help.", mount="y/", type="kv").add()
    found = {reading.labels: reading.value for reading in readings(metrics, "a.b")}
    assert found == {(("mount", "x/"), ("type", "kv")): 3, (("mount", "y/"), ("type", "kv")): 1}


def test_a_name_has_a_bounded_number_of_series() -> None:
    metrics = Metrics()
    for number in range(MAX_SERIES + 50):
        metrics.counter("a", "Help.", name=str(number)).add()
    found = {reading.labels: reading.value for reading in readings(metrics, "a")}
    assert len(found) == MAX_SERIES + 1
    assert found[(("name", OTHER),)] == 50


def test_a_summary_knows_all_values_and_the_last_ones() -> None:
    metrics = Metrics()
    summary = metrics.summary("a", "Help.")
    assert list(summary.recent()) == []
    for number in range(1000):
        summary.observe(number)
    (reading,) = readings(metrics, "a")
    assert (reading.count, reading.value) == (1000, sum(range(1000)))
    assert sorted(reading.recent) == list(range(1000 - RECENT, 1000))


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], []), ([7], [7, 7, 7]), (range(101), [50, 90, 99]), ([2, 1], [1, 2, 2])],
)
def test_quantiles_are_values_that_were_there(values: list[float], expected: list[float]) -> None:
    assert [value for _, value in quantiles(values)] == expected


def test_a_gauge_is_read_when_it_is_asked_for() -> None:
    metrics = Metrics()
    values: list[float | None] = [None, 2.0]
    metrics.gauge("a", "Help.", lambda: values.pop(0))
    assert readings(metrics, "a") == []
    assert [reading.value for reading in readings(metrics, "a")] == [2.0]


def test_one_name_is_of_one_kind() -> None:
    metrics = Metrics()
    metrics.counter("a", "Help.")
    with pytest.raises(AssertionError):
        metrics.summary("a", "Help.")


def test_what_a_request_does_is_counted_once_when_it_is_done() -> None:
    """A transaction that loses a race runs again; one that fails has done nothing."""
    counter, codec = Counter(), BytesCodec()
    tries = 0

    async def run() -> None:
        storage = Storage(MemoryStore())

        async def work(transaction: Transaction) -> None:
            nonlocal tries
            tries += 1
            await transaction.get("k", codec)
            transaction.put("k", b"mine", codec)
            transaction.count(counter)
            if tries == 1:
                other = await storage.begin()
                other.put("k", b"theirs", codec)
                await other.commit()

        async def failing(transaction: Transaction) -> None:
            transaction.count(counter)
            raise InvalidRequest("no")

        await storage.transact(work)
        assert (tries, counter.value) == (2, 1)
        with pytest.raises(InvalidRequest):
            await storage.transact(failing)
        assert counter.value == 1

    asyncio.run(run())


@with_node
async def test_every_node_counts_for_itself(node: NodeUnderTest) -> None:
    other = await node.another()
    node.core.metrics.counter("a", "Help.").add()
    assert [family.name for family in other.core.metrics.families() if family.name == "a"] == []
