"""Counts in memory that the worker processes of one server share, so that limits hold for all of them
together.

The memory is anonymous; `SharedCounters.make` gets it before the workers are forked, and one that is
forked later, in the place of one that died, finds it there too. It is a table of buckets. A keyed hash
says in which bucket a client is counted under a quota, and by which tag it is known there; strangers do
not have the key, so they cannot aim at a bucket. A bucket is what `MemoryCounters` is, but with room
for few: some windows, and as many blocked clients.

Each bucket has a lock of its own, a byte range of a POSIX record lock, which the system takes back from
a process that dies. What such a process leaves half written harms nobody: `since` is emptied before
anything else of a slot is changed, and is written last; where it is 0, the slot is empty, whatever else
it says. `since` and `used` are eight aligned bytes each, stored at once. So a request is counted or it
is not, and of a client that is being blocked there may remain the window that it had used up.
"""

import mmap
import os
import weakref
from fcntl import LOCK_EX, LOCK_UN, lockf
from hashlib import blake2b
from typing import Self

from wardgate.core.quotas.counters import MAX_WINDOWS, OUT_OF_ORDER, Taken

ROOM = 2 * MAX_WINDOWS
"""Windows, and blocked clients, that there is room for: 5 MB for both, of which the system gives what
is written to. Clients spread over the buckets as chance has it; with twice the room, hardly any bucket
is full while there are no more than `MAX_WINDOWS`."""
_WAYS = 32
"""Windows, and blocked clients, that a bucket has room for."""
_WORD = 8
"""Bytes of a number, and of a tag. Two clients of one bucket have the same with a chance of 2**-64."""


class SharedCounters:
    """The table, as one process sees it. Use it from one thread of each process: to the system, all
    threads of a process hold the same lock.

    It differs from `MemoryCounters` in what is forgotten when there is no room: the window, or the
    block, that began first of its bucket, rather than of all; so that is after `most` new clients in
    the mean, but now and then a good deal earlier.
    """

    def __init__(self, descriptor: int, buckets: int, ways: int, key: bytes) -> None:
        self._descriptor = descriptor
        self._buckets = buckets
        self._ways = ways
        self._hash = blake2b(key=key, digest_size=2 * _WORD)
        # of a bucket: the tags of blocked clients and of windows, `since` of both, `used` of windows
        self._words = 5 * ways
        self._memory = mmap.mmap(descriptor, buckets * self._words * _WORD)
        self._since = memoryview(self._memory).cast("d")
        self._used = memoryview(self._memory).cast("Q")
        # not before: locks are gone as soon as any descriptor of the memory is closed
        weakref.finalize(self, os.close, descriptor)

    @classmethod
    def make(cls, most: int = ROOM) -> Self:
        """New memory for this process and those that it forks, with room for at most so many windows,
        and so many blocked clients."""
        ways = min(_WAYS, most)
        buckets = most // ways
        descriptor = os.memfd_create("wardgate-counters")
        os.ftruncate(descriptor, buckets * 5 * ways * _WORD)
        return cls(descriptor, buckets, ways, os.urandom(16))

    def __len__(self) -> int:
        """Windows and blocked clients that are kept. Looks at all of them: some milliseconds."""
        both = 2 * self._ways
        return sum(
            both - list(self._since[start : start + both]).count(0.0)
            for start in range(both, self._buckets * self._words, self._words)
        )

    def take(
        self, quota: str, client: str, limit: int, interval: float, block: float, now: float
    ) -> Taken:
        """See `Counters`. `now` is greater than zero. A quota's `interval` and `block` are always the
        same."""
        hashed = self._hash.copy()
        hashed.update(f"{len(quota)} {quota}{client}".encode("utf-8", "surrogatepass"))
        digest = hashed.digest()
        bucket = int.from_bytes(digest[_WORD:]) % self._buckets
        try:
            lockf(self._descriptor, LOCK_EX, 1, bucket)
            return self._take(bucket, digest[:_WORD], limit, interval, block, now)
        finally:
            lockf(self._descriptor, LOCK_UN, 1, bucket)

    def _take(
        self, bucket: int, tag: bytes, limit: int, interval: float, block: float, now: float
    ) -> Taken:
        ways, times = self._ways, self._since
        start = bucket * self._words
        tags = self._memory[start * _WORD : (start + 2 * ways) * _WORD]
        blocked = _find(tags, tag, 0, ways) if block else -1
        if blocked >= 0:
            at = start + 2 * ways + blocked
            since = times[at]
            if since and now < since + block <= now + block + OUT_OF_ORDER:
                return Taken(False, 0, 0.0, min(since + block - now, block), True)
            times[at] = 0.0
        window = _find(tags, tag, ways, 2 * ways)
        at = start + 2 * ways + window
        since = times[at] if window >= 0 else 0.0
        if not since or not since - OUT_OF_ORDER <= now < since + interval:
            if window < 0:
                window = self._room(start, ways, now)
            since = now
            self._begin(start, window, tag, now)
        counted = start + 3 * ways + window
        used = self._used[counted]
        reset = min(since + interval - now, interval)
        if used < limit:
            self._used[counted] = used + 1
            return Taken(True, limit - used - 1, reset, 0.0, False)
        if not block:
            return Taken(False, 0, reset, reset, False)
        # the block first: who dies in between lets nobody off
        self._begin(start, blocked if blocked >= 0 else self._room(start, 0, now), tag, now)
        times[start + 2 * ways + window] = 0.0
        return Taken(False, 0, reset, block, False)

    def _room(self, start: int, first: int, now: float) -> int:
        """The slot to be used next, of those from `first` on: one that is empty, or began in the future
        and so says nothing, or else the one that began first."""
        at = start + 2 * self._ways + first
        times = self._since[at : at + self._ways].tolist()
        oldest = min(times)
        if oldest and (newest := max(times)) > now + OUT_OF_ORDER:
            return first + times.index(newest)
        return first + times.index(oldest)

    def _begin(self, start: int, slot: int, tag: bytes, now: float) -> None:
        """Use a slot for `tag` from `now` on. A slot of the windows has counted nothing yet."""
        at = start + 2 * self._ways + slot
        self._since[at] = 0.0
        self._memory[(start + slot) * _WORD : (start + slot + 1) * _WORD] = tag
        if slot >= self._ways:
            self._used[start + 3 * self._ways + slot] = 0
        self._since[at] = now


def _find(tags: bytes, tag: bytes, first: int, end: int) -> int:
    """The slot that has `tag`, of those from `first` to before `end`; -1 when none has it."""
    at = tags.find(tag, first * _WORD, end * _WORD)
    while at > 0 and at % _WORD:  # the end of one tag and the beginning of another
        at = tags.find(tag, at + 1, end * _WORD)
    return at // _WORD
