"""What Prometheus's own client tells of Python processes: CPU, memory, open files, collections.

Of several processes of one server each is told of, with a label ``worker``: adding up when they began,
or how many files they may open, would say nothing.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector


class ProcessFamily(msgspec.Struct, array_like=True, frozen=True):
    """One metric of a process, as it goes from one process to another; `samples` are names, labels
    and values."""

    name: str
    help: str
    kind: str
    samples: list[tuple[str, dict[str, str], float]]


class ProcessMetrics:
    """The metrics of this process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)

    def text(self) -> bytes:
        """In Prometheus's format."""
        return generate_latest(self._registry)

    def told(self) -> list[ProcessFamily]:
        """For another process to show."""
        return [
            ProcessFamily(
                each.name,
                each.documentation,
                each.type,
                [(sample.name, sample.labels, sample.value) for sample in each.samples],
            )
            for each in self._registry.collect()
        ]


def text_of_all(workers: Mapping[int, Iterable[ProcessFamily]]) -> bytes:
    """What the workers told, by their numbers, in Prometheus's format."""
    return generate_latest(_Workers(workers))


class _Workers(Collector):
    def __init__(self, workers: Mapping[int, Iterable[ProcessFamily]]) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        found: dict[str, Metric] = {}
        for number, families in sorted(self._workers.items()):
            for family in families:
                metric = found.get(family.name)
                if metric is None:
                    metric = Metric(family.name, family.help, family.kind)
                    found[family.name] = metric
                for name, labels, value in family.samples:
                    metric.add_sample(name, {**labels, "worker": str(number)}, value)
        yield from found.values()
