"""The metrics of several processes that are one server, put together.

Counters and summaries are added up, series by series, and so are gauges about a process. Of a gauge
about what all have together, the readings are those of the first process that has any.
"""

from array import array
from collections.abc import Iterable, Sequence

import msgspec

from wardgate.core.metrics import Family, Kind, Labels, Reading, Scope, summed


class Series(msgspec.Struct, array_like=True, frozen=True):
    """A `Reading` on its way from one process to another, on the same machine: `recent` are doubles
    as they lie in memory."""

    labels: Labels
    value: int | float
    count: int
    recent: bytes


class Told(msgspec.Struct, array_like=True, frozen=True):
    """A `Family` on its way, with all that it read."""

    name: str
    kind: Kind
    help: str
    scope: Scope
    series: list[Series]


def told(families: Iterable[Family]) -> list[Told]:
    """What there is to read now; families without series are left out."""
    return [found for found in map(_told, families) if found.series]


def _told(family: Family) -> Told:
    series = [
        Series(each.labels, each.value, each.count, array("d", each.recent).tobytes())
        for each in family.read()
    ]
    return Told(family.name, family.kind, family.help, family.scope, series)


def of_all(processes: Sequence[Iterable[Told]]) -> list[Family]:
    """One family of each name, by name."""
    found: dict[str, list[Told]] = {}
    for process in processes:
        for each in process:
            found.setdefault(each.name, []).append(each)
    return [_joined(found[name]) for name in sorted(found)]


def _joined(parts: list[Told]) -> Family:
    first = parts[0]
    if first.kind == "gauge" and first.scope == "server":
        parts = [first]
    by_labels: dict[Labels, list[Reading]] = {}
    for part in parts:
        for each in part.series:
            recent = array("d")
            recent.frombytes(each.recent[: len(each.recent) & -recent.itemsize])
            reading = Reading(each.labels, each.value, each.count, recent)
            by_labels.setdefault(each.labels, []).append(reading)
    add = summed if first.kind == "summary" else _added
    readings = [add(labels, each) for labels, each in sorted(by_labels.items())]
    return Family(first.name, first.kind, first.help, lambda: readings, first.scope)


def _added(labels: Labels, readings: Iterable[Reading]) -> Reading:
    return Reading(labels, sum(each.value for each in readings))
