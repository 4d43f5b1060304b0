"""What one login may cost a server that asks a directory: time, and bytes of answers."""

import time

MOST_BYTES = 2 * 1024 * 1024
"""Of all answers of a directory to one login: some ten thousand groups."""


class DirectoryFailed(Exception):
    """The directory cannot be asked, or gives no answer that can be used. The text says why, for
    people; it names neither addresses nor people."""


class ConnectionLost(DirectoryFailed):
    """The directory has hung up."""


def unanswered(seconds: float) -> str:
    """What is wrong with a directory that had so many seconds for a login."""
    return f"the directory has not answered within {seconds:.3g} s"


class Effort:
    """What is left for one login; for one thread at a time."""

    def __init__(self, seconds: float, most_bytes: int = MOST_BYTES) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._bytes = most_bytes

    def left(self) -> float:
        """Seconds that are left, more than 0; `DirectoryFailed` when there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise DirectoryFailed(unanswered(self._seconds))
        return left

    def pause(self, seconds: float) -> None:
        """Wait for so long; `DirectoryFailed` where less is left, as for a directory that is slow."""
        time.sleep(max(0.0, min(seconds, self.left())))
        self.left()

    def received(self, count: int) -> None:
        """Count bytes that came; `DirectoryFailed` when they are too many."""
        self._bytes -= count
        if self._bytes < 0:
            raise DirectoryFailed("the directory answers more than can be taken in")
