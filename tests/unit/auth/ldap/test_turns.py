"""Logins ask the directory on threads: so many at once, so many that wait."""

import asyncio
import threading

import pytest

from wardgate.auth.ldap import turns as turns_module
from wardgate.auth.ldap.effort import DirectoryFailed
from wardgate.auth.ldap.turns import MOST_AT_ONCE, MOST_WAITING, Turns
from wardgate.errors import Unavailable


def test_work_is_done_on_another_thread() -> None:
    async def run() -> int:
        return await Turns().run(lambda left: threading.get_ident(), 10)

    assert asyncio.run(run()) != threading.get_ident()


def test_what_fails_fails_for_whoever_waits() -> None:
    def fail(left: float) -> None:
        raise DirectoryFailed("so")

    async def run() -> None:
        turns = Turns()
        for _ in range(3 * MOST_AT_ONCE):
            with pytest.raises(DirectoryFailed, match="so"):
                await turns.run(fail, 10)

    asyncio.run(run())


def test_no_more_run_at_once_and_no_more_wait() -> None:
    async def run() -> None:
        turns, over, all_run = Turns(), threading.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        running = []

        def work(left: float) -> None:
            running.append(1)
            if len(running) == MOST_AT_ONCE:
                loop.call_soon_threadsafe(all_run.set)
            over.wait(30)

        tasks = [
            asyncio.create_task(turns.run(work, 30)) for _ in range(MOST_AT_ONCE + MOST_WAITING)
        ]
        await asyncio.wait_for(all_run.wait(), 30)
        with pytest.raises(Unavailable, match="too many"):
            await turns.run(work, 30)
        assert len(running) == MOST_AT_ONCE
        over.set()
        await asyncio.gather(*tasks)
        assert len(running) == MOST_AT_ONCE + MOST_WAITING
        await turns.run(work, 30)

    asyncio.run(run())


def test_who_waits_in_vain_is_not_told_that_the_directory_is_slow() -> None:
    async def run() -> None:
        turns, over = Turns(), threading.Event()
        stuck = [
            asyncio.create_task(turns.run(lambda left: over.wait(30), 30))
            for _ in range(MOST_AT_ONCE)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="has not come"):
            await turns.run(lambda left: None, 0.2)
        over.set()
        await asyncio.gather(*stuck)

    asyncio.run(run())


def test_a_thread_that_is_given_up_keeps_its_place_until_it_ends() -> None:
    async def run() -> None:
        turns, over = Turns(), threading.Event()
        for _ in range(MOST_AT_ONCE):
            task = asyncio.create_task(turns.run(lambda left: over.wait(30), 30))
            await asyncio.sleep(0)  # it has begun
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        with pytest.raises(Unavailable):
            await turns.run(lambda left: None, 0.1)
        over.set()
        assert await turns.run(lambda left: 7, 30) == 7

    asyncio.run(run())


def test_a_mount_gets_its_turn_while_the_directories_of_many_others_hang() -> None:
    async def run() -> None:
        over, began = threading.Event(), 0
        all_run = asyncio.Event()
        loop = asyncio.get_running_loop()

        def note() -> None:
            nonlocal began
            began += 1
            if began == 10 * MOST_AT_ONCE:
                all_run.set()

        def hang(left: float) -> None:
            loop.call_soon_threadsafe(note)
            over.wait(60)

        hanging = [Turns() for _ in range(10)]
        tasks = [asyncio.create_task(turns.run(hang, 60)) for turns in hanging * MOST_AT_ONCE]
        await asyncio.wait_for(all_run.wait(), 30)
        assert await Turns().run(lambda left: 7, 30) == 7
        over.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())


def test_who_gets_no_turn_because_of_other_mounts_is_not_told_that_the_directory_is_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns_module, "MOST_THREADS", 2)

    async def run() -> None:
        over = threading.Event()
        stuck = [asyncio.create_task(Turns().run(lambda left: over.wait(30), 30)) for _ in "ab"]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="has not come"):
            await Turns().run(lambda left: None, 0.2)
        over.set()
        await asyncio.gather(*stuck)

    asyncio.run(run())


def test_a_directory_has_at_least_half_of_the_time() -> None:
    async def run() -> float:
        return await Turns().run(lambda left: left, 10)

    assert 5 <= asyncio.run(run()) <= 10


def test_a_directory_that_does_not_end_in_time_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "_GRACE", 0)

    async def run() -> None:
        over = threading.Event()
        with pytest.raises(DirectoryFailed, match="not answered within"):
            await Turns().run(lambda left: over.wait(30), 0.2)
        over.set()

    asyncio.run(run())
