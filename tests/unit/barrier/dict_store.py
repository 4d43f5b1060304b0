"""A store on a dictionary, for the barrier's tests."""

from collections.abc import Collection, Mapping, Sequence

from wardgate.store.interface import ABSENT, Conflict, Entry, Put, StoreError, Write


class DictStore:
    """Keeps the contract of `Store`. Tests may look into `data` and alter it, as a thief would."""

    def __init__(self) -> None:
        self.data: dict[str, Entry] = {}
        self.commits: list[Sequence[Write]] = []
        self._revision = 0
        self._closed = False

    async def revision(self) -> int:
        self._check()
        return self._revision

    def known_revision(self) -> int | None:
        return None if self._closed else self._revision

    async def changes(self, since: int) -> Collection[str] | None:
        self._check()
        return [write.key for writes in self.commits[since:] for write in writes]

    async def get(self, key: str) -> Entry | None:
        self._check()
        return self.data.get(key)

    async def list(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        self._check()
        names = set()
        for key in self.data:
            if key.startswith(prefix):
                head, slash, _ = key.removeprefix(prefix).partition("/")
                names.add(head + slash)
        below = sorted((name for name in names if name.encode() > after.encode()), key=str.encode)
        return below[:limit]

    async def commit(self, expect: Mapping[str, int], writes: Sequence[Write]) -> int:
        self._check()
        for key, version in expect.items():
            if (self.data[key].version if key in self.data else ABSENT) != version:
                raise Conflict(key)
        self._revision += 1
        self.commits.append(writes)
        for write in writes:
            if isinstance(write, Put):
                self.data[write.key] = Entry(write.value, self._revision)
            else:
                self.data.pop(write.key, None)
        return self._revision

    async def close(self) -> None:
        self._closed = True

    def _check(self) -> None:
        if self._closed:
            raise StoreError("the store is closed")
