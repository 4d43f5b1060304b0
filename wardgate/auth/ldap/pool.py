"""Connections to one directory that are bound as its service account and kept for the next login."""

import threading
import time
import weakref

from wardgate.auth.ldap.bind_times import BindTimes
from wardgate.auth.ldap.config import Config
from wardgate.auth.ldap.connection import Connection
from wardgate.auth.ldap.dialing import Dialer
from wardgate.auth.ldap.effort import Effort

MOST_KEPT = 16
IDLE = 60.0
"""Seconds for which a connection is kept that nobody uses."""
LONGEST = 300.0
"""Seconds after which a connection is made anew, so that the first address gets its turn again."""


class Pool:
    """The connections of one configuration. For any number of threads.

    Where there is no service account nothing is kept: those connections are bound as people.
    """

    def __init__(self, config: Config) -> None:
        self._dialer = Dialer(config)
        self._keeps = config.has_service
        self._lock = threading.Lock()
        self._kept: list[tuple[Connection, float]] = []  # with the time of its last use
        self._open = True
        self.times = BindTimes()
        weakref.finalize(self, _close_all, self._kept)

    def take(self, effort: Effort) -> Connection | None:
        """A connection that was kept, for a login; None where there is none."""
        self.drop_old()
        with self._lock:
            if not self._kept:
                return None
            connection, _ = self._kept.pop()
        connection.used_again(effort)
        return connection

    def dial(self, effort: Effort) -> Connection:
        """A new connection. Raises `DirectoryFailed`."""
        return self._dialer.dial(effort)

    def give_back(self, connection: Connection) -> None:
        """Keep a connection that works, or close it."""
        with self._lock:
            if self._keeps and self._open and len(self._kept) < MOST_KEPT:
                self._kept.append((connection, time.monotonic()))
                return
        connection.close()

    def drop_old(self) -> int:
        """Close what was not used for a while, or is there for long; how many are left."""
        now = time.monotonic()
        with self._lock:
            old = [
                each for each in self._kept if now - each[1] > IDLE or now - each[0].made > LONGEST
            ]
            for each in old:
                self._kept.remove(each)
            left = len(self._kept)
        _close_all(old)
        return left

    def close(self) -> None:
        """Close all, and keep nothing any more."""
        with self._lock:
            self._open = False
            old = [*self._kept]
            self._kept.clear()
        _close_all(old)

    @property
    def kept(self) -> int:
        """How many wait to be used."""
        with self._lock:
            return len(self._kept)


def _close_all(kept: list[tuple[Connection, float]]) -> None:
    while kept:
        connection, _ = kept.pop()
        connection.close()
