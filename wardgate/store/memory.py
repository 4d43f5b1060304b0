"""The engine that keeps everything in memory, for tests and for trying things out.

It is kept simple enough to be checked by eye. A read is a dictionary access; a key that is new or
removed costs one move within a sorted list (about 10 µs among 100,000 keys), a name in a listing
one binary search. Nothing survives `close`, and no other process sees it.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from itertools import islice

from wardgate.store.interface import ABSENT, REMEMBERED, Conflict, Entry, StoreError, Write
from wardgate.store.keys import check, encode_key, encode_name, encode_prefix
from wardgate.store.listing import level


class MemoryStore:
    """A `wardgate.store.interface.Store` without durability."""

    def __init__(self) -> None:
        self._entries: dict[bytes, Entry] = {}
        self._keys: list[bytes] = []  # the keys of _entries, sorted
        self._revision = 0
        self._changes: deque[list[str]] = deque(maxlen=REMEMBERED)  # of each revision
        self._closed = False

    async def revision(self) -> int:
        self._check_open()
        return self._revision

    def known_revision(self) -> int | None:
        return None if self._closed else self._revision

    async def changes(self, since: int) -> Collection[str] | None:
        self._check_open()
        missed = self._revision - since
        if not 0 <= missed <= len(self._changes):
            return None
        return {key for keys in islice(reversed(self._changes), missed) for key in keys}

    async def get(self, key: str) -> Entry | None:
        self._check_open()
        return self._entries.get(encode_key(key))

    async def list(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        self._check_open()
        return level(self._seek, encode_prefix(prefix), encode_name(after), limit)

    async def commit(self, expect: Mapping[str, int], writes: Sequence[Write]) -> int:
        self._check_open()
        commit = check(expect, writes)
        for key, version in commit.expect.items():
            entry = self._entries.get(key.encode())
            if (entry.version if entry else ABSENT) != version:
                raise Conflict(key)
        self._revision += 1
        self._changes.append([write.key for write in writes])
        for _, raw, value in commit.writes:
            if value is None:
                self._remove(raw)
            else:
                self._store(raw, Entry(value, self._revision))
        return self._revision

    async def close(self) -> None:
        self._closed = True
        self._entries.clear()
        self._keys.clear()

    def _seek(self, start: bytes) -> bytes | None:
        at = bisect_left(self._keys, start)
        return self._keys[at] if at < len(self._keys) else None

    def _store(self, key: bytes, entry: Entry) -> None:
        if key not in self._entries:
            self._keys.insert(bisect_left(self._keys, key), key)
        self._entries[key] = entry

    def _remove(self, key: bytes) -> None:
        if self._entries.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the store is closed")
