"""Commits that arrive together are carried out together, and where nobody gets in the way."""

import asyncio
import threading
import time
from collections.abc import Sequence

from wardgate.store.group_commit import Group, GroupCommit, Outcome
from wardgate.store.keys import CheckedCommit

COMMIT = CheckedCommit({}, [])


class Writer:
    """Takes commits, and notes of each group how large it is and on which thread it was taken."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.threads: list[str] = []
        self.revision = 0
        self.commits = GroupCommit(self.write, lambda: None)

    def write(self, group: Group) -> Sequence[Outcome]:
        return group.elsewhere(lambda: self._take(group.take()))

    def _take(self, commits: Sequence[CheckedCommit]) -> Sequence[Outcome]:
        self.groups.append(len(commits))
        self.threads.append(threading.current_thread().name)
        first = self.revision + 1
        self.revision += len(commits)
        return range(first, self.revision + 1)


def test_what_arrives_together_is_one_group_on_the_event_loops_thread() -> None:
    async def run() -> None:
        writer = Writer()
        revisions = await asyncio.gather(*(writer.commits.commit(COMMIT) for _ in range(50)))
        await writer.commits.stop()
        assert revisions == list(range(1, 51))
        assert (writer.groups, writer.threads) == ([50], ["MainThread"])

    asyncio.run(run())


def test_what_arrives_one_pass_later_joins_the_group() -> None:
    async def run() -> None:
        writer = Writer()
        first = asyncio.create_task(writer.commits.commit(COMMIT))
        await asyncio.sleep(0)  # it has been handed over
        await asyncio.sleep(0)
        time.sleep(0.05)  # noqa: ASYNC251  # a thread that was called would begin now
        assert await writer.commits.commit(COMMIT) == 2
        assert await first == 1
        await writer.commits.stop()
        assert writer.groups == [2]

    asyncio.run(run())


def test_one_alone_is_written_at_once_by_the_thread_that_writes() -> None:
    async def run() -> None:
        writer = Writer()
        assert await writer.commits.commit(COMMIT) == 1
        await writer.commits.stop()
        assert (writer.groups, writer.threads) == ([1], ["wardgate-store"])

    asyncio.run(run())


def test_an_event_loop_that_is_held_up_is_not_waited_for() -> None:
    async def run() -> None:
        writer = Writer()
        waiting = [asyncio.create_task(writer.commits.commit(COMMIT)) for _ in range(5)]
        await asyncio.sleep(0)  # they have been handed over
        await asyncio.sleep(0)  # others may join in
        await asyncio.sleep(0)  # and the thread has been called
        deadline = time.monotonic() + 30
        while not writer.groups:
            assert time.monotonic() < deadline
            time.sleep(0.01)  # noqa: ASYNC251  # it is the point that the loop stands still
        assert (writer.groups, writer.threads) == ([5], ["wardgate-store"])
        assert await asyncio.gather(*waiting) == [1, 2, 3, 4, 5]
        await writer.commits.stop()

    asyncio.run(run())


def test_what_raises_there_refuses_the_group() -> None:
    async def run() -> None:
        def write(group: Group) -> Sequence[Outcome]:
            def refuse() -> Sequence[Outcome]:
                group.take()
                raise OSError("disk")

            return group.elsewhere(refuse)

        commits = GroupCommit(write, lambda: None)
        answers = await asyncio.gather(
            *(commits.commit(COMMIT) for _ in range(3)), return_exceptions=True
        )
        await commits.stop()
        assert [str(each) for each in answers] == ["the storage engine broke with OSError"] * 3

    asyncio.run(run())


def test_commits_of_an_event_loop_that_has_ended_are_carried_out_with_the_next() -> None:
    writer = Writer()

    async def leave() -> None:
        tasks = [asyncio.create_task(writer.commits.commit(COMMIT)) for _ in range(3)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()

    asyncio.run(leave())

    async def go_on() -> int:
        revision = await writer.commits.commit(COMMIT)
        await writer.commits.stop()
        return revision

    assert asyncio.run(asyncio.wait_for(go_on(), 30)) == 4
    assert sum(writer.groups) == 4
