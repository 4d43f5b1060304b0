"""How long a directory takes to look at the passwords of people whom it has.

It hashes a password only where there is somebody to compare it with, which may take long; how long a
refusal took would tell who exists. So a refusal that has cost the directory nothing is held back as
long as one of those took that have, drawn at random: over many tries the times are the same.
"""

import secrets
import threading
from collections import deque

MOST_REMEMBERED = 32


class BindTimes:
    """What binds of existing people took lately, in seconds. For any number of threads.

    Nothing is known before the first of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refused: deque[float] = deque(maxlen=MOST_REMEMBERED)
        self._taken: deque[float] = deque(maxlen=MOST_REMEMBERED)

    def remember(self, seconds: float, *, refused: bool) -> None:
        """The directory has compared a password, which was wrong (`refused`) or right."""
        with self._lock:
            (self._refused if refused else self._taken).append(seconds)

    def of_a_refusal(self) -> float:
        """How long a refusal for somebody who exists may take; 0 where that is not known."""
        with self._lock:
            known = self._refused or self._taken
            return secrets.choice(known) if known else 0.0

    def is_too_fast(self, seconds: float) -> bool:
        """Whether it took less than any bind of somebody who exists: nothing was compared."""
        with self._lock:
            return bool(self._taken) and seconds < min(self._taken)
