"""The metrics of several processes, put together."""

import msgspec

from wardgate.core.metrics import RECENT, Family, Metrics, Reading
from wardgate.core.metrics_of_all import Told, of_all, told


def sent(metrics: Metrics) -> list[Told]:
    """What a process tells, as it comes to another."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(told(metrics.families())), type=list[Told])


def together(*processes: Metrics) -> dict[str, Family]:
    return {family.name: family for family in of_all([sent(each) for each in processes])}


def values(family: Family) -> dict[str, float]:
    return {dict(each.labels).get("of", ""): each.value for each in family.read()}


def test_counters_are_added_up_series_by_series() -> None:
    first, second = Metrics(), Metrics()
    first.counter("a", "Help.", of="x").add(2)
    first.counter("a", "Help.", of="y").add(3)
    second.counter("a", "Help.", of="y").add(4)
    second.counter("b", "Help.").add(5)
    found = together(first, second)
    assert list(found) == ["a", "b"]
    assert values(found["a"]) == {"x": 2, "y": 7}
    assert values(found["b"]) == {"": 5}
    assert (found["a"].kind, found["a"].help) == ("counter", "Help.")
    assert str(values(found["a"])["y"]) == "7"  # whole numbers stay whole


def test_gauges_are_added_up_unless_they_are_of_the_server() -> None:
    processes = []
    for value in (None, 2, 3):
        metrics = Metrics()
        metrics.gauge("process", "Help.", lambda value=value: value)  # type: ignore[misc]
        metrics.gauge("server", "Help.", lambda value=value: value, "server")  # type: ignore[misc]
        processes.append(metrics)
    found = together(*processes)
    assert values(found["process"]) == {"": 5}
    assert values(found["server"]) == {"": 2}


def test_summaries_have_all_values_and_each_process_its_share_of_the_last() -> None:
    busy, idle, new = Metrics(), Metrics(), Metrics()
    for _ in range(3 * RECENT):
        busy.summary("a", "Help.").observe(1.0)
    for _ in range(RECENT):
        idle.summary("a", "Help.").observe(5.0)
    new.summary("a", "Help.")
    (reading,) = together(busy, idle, new)["a"].read()
    assert (reading.count, reading.value) == (4 * RECENT, 3 * RECENT + 5 * RECENT)
    assert list(reading.recent).count(1.0) == RECENT
    assert list(reading.recent).count(5.0) == RECENT / 2
    (reading,) = together(new, new)["a"].read()
    assert (reading.count, reading.value, list(reading.recent)) == (0, 0, [])


def test_one_process_is_shown_as_it_is() -> None:
    metrics = Metrics()
    metrics.counter("a", "Help.", of="x").add(2)
    metrics.summary("b", "Help.").observe(1.5)
    metrics.collected("c", "gauge", "Help.", lambda: [Reading((("of", "z"),), 0.5)])
    (a, b, c) = together(metrics).values()
    assert (values(a), values(c)) == ({"x": 2}, {"z": 0.5})
    (reading,) = b.read()
    assert (reading.count, reading.value, list(reading.recent)) == (1, 1.5, [1.5])
