"""A store in which one call fails, whichever the test chooses."""

from collections.abc import Collection, Mapping, Sequence

from wardgate.store.interface import Entry, StoreError, Write
from wardgate.store.memory import MemoryStore


class FailingStore(MemoryStore):
    """Counts its calls since `arm`, and fails in the one that was chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self._fatal = 0

    def arm(self, fatal: int) -> None:
        """Let the call number `fatal` from now on fail; 0 for none."""
        self.calls, self._fatal = 0, fatal

    @property
    def failed(self) -> bool:
        """Whether the chosen call has come."""
        return 0 < self._fatal <= self.calls

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self._fatal:
            raise StoreError("injected by a test")

    async def revision(self) -> int:
        self._count()
        return await super().revision()

    def known_revision(self) -> int | None:
        return None  # so that each request asks for it by a call that can fail

    async def changes(self, since: int) -> Collection[str] | None:
        self._count()
        return await super().changes(since)

    async def get(self, key: str) -> Entry | None:
        self._count()
        return await super().get(key)

    async def list(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        self._count()
        return await super().list(prefix, after, limit)

    async def commit(self, expect: Mapping[str, int], writes: Sequence[Write]) -> int:
        self._count()
        return await super().commit(expect, writes)

    def content(self) -> dict[bytes, Entry]:
        """Everything that is stored, as it is stored."""
        return dict(self._entries)
