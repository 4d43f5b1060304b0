"""Random bytes from the operating system, fetched many at a time.

Each call of the system lets go of Python's lock, and while another thread is busy writing to the
disk it is slow to come back. So a page of random bytes is fetched at once and handed out in pieces;
each piece is handed out once and forgotten.
"""

import os

_PAGE = 4096


class _Pool:
    """What is left of the last page."""

    __slots__ = ("_left", "_page")

    def __init__(self) -> None:
        self._page = b""
        self._left = 0

    def take(self, count: int) -> bytes:
        if count > self._left:
            self._page = os.urandom(_PAGE)
            self._left = _PAGE
        start = self._left - count
        piece = self._page[start : self._left]
        self._left = start
        return piece

    def empty(self) -> None:
        self._left = 0


_pool = _Pool()
# a child process must not hand out the bytes that its parent hands out
os.register_at_fork(after_in_child=_pool.empty)


def random_bytes(count: int) -> bytes:
    """`count` random bytes, at most a few dozen; for one thread, that of the event loop."""
    return _pool.take(count)
