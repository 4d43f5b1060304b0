"""Transactions over the barrier: typed records, a version-checked cache, one commit a request.

No authority lives in memory. A decoded record is kept beside the version it was decoded from, and
beside the newest revision at which that version was seen to be current. A transaction reads the
store's revision once when it begins; a record that was current at that revision is used as it is,
any other is asked for again, which costs one read of its version and, where it changed, a decode.

`Storage.transact` runs a function in a transaction and commits what it wrote against everything that
it read; when another commit was faster, the function runs again from the start, so it must have no
effect outside of its transaction.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from wardgate.errors import InternalError, InvalidRequest, Unavailable
from wardgate.store.interface import ABSENT, Conflict, Delete, Put, Store, StoreError, Write
from wardgate.store.keys import InvalidKey

T = TypeVar("T")

_log = logging.getLogger("wardgate.storage")

MAX_ATTEMPTS = 1000
"""How often a transaction is tried. A second try waits its turn, so this many are never needed."""

CACHE_BYTES = 64 * 1024 * 1024
"""Stored bytes whose decoded records the cache may hold."""

_RECORD_OVERHEAD = 400  # bytes that a small record costs beside its content, as measured
_TURNS = 1024


class RecordCodec(Protocol[T]):
    """Turns a record into bytes and back; see `wardgate.core.records`."""

    def encode(self, record: T) -> bytes: ...
    def decode(self, data: bytes) -> T: ...


class _Cached:
    __slots__ = ("record", "seen", "size", "version")

    def __init__(self, record: Any, version: int, seen: int, size: int) -> None:
        self.record = record
        self.version = version
        self.seen = seen
        self.size = size


class Storage:
    """Gives out transactions over one barrier and holds the cache that they share."""

    def __init__(self, blobs: Store, cache_bytes: int = CACHE_BYTES) -> None:
        self.blobs = blobs
        self.cache: dict[str, _Cached] = {}
        self._room = cache_bytes
        self._turns = [asyncio.Lock() for _ in range(_TURNS)]

    async def begin(self) -> "Transaction":
        """A transaction as of now; `Sealed` when the barrier is sealed."""
        return Transaction(self, await self.blobs.revision())

    async def transact(self, work: Callable[["Transaction"], Awaitable[T]]) -> T:
        """Run `work` in a transaction, commit it, and give back what `work` returned.

        Raises `InvalidRequest` when something is to be written under a name that is too long to be
        stored. `work` may run several times. Whoever lost a race waits for its turn at the key that was
        fought over, so that many writers of one key queue up instead of spoiling each other's work.
        """
        turn: asyncio.Lock | None = None
        try:
            for _ in range(MAX_ATTEMPTS):
                transaction = await self.begin()
                result = await work(transaction)
                try:
                    await transaction.commit()
                    return result
                except Conflict as conflict:
                    if turn is None:
                        turn = self._turns[hash(conflict.key) % _TURNS]
                        await turn.acquire()
                except InvalidKey:
                    raise InvalidRequest(
                        "a name in the request is too long or has characters that cannot be stored"
                    ) from None
                except StoreError as error:
                    _log.warning("a write was refused: %s", error)
                    raise Unavailable("the storage could not take the write; try again") from error
        finally:
            if turn is not None:
                turn.release()
        raise Unavailable("too many concurrent writes to the same record; try again")

    def remember(self, key: str, cached: _Cached) -> None:
        """Keep a decoded record, dropping the oldest ones when the cache is full."""
        old = self.cache.pop(key, None)
        if old is not None:
            self._room += old.size
        self._room -= cached.size
        self.cache[key] = cached
        while self._room < 0:
            self._room += self.cache.pop(next(iter(self.cache))).size

    def forget(self) -> None:
        """Drop every decoded record (when the barrier is sealed)."""
        self._room += sum(cached.size for cached in self.cache.values())
        self.cache.clear()


class Transaction:
    """Reads as of `revision` or newer, and writes that are kept back until the commit.

    It sees its own writes. Listing does not: list before writing, or remember what was written.
    """

    __slots__ = ("_storage", "_writes", "reads", "revision")

    def __init__(self, storage: Storage, revision: int) -> None:
        self.revision = revision
        self.reads: dict[str, int] = {}
        self._storage = storage
        self._writes: dict[str, tuple[Any, RecordCodec[Any]] | None] = {}

    async def get(self, key: str, codec: RecordCodec[T]) -> T | None:
        """The record under `key`, or None. Under a key that cannot be stored there is nothing."""
        if self._writes and key in self._writes:
            written = self._writes[key]
            return None if written is None else written[0]
        cached = self._storage.cache.get(key)
        if cached is None or cached.seen < self.revision:
            try:
                cached = await self._load(key, codec, cached)
            except InvalidKey:
                return None
        self.reads[key] = cached.version
        record: T | None = cached.record
        return record

    def known(self, key: str) -> Any:
        """The record under `key` if the cache holds it as of this transaction; else None.

        The same as `get`, for the records that nearly every request reads: no coroutine is made for
        what is there. After None, ask `get`.
        """
        cached = self._storage.cache.get(key)
        if cached is None or cached.seen < self.revision or key in self._writes:
            return None
        self.reads[key] = cached.version
        return cached.record

    async def _load(self, key: str, codec: RecordCodec[T], cached: _Cached | None) -> _Cached:
        try:
            entry = await self._storage.blobs.get(key)
        except InvalidKey:
            raise
        except StoreError as error:
            raise Unavailable("the storage could not be read; try again") from error
        version = ABSENT if entry is None else entry.version
        if cached is not None and cached.version == version:
            cached.seen = self.revision
            return cached
        if entry is None:
            fresh = _Cached(None, ABSENT, self.revision, _RECORD_OVERHEAD)
        else:
            try:
                record = codec.decode(entry.value)
            except (msgspec.DecodeError, msgspec.ValidationError) as error:
                raise InternalError(f"the stored record {key!r} cannot be read") from error
            size = _RECORD_OVERHEAD + len(entry.value)
            fresh = _Cached(record, version, self.revision, size)
        self._storage.remember(key, fresh)
        return fresh

    async def list(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        """Names directly below `prefix`; see `Store.list`."""
        try:
            return await self._storage.blobs.list(prefix, after, limit)
        except StoreError as error:
            raise Unavailable("the storage could not be listed; try again") from error

    def put(self, key: str, record: T, codec: RecordCodec[T]) -> None:
        """Store `record` under `key` when the transaction commits."""
        self._writes[key] = (record, codec)

    def delete(self, key: str) -> None:
        """Remove `key` when the transaction commits."""
        self._writes[key] = None

    def staged(self) -> dict[str, tuple[Any, RecordCodec[Any]] | None]:
        """A copy of the writes so far, for `restore`."""
        return dict(self._writes)

    def restore(self, staged: dict[str, tuple[Any, RecordCodec[Any]] | None]) -> None:
        """Go back to the writes that `staged` gave: what came later is dropped."""
        self._writes = staged

    async def commit(self) -> None:
        """Write everything, if nothing that was read has changed; `Conflict` otherwise."""
        if not self._writes:
            return
        await self._storage.blobs.commit(self.reads, self.encoded())

    def encoded(self) -> Sequence[Write]:
        """The writes so far, as the store takes them."""
        return [
            Delete(key) if written is None else Put(key, written[1].encode(written[0]))
            for key, written in self._writes.items()
        ]


class View:
    """The part of a transaction below one prefix: what a mount gets to see of the storage."""

    __slots__ = ("_prefix", "_transaction")

    def __init__(self, transaction: Transaction, prefix: str) -> None:
        self._transaction = transaction
        self._prefix = prefix

    async def get(self, key: str, codec: RecordCodec[T]) -> T | None:
        return await self._transaction.get(self._prefix + key, codec)

    def known(self, key: str) -> Any:
        """See `Transaction.known`."""
        return self._transaction.known(self._prefix + key)

    async def list(self, prefix: str = "", after: str = "", limit: int | None = None) -> list[str]:
        return await self._transaction.list(self._prefix + prefix, after, limit)

    def put(self, key: str, record: T, codec: RecordCodec[T]) -> None:
        self._transaction.put(self._prefix + key, record, codec)

    def delete(self, key: str) -> None:
        self._transaction.delete(self._prefix + key)
