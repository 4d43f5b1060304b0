"""What a storage engine must do: a few calls, in the manner of etcd's transactions.

Keys are non-empty text of ``/``-separated segments, at most `MAX_KEY_BYTES` bytes of UTF-8, with no
empty segment (so neither a leading nor a trailing slash). Values are bytes. An engine gives each
acknowledged commit a revision, strictly greater than the one before; a key's version is the
revision of the commit that wrote it last. All engines behave alike, and one test suite
(`tests/unit/store`) runs against every one of them.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from wardgate.errors import WardgateError

MAX_KEY_BYTES = 480  # LMDB's limit is 511 bytes; what is left serves the engine's own prefixes

REMEMBERED = 512
"""So many of the newest revisions at least are covered by `Store.changes`, unless one is huge."""

ABSENT = 0
"""The version of a key that does not exist, for `Store.commit`'s `expect`."""


class Entry(NamedTuple):
    """A stored value with the revision that wrote it."""

    value: bytes
    version: int


class Put(msgspec.Struct, frozen=True):
    """Store `value` under `key`."""

    key: str
    value: bytes


class Delete(msgspec.Struct, frozen=True):
    """Remove `key`; removing what is not there is no error."""

    key: str


Write = Put | Delete


class StoreError(WardgateError):
    """The engine failed: disk full, data file unreadable, connection lost. Nothing was written."""


class Conflict(WardgateError):
    """A key in `expect` had another version; nothing was written. `key` names the first such."""

    def __init__(self, key: str) -> None:
        super().__init__("a concurrent commit changed what this one had read")
        self.key = key


class Store(Protocol):
    """A transactional key-value store, used from one event loop."""

    async def revision(self) -> int:
        """The newest acknowledged revision, whichever process made it; 0 when nothing was written.

        What was read at revision R is still true while this returns R; `changes` tells the rest.
        """
        ...

    def known_revision(self) -> int | None:
        """The same, for the path that every request takes, where nobody has to be waited for; else
        None, and `revision` tells it, or why it cannot."""
        ...

    async def changes(self, since: int) -> Collection[str] | None:
        """The keys that were written or removed after revision `since`, whichever process did it, up
        to the newest revision at least; None when that is too long ago to be known.

        An engine remembers `REMEMBERED` revisions, so whoever asks often hears of everything.
        """
        ...

    async def get(self, key: str) -> Entry | None:
        """The newest acknowledged value of `key`."""
        ...

    async def list(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        """The names directly below `prefix`, sorted by their UTF-8 bytes.

        `prefix` is ``""`` or ends in ``/``. A name that has keys below it ends in ``/``; a name can
        appear both as key and as folder. Only names greater than `after` (bytewise) are given, at
        most `limit` of them. Listing a level costs no more than the names on that level: a folder
        with a million keys below it is one step.
        """
        ...

    async def commit(self, expect: Mapping[str, int], writes: Sequence[Write]) -> int:
        """Apply `writes` in order, all or nothing, if each key in `expect` has the version given.

        Returns when the writes are durable, with their revision. Raises `Conflict` when a version
        differs, `StoreError` when the engine cannot write. Commits that arrive together share one
        sync to disk.
        """
        ...

    async def close(self) -> None:
        """Finish pending commits and release the engine; calls after it raise `StoreError`."""
        ...
