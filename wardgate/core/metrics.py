"""Counters, summaries and gauges that any part of the core may keep, and the registry of them all.

They are plain numbers in the memory of this process, changed from its event loop only, so counting
costs some ten nanoseconds. They are read when somebody asks for them (`wardgate.system.metrics`);
where several processes are one server, those of all are put together (`wardgate.core.metrics_of_all`).

Names are Vault's, in its dotted form without the prefix: ``core.handle_request`` is shown as
``vault_core_handle_request``. The values of labels are what operators chose, such as the path of a
mount or the name of a quota: never anything that a request brings along, which could be a secret
and would make more series than anybody can hold. What a request does is counted once it is done:
see `wardgate.core.storage.Transaction.count`.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, TypeAlias, TypeVar

T = TypeVar("T")

Labels: TypeAlias = tuple[tuple[str, str], ...]
"""Sorted pairs of name and value."""
Kind: TypeAlias = Literal["counter", "gauge", "summary"]
Scope: TypeAlias = Literal["process", "server"]
"""Whether a gauge is about this process, so that those of all processes are added up, or about
something that they all have together, so that any of them knows it."""

MAX_SERIES = 500
"""Series of one name; what comes beyond is counted under ``other``."""
RECENT = 256
"""So many of a summary's last values are kept, for its quantiles. A power of two."""
OTHER = "other"
QUANTILES = (0.5, 0.9, 0.99)


class Counter:
    """How often something happened since the process began."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def add(self, amount: int = 1) -> None:
        """Count `amount` more."""
        self.value += amount


class Summary:
    """How long something took: milliseconds, as in Vault, since the process began."""

    __slots__ = ("_recent", "count", "sum")

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        self._recent = array("d", bytes(8 * RECENT))

    def observe(self, milliseconds: float) -> None:
        """Take one more value in."""
        self._recent[self.count & (RECENT - 1)] = milliseconds
        self.count += 1
        self.sum += milliseconds

    def recent(self) -> Sequence[float]:
        """The last values, in no order."""
        return self._recent[: min(self.count, RECENT)]


def quantiles(values: Iterable[float]) -> list[tuple[float, float]]:
    """Each of `QUANTILES` with its value among `values`; none when there are no values."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return [(each, ordered[round(each * last)]) for each in QUANTILES] if ordered else []


class Reading:
    """A series as it stands now. For a summary, `value` is the sum of all values, and `count` and
    `recent` say how many there were and what the last ones were."""

    __slots__ = ("count", "labels", "recent", "value")

    def __init__(
        self, labels: Labels, value: float, count: int = 0, recent: Sequence[float] = ()
    ) -> None:
        self.labels = labels
        self.value = value
        self.count = count
        self.recent = recent


Read: TypeAlias = Callable[[], Iterable[Reading]]


def summed(labels: Labels, readings: Iterable[Reading]) -> Reading:
    """One reading of several summaries: the last values are as many of each as it has its share."""
    readings = [each for each in readings if each.count]
    recent = array("d")
    count = sum(each.count for each in readings)
    for each in readings:
        share = RECENT * len(readings) * each.count // count
        recent.extend(each.recent[: max(1, min(len(each.recent), share))])
    return Reading(labels, sum(each.value for each in readings), count, recent)


class Family:
    """All series of one name."""

    __slots__ = ("help", "kind", "name", "read", "scope")

    def __init__(
        self, name: str, kind: Kind, help: str, read: Read, scope: Scope = "process"
    ) -> None:
        self.name = name
        self.kind = kind
        self.help = help
        self.read = read
        self.scope = scope


class Metrics:
    """The registry. Asking for the same name and labels again gives the same series."""

    def __init__(self) -> None:
        self._families: dict[str, Family] = {}
        self._counters: dict[str, dict[Labels, Counter]] = {}
        self._summaries: dict[str, dict[Labels, Summary]] = {}

    def counter(self, name: str, help: str, /, **labels: str) -> Counter:
        """The counter of this name and these labels. Keep it where it is used often."""
        series = self._counters.get(name)
        if series is None:
            made: dict[Labels, Counter] = {}
            series = self._counters[name] = made
            self._add(name, "counter", help, lambda: _counts(made))
        return _one(series, labels, Counter)

    def summary(self, name: str, help: str, /, **labels: str) -> Summary:
        """The summary of this name and these labels. Keep it where it is used often."""
        series = self._summaries.get(name)
        if series is None:
            made: dict[Labels, Summary] = {}
            series = self._summaries[name] = made
            self._add(name, "summary", help, lambda: _summed(made))
        return _one(series, labels, Summary)

    def gauge(
        self, name: str, help: str, read: Callable[[], float | None], scope: Scope = "process"
    ) -> None:
        """A value that `read` gives when it is asked for; None while it is not known."""
        self.collected(name, "gauge", help, lambda: _known(read()), scope)

    def collected(
        self, name: str, kind: Kind, help: str, read: Read, scope: Scope = "process"
    ) -> None:
        """Series that `read` gives when they are asked for. It takes the place of what had the same
        name. `read` is quick, and reads no storage."""
        self._families.pop(name, None)
        self._add(name, kind, help, read, scope)

    def families(self) -> Iterator[Family]:
        """Every family, by name."""
        for name in sorted(self._families):
            yield self._families[name]

    def _add(self, name: str, kind: Kind, help: str, read: Read, scope: Scope = "process") -> None:
        assert name not in self._families, f"{name} is of another kind already"
        self._families[name] = Family(name, kind, help, read, scope)


def _one(series: dict[Labels, T], labels: dict[str, str], make: Callable[[], T]) -> T:
    key = tuple(sorted(labels.items()))
    found = series.get(key)
    if found is None:
        if len(series) >= MAX_SERIES:
            key = tuple((name, OTHER) for name, _ in key)
        found = series.setdefault(key, make())
    return found


def _counts(series: dict[Labels, Counter]) -> Iterator[Reading]:
    for labels, counter in sorted(series.items()):
        yield Reading(labels, counter.value)


def _summed(series: dict[Labels, Summary]) -> Iterator[Reading]:
    for labels, summary in sorted(series.items()):
        yield Reading(labels, summary.sum, summary.count, summary.recent())


def _known(value: float | None) -> Iterator[Reading]:
    if value is not None:
        yield Reading((), value)
