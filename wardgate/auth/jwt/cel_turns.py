"""Whose expression is evaluated next.

One is evaluated at a time. Each program has a line of its own, and the lines take turns, so that
many logins by a costly program do not keep those by other programs waiting.
"""

import asyncio
from collections import deque
from collections.abc import Hashable

from wardgate.errors import Unavailable

MOST_WAITING = 4000
"""In all lines together. A cheap expression takes some 0.3 ms, so this many fit into `PATIENCE`
also on a machine that has other things to do."""
PATIENCE = 5.0  # seconds until a turn has to come
_Line = deque[asyncio.Future[None]]


class Turns:
    """Lines of those who wait. For one event loop."""

    def __init__(self, patience: float = PATIENCE, most_waiting: int = MOST_WAITING) -> None:
        self._patience = patience
        self._most_waiting = most_waiting
        self._taken = False
        self._waiting = 0
        self._lines: dict[Hashable, _Line] = {}  # the first is the next to have a turn

    async def take(self, line: Hashable) -> None:
        """Wait for a turn; whoever has got it gives it back with `give_back`.

        Raises `Unavailable` when it does not come in time, or when too many wait. Whoever is
        cancelled leaves the line at once.
        """
        if not self._taken:
            self._taken = True
            return
        if self._waiting >= self._most_waiting:
            raise Unavailable("too many expressions wait to be evaluated; try again soon")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(line, deque()).append(turn)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except (TimeoutError, asyncio.CancelledError) as error:
            if turn.done() and not turn.cancelled():  # it came at the same moment
                self.give_back()
            else:
                self._leave(line, turn)
            if isinstance(error, TimeoutError):
                raise Unavailable(
                    "the expression was not evaluated in time, as others took too long; try again"
                ) from None
            raise

    def give_back(self) -> None:
        """Let the next one have the turn."""
        while self._lines:
            name, line = next(iter(self._lines.items()))
            del self._lines[name]
            turn = line.popleft()
            if line:
                self._lines[name] = line  # behind all the others
            self._waiting -= 1
            if not turn.cancelled():  # else it is about to leave
                turn.set_result(None)
                return
        self._taken = False

    def _leave(self, name: Hashable, turn: asyncio.Future[None]) -> None:
        """Take out whoever waits no more, unless `give_back` has done so."""
        line = self._lines.get(name)
        if line is None or turn not in line:
            return
        line.remove(turn)
        self._waiting -= 1
        if not line:
            del self._lines[name]
