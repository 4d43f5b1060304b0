"""Bodies that are still arriving: whoever takes too long to send one is answered 408.

Without it, a client that sends half a body would hold its connection for ever, and enough of them
would leave none for others. One look at the oldest in a while costs less than a timer for each.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from wardgate.errors import RequestError

INTERVAL = 1.0  # seconds between two looks


class RequestTimeout(RequestError):
    """The request took too long to arrive."""

    status = 408

    def __init__(self) -> None:
        super().__init__("the request did not arrive in time; send it again")


class Arrivals:
    """The tasks that wait for the rest of their requests. `patience` is in seconds, and may be
    changed at any time."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._since: dict[asyncio.Task[Any], float] = {}  # the oldest is the first
        self._late: set[asyncio.Task[Any]] = set()

    async def of(self, body: Coroutine[Any, Any, bytes]) -> bytes:
        """Wait for a request's body; `RequestTimeout` when it takes too long."""
        task = asyncio.current_task()
        assert task is not None
        self._since[task] = task.get_loop().time()
        try:
            return await body
        except asyncio.CancelledError:
            if task in self._late:
                raise RequestTimeout from None
            raise
        finally:
            self._since.pop(task, None)
            self._late.discard(task)

    async def run(self) -> None:
        """Cancel the tasks that wait too long, for ever; stop it by cancelling."""
        while True:
            await asyncio.sleep(INTERVAL)
            before = asyncio.get_running_loop().time() - self.patience
            overdue = []
            for task, since in self._since.items():
                if since > before:
                    break
                overdue.append(task)
            for task in overdue:
                del self._since[task]
                self._late.add(task)
                task.cancel()
