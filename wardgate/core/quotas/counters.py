"""How many requests each client has sent: windows of a fixed length, one a client and quota.

A window begins with the first request after the last one was over, so a window that is over says
nothing and may be forgotten. What is counted is bounded, however many clients there are.
"""

from collections import OrderedDict
from typing import NamedTuple, Protocol, TypeVar

T = TypeVar("T")

MAX_WINDOWS = 65_536
"""Windows, and blocked clients, that are kept at most: about 20 MB of each."""
OUT_OF_ORDER = 1.0
"""Seconds. Requests that are counted at once may be counted in another order than they looked at the
clock; what seems to have begun so little later than now is no reason to begin anew."""


class Taken(NamedTuple):
    """What became of one request. `reset` are the seconds until the window is over, `retry_after`
    those after which a refused client may try again; a `blocked` one has no window."""

    allowed: bool
    remaining: int
    reset: float
    retry_after: float
    blocked: bool


class Counters(Protocol):
    """Where the counts are kept. Several processes that shall count together share one of these."""

    def take(
        self, quota: str, client: str, limit: int, interval: float, block: float, now: float
    ) -> Taken:
        """Count one request of `client` under `quota`, which allows `limit` of them in `interval`
        seconds; who sends more is blocked for `block` seconds. `now` is seconds since the epoch."""
        ...


class _Window:
    __slots__ = ("since", "used")

    def __init__(self, since: float) -> None:
        self.since = since
        self.used = 0


class MemoryCounters:
    """Counts in the memory of this process.

    When there is no room for another window, the one that began first is forgotten, and its client
    may begin anew: who has that many addresses is not held by limits for each of them.
    """

    def __init__(self, most: int = MAX_WINDOWS) -> None:
        self._most = most
        # the oldest is the first; a `dict` would look for its first key ever longer
        self._windows: OrderedDict[tuple[str, str], _Window] = OrderedDict()
        self._blocked: OrderedDict[tuple[str, str], float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows) + len(self._blocked)

    def take(
        self, quota: str, client: str, limit: int, interval: float, block: float, now: float
    ) -> Taken:
        key = (quota, client)
        until = self._blocked.get(key)
        if until is not None:
            if now < until <= now + block + OUT_OF_ORDER:
                return Taken(False, 0, 0.0, min(until - now, block), True)
            del self._blocked[key]
        window = self._windows.get(key)
        if window is None or not (window.since - OUT_OF_ORDER <= now < window.since + interval):
            self._windows.pop(key, None)
            _make_room(self._windows, self._most)
            window = self._windows[key] = _Window(now)
        reset = min(window.since + interval - now, interval)
        if window.used < limit:
            window.used += 1
            return Taken(True, limit - window.used, reset, 0.0, False)
        if not block:
            return Taken(False, 0, reset, reset, False)
        del self._windows[key]
        _make_room(self._blocked, self._most)
        self._blocked[key] = now + block
        return Taken(False, 0, reset, block, False)


def _make_room(table: OrderedDict[tuple[str, str], T], most: int) -> None:
    if len(table) >= most:
        table.popitem(last=False)
