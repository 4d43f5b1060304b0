"""The time, as everything in Wardgate reads it.

Code takes a `Clock` instead of calling `time.time`, so that a test moves time instead of waiting.
"""

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the Unix epoch."""
        ...


class SystemClock:
    """The machine's own clock."""

    now = staticmethod(time.time)
