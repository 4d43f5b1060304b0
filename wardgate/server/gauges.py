"""Gauges about the process and its state, which are read when somebody asks for them."""

import asyncio
import gc

import psutil

from wardgate.barrier.barrier import Barrier
from wardgate.core.metrics import Metrics, Reading
from wardgate.core.storage import Storage


def register_gauges(metrics: Metrics, barrier: Barrier, storage: Storage) -> None:
    """Let `metrics` show them. The processes of one server are sealed and unsealed together."""
    process = psutil.Process()
    metrics.gauge(
        "core.unsealed", "1 when unsealed.", lambda: 0 if barrier.sealed else 1, scope="server"
    )
    metrics.gauge(
        "core.active",
        "1 when this process answers requests; every process that is unsealed does.",
        lambda: 0 if barrier.sealed else 1,
        scope="server",
    )
    metrics.gauge("runtime.alloc_bytes", "Memory in use.", lambda: float(process.memory_info().rss))
    metrics.gauge(
        "runtime.sys_bytes", "Memory that is mapped.", lambda: float(process.memory_info().vms)
    )
    metrics.gauge(
        "runtime.num_goroutines", "Tasks that are under way.", lambda: len(asyncio.all_tasks())
    )
    metrics.gauge(
        "runtime.total_gc_runs",
        "Garbage collections.",
        lambda: sum(each["collections"] for each in gc.get_stats()),
    )
    metrics.gauge("cache.records", "Decoded records in the cache.", lambda: len(storage.cache))
    metrics.collected(
        "storage.commit",
        "summary",
        "Milliseconds until a commit was durable.",
        lambda: [Reading((), storage.commits.sum, storage.commits.count, storage.commits.recent())],
    )
    metrics.collected(
        "storage.conflict",
        "counter",
        "Commits that lost a race, so that the request ran again.",
        lambda: [Reading((), storage.conflicts.value)],
    )
