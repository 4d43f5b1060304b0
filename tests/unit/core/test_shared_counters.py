"""Counts that several processes share: together they allow no more than one would, and one that is
killed leaves nothing behind that harms the others."""

import os
import random
import signal
from collections.abc import Callable
from typing import Any

import pytest

from wardgate.core.quotas import SharedCounters, Taken

NOW = 1_700_000_000.0
HOUR = 3600.0
WAYS = 32
"""What a bucket has room for; a table with no more room than that is one bucket."""


def take(counters: SharedCounters, client: str, limit: int = 100, **options: Any) -> Taken:
    """One request in a window of an hour."""
    after, block = options.get("after", 0.0), options.get("block", 0.0)
    return counters.take("q", client, limit, HOUR, block, NOW + after)


def fork(work: Callable[[], None]) -> int:
    """Let a process of its own do the work; its id."""
    process = os.fork()
    if not process:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return process


def ended(process: int) -> int:
    """Wait for a process; its exit code, or the number of the signal that killed it, negative."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.mark.parametrize("most", [1, WAYS, 4096])
def test_processes_count_together(most: int) -> None:
    counters = SharedCounters.make(most)
    clients = [str(number) for number in range(min(most, 10))]
    ready, go = os.pipe()
    reports, report = os.pipe()

    def work() -> None:
        os.close(go)
        os.read(ready, 1)  # until all are there
        chance = random.Random(os.getpid())
        for _ in range(100):
            for client in clients:
                if take(counters, client, after=chance.random()).allowed:
                    os.write(report, client.encode())

    processes = [fork(work) for _ in range(4)]
    os.close(go)
    os.close(report)
    assert [ended(process) for process in processes] == [0] * 4
    with os.fdopen(reports) as file:
        allowed = file.read()
    os.close(ready)
    assert [allowed.count(client) for client in clients] == [100] * len(clients)
    assert len(counters) == len(clients)


def test_processes_block_together() -> None:
    counters = SharedCounters.make()

    def work() -> None:
        for _ in range(50):
            take(counters, "a", block=HOUR)

    assert [ended(process) for process in [fork(work), fork(work)]] == [0, 0]
    assert not take(counters, "a", block=HOUR).blocked
    assert ended(fork(lambda: _expect(take(counters, "a", block=HOUR).blocked))) == 0


def _expect(met: bool) -> None:
    assert met


def test_processes_that_are_killed_stop_nobody_and_lose_no_count() -> None:
    counters = SharedCounters.make(WAYS)
    clients = [chr(ord("a") + number) for number in range(10)]
    for _ in range(50):
        take(counters, "witness")
    kills, told = 150, ""
    chance = random.Random(4)
    for _ in range(kills):
        reports, report = os.pipe()

        def work(report: int = report) -> None:
            while True:
                for client in clients:
                    take(counters, client, 10**9)
                    os.write(report, client.encode())

        process = fork(work)
        os.close(report)
        with os.fdopen(reports) as file:
            told += file.read(chance.randrange(1, 100))
            for _ in range(chance.randrange(300)):
                take(counters, "beside", 10**9)
            os.kill(process, signal.SIGKILL)
            assert ended(process) == -signal.SIGKILL
            told += file.read()
    counted = [10**9 - 1 - take(counters, client, 10**9).remaining for client in clients]
    lost = [count - told.count(client) for count, client in zip(counted, clients, strict=True)]
    assert min(lost) >= 0
    assert sum(lost) <= kills
    assert take(counters, "witness").remaining == 49


class Dying:
    """Memory whose process gets a signal in its n-th store: before it, or, of a tag, halfway."""

    def __init__(self, memory: Any, stores: list[int], got: int) -> None:
        self.memory = memory
        self.stores = stores
        self.got = got

    def __getitem__(self, at: int) -> Any:
        return self.memory[at]

    def __setitem__(self, at: Any, value: Any) -> None:
        if not self.stores[0]:
            if isinstance(at, slice):
                self.memory[at.start : at.start + 4] = value[:4]
            os.kill(os.getpid(), self.got)
        self.stores[0] -= 1
        self.memory[at] = value


def held_up(
    counters: SharedCounters, got: int, store: int, client: str, **options: Any
) -> Callable[[], None]:
    """Counts a request in a process that gets a signal in its n-th store."""

    def work() -> None:
        stores = [store]
        for name in ("_memory", "_since", "_used"):
            setattr(counters, name, Dying(getattr(counters, name), stores, got))
        take(counters, client, **options)

    return work


def killed(counters: SharedCounters, store: int, client: str, **options: Any) -> bool:
    """Count a request in a process that is killed in its n-th store; whether it has so many."""
    work = held_up(counters, signal.SIGKILL, store, client, **options)
    return ended(fork(work)) == -signal.SIGKILL


def waits(process: int) -> bool:
    """Whether a process waits for a lock."""
    with open("/proc/locks") as locks:
        return any("->" in line and f" {process} " in line for line in locks)


def test_nobody_counts_in_a_bucket_in_which_another_one_is_counting() -> None:
    counters = SharedCounters.make(WAYS)
    take(counters, "a")
    slow = fork(held_up(counters, signal.SIGSTOP, 0, "a"))
    assert os.WIFSTOPPED(os.waitpid(slow, os.WUNTRACED)[1])
    other = fork(lambda: _expect(take(counters, "a").remaining == 97))
    try:
        while not waits(other):
            assert os.waitpid(other, os.WNOHANG) == (0, 0), "it did not wait"
    finally:
        os.kill(slow, signal.SIGCONT)
    assert [ended(slow), ended(other)] == [0, 0]
    assert take(counters, "a").remaining == 96


def test_a_request_is_counted_or_not_wherever_its_process_is_killed() -> None:
    counters = SharedCounters.make(WAYS)
    used = 0
    for number in range(10):
        assert killed(counters, 0, "old") is True
        assert take(counters, "old").remaining == 99 - number
        used += 1
    assert not killed(counters, 1, "old")
    assert take(counters, "old").remaining == 99 - used - 1


def test_a_window_is_begun_or_not_wherever_its_process_is_killed() -> None:
    store = 0
    while True:
        counters = SharedCounters.make(WAYS)
        for _ in range(100):
            take(counters, "old")
        died = killed(counters, store, "old", after=HOUR)
        assert take(counters, "old", after=HOUR).remaining == (99 if died else 98)
        if not died:
            break
        store += 1
    assert store == 5


@pytest.mark.parametrize("full", [True, False])
def test_of_other_clients_one_at_most_is_forgotten_wherever_a_process_is_killed(full: bool) -> None:
    others = [f"other-{number}" for number in range(WAYS if full else WAYS - 1)]
    store = 0
    while True:
        counters = SharedCounters.make(WAYS)
        for number, other in enumerate(others):
            take(counters, other, after=number)
        died = killed(counters, store, "new", after=WAYS)
        assert take(counters, "new", after=WAYS).remaining == (99 if died else 98)
        remembered = others[1:] if full else others
        assert {take(counters, other, after=WAYS).remaining for other in remembered} == {98}
        if not died:
            break
        store += 1
    assert store == 5


def test_who_has_sent_too_much_is_refused_wherever_a_process_is_killed() -> None:
    store = 0
    while True:
        counters = SharedCounters.make(WAYS)
        for _ in range(2):
            take(counters, "a", 2, block=60)
        died = killed(counters, store, "a", limit=2, block=60)
        assert not take(counters, "a", 2, block=60).allowed
        assert take(counters, "a", 2, block=60, after=30).blocked
        if not died:
            break
        store += 1
    assert store == 4


def test_clients_without_end_take_no_more_memory_and_seldom_forget_one() -> None:
    most, clients, limit = 4096, 100_000, 10
    counters = SharedCounters.make(most)
    allowed = 0
    for number in range(clients):
        take(counters, str(number), after=number / clients)
        if number % 16 == 0:
            allowed += take(counters, "heavy", limit, after=number / clients).allowed
    assert len(counters) == most
    assert os.fstat(counters._descriptor).st_blocks * 512 <= most * 40 + 4096
    # once for each 32 new clients in its bucket of 128: 24 times in the mean, and 2 more or less
    assert allowed <= limit * 40


def test_there_is_room_for_as_many_clients_as_one_process_remembers() -> None:
    counters = SharedCounters.make(8192)
    for _ in range(2):
        remaining = [take(counters, str(number)).remaining for number in range(4096)]
    assert remaining.count(98) > 0.99 * 4096
