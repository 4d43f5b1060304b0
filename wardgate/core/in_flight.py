"""The requests that are being answered, and the end of those that take too long.

A request that has begun to commit is let finish: from then on it cannot be said to have had no
effect, and a commit takes no longer than the disk.
"""

import asyncio
from typing import Any

from wardgate.clock import Clock
from wardgate.core.request import Request
from wardgate.errors import Unavailable

INTERVAL = 1.0  # seconds between two looks
_ENDED = "took too long"


class TookTooLong(Unavailable):
    """The request was ended before it had any effect."""

    def __init__(self) -> None:
        super().__init__("the request took too long and was ended; nothing was changed")


class InFlight:
    """The requests between their first and last room, each with the task that answers it."""

    def __init__(self) -> None:
        self.requests: dict[Request, asyncio.Task[Any] | None] = {}

    def end_overdue(self, now: float) -> None:
        """End the requests that have taken longer than they may."""
        for request, task in self.requests.items():
            if task is None or now <= request.began + request.patience or _ENDED in request.memo:
                continue
            transaction = getattr(request, "transaction", None)
            if transaction is None or not transaction.committing:
                request.memo[_ENDED] = True
                task.cancel()

    @staticmethod
    def was_ended(request: Request) -> bool:
        """Whether the cancellation that the request's task has just met came from `end_overdue`; it
        is then taken back."""
        task = asyncio.current_task()
        if _ENDED not in request.memo or task is None:
            return False
        task.uncancel()
        return True

    async def run(self, clock: Clock) -> None:
        """Go on for ever; stop it by cancelling the task."""
        while True:
            await asyncio.sleep(INTERVAL)
            self.end_overdue(clock.now())
