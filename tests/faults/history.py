"""What clients saw of one thing, in their own time, and whether one order of events explains it.

Everything that is watched here only ever grows: the number of a secret's version, whether a token is
revoked, whether a wrapped answer was taken. Such a history is linearizable (Herlihy and Wing, 1990)
just when nobody sees less than was seen or done before they asked, and nobody sees what nobody had
begun to do before they got the answer.
"""

import bisect
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Event:
    """One call: nanoseconds of a monotonic clock, and the number that it saw or made. None stands for
    a call without an answer, which may have had its effect or not."""

    began: int
    ended: int
    number: int | None
    writes: bool = False


class History:
    """The events of one thing. Any thread may add to it."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._lock = threading.Lock()

    def watch(self, call: Callable[[], int | None], *, writes: bool = False) -> int | None:
        """Do a call that gives the number it saw or made."""
        began = time.monotonic_ns()
        number = None
        try:
            number = call()
        finally:
            event = Event(began, time.monotonic_ns(), number, writes)
            with self._lock:
                self._events.append(event)
        return number

    def __len__(self) -> int:
        return len(self._events)

    def problems(self) -> list[str]:
        """What no order of the events explains."""
        known = [event for event in self._events if event.number is not None]
        lost = [event.began for event in self._events if event.writes and event.number is None]
        begun: dict[int | None, int] = {}
        for event in known:
            if event.writes:
                begun[event.number] = min(event.began, begun.get(event.number, event.began))
        known.sort(key=lambda event: event.ended)
        ends = [event.ended for event in known]
        reached = [0, *itertools.accumulate((event.number or 0 for event in known), max)]
        found = []
        for event in known:
            assert event.number is not None
            before = reached[bisect.bisect_left(ends, event.began)]
            if event.number < before or (event.writes and event.number == before):
                found.append(f"{event} comes after somebody had {before}")
            first = begun.get(event.number, min(lost, default=event.ended))
            if event.number and first >= event.ended:
                found.append(f"{event} comes before anybody had begun to make it")
        if len(begun) < sum(event.writes for event in known):
            found.append("two writes made the same")
        return found
