"""Work that is done once for all who need it at the same time."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """What is under way, by a name of what it is for. For one event loop."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[T]] = {}

    def under_way(self, name: Hashable = None) -> bool:
        """Whether somebody works on it."""
        return name in self._tasks

    def begin(
        self, work: Callable[[], Coroutine[Any, Any, T]], name: Hashable = None
    ) -> "asyncio.Future[T]":
        """What `work` will give, which is begun now unless it is under way. Whoever waits for it may
        be cancelled, which ends it for nobody else."""
        task = self._tasks.get(name)
        if task is None:
            task = self._tasks[name] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._ended(name, done))
        return asyncio.shield(task)

    def _ended(self, name: Hashable, task: "asyncio.Task[T]") -> None:
        del self._tasks[name]
        if not task.cancelled():
            task.exception()  # nobody may be there any more to take it
