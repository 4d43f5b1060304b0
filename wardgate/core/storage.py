"""Transactions over the barrier: typed records, a version-checked cache, one commit a request.

No authority lives in memory. A transaction reads the store's revision once when it begins. If that
has moved since the one before, the store tells which keys were changed, by whichever process, and
their decoded records are dropped from the cache: so whatever is in the cache is true.

`Storage.transact` runs a function in a transaction and commits what it wrote against everything that
it read; when another commit was faster, the function runs again from the start, so it must have no
effect outside of its transaction.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from time import perf_counter
from typing import Any, Protocol, TypeVar

import msgspec

from wardgate.core.metrics import Counter, Summary
from wardgate.core.tracing import Tracer
from wardgate.errors import InternalError, InvalidRequest, Unavailable
from wardgate.store.interface import ABSENT, Conflict, Delete, Entry, Put, Store, StoreError, Write
from wardgate.store.keys import InvalidKey

T = TypeVar("T")
Commit = Callable[[Mapping[str, int], Sequence[Write]], Awaitable[None]]

_log = logging.getLogger("wardgate.storage")

MAX_ATTEMPTS = 1000
"""How often a transaction is tried. A second try waits its turn, so this many are never needed."""

CACHE_BYTES = 64 * 1024 * 1024
"""Stored bytes whose decoded records the cache may hold."""

LIST_PART = 200
"""Names that are read at once. It takes 0.1 to 0.2 ms, and others wait for that in each pass of the
event loop, of which a login has about ten."""

_RECORD_OVERHEAD = 400  # bytes that a small record costs beside its content, as measured
_TURNS = 1024
_NEVER = -1


class RecordCodec(Protocol[T]):
    """Turns a record into bytes and back; see `wardgate.core.records`."""

    def encode(self, record: T) -> bytes: ...
    def decode(self, data: bytes) -> T: ...


class _Cached:
    """`relied_on`: something was worked out from the record; see `wardgate.core.premise`."""

    __slots__ = ("record", "relied_on", "size", "version")

    def __init__(self, record: Any, version: int, size: int) -> None:
        self.record = record
        self.version = version
        self.size = size
        self.relied_on = False


class Storage:
    """Gives out transactions over one barrier and holds the cache that they share."""

    def __init__(self, blobs: Store, cache_bytes: int = CACHE_BYTES) -> None:
        self.blobs = blobs
        self.cache: dict[str, _Cached] = {}
        self.current = _NEVER
        """The revision as of which everything in the cache is true."""
        self.dropped = 0
        """How often a record went from the cache that something was worked out from."""
        self.constants: dict[str, Any] = {}
        """Records that nobody ever changes once they are there."""
        self.tracer: Tracer | None = None
        self.commits = Summary()
        self.conflicts = Counter()
        self._room = cache_bytes
        self._turns = [asyncio.Lock() for _ in range(_TURNS)]

    async def begin(self) -> "Transaction":
        """A transaction as of now; `Sealed` when the barrier is sealed."""
        try:
            revision = self.blobs.known_revision()
            if revision is None:
                revision = await self.blobs.revision()
            if revision != self.current:
                await self._catch_up(revision)
            return Transaction(self, revision)
        except StoreError as error:
            raise Unavailable("the storage could not be read; try again") from error

    async def _catch_up(self, revision: int) -> None:
        """Drop what has changed up to `revision`."""
        changed = None if self.current == _NEVER else await self.blobs.changes(self.current)
        if changed is None:
            self.forget()
        else:
            for key in changed:
                self.drop(key)
        self.current = max(self.current, revision)

    async def transact(self, work: Callable[["Transaction"], Awaitable[T]]) -> T:
        """Run `work` in a transaction, commit it, and give back what `work` returned.

        Raises `InvalidRequest` when something is to be written under a name that is too long to be
        stored. `work` may run several times. Whoever lost a race waits for its turn at the key that was
        fought over, so that many writers of one key queue up instead of spoiling each other's work.
        """
        turn: asyncio.Lock | None = None
        try:
            for _ in range(MAX_ATTEMPTS):
                if self.blobs.known_revision() == self.current:
                    transaction = Transaction(self, self.current)
                else:
                    transaction = await self.begin()
                try:
                    result = await work(transaction)
                    if transaction.writes:
                        await self._commit(transaction)
                    elif transaction.lingered or self.current != transaction.revision:
                        await self._check(transaction)
                    for counter in transaction.counted:
                        counter.add()
                    return result
                except Conflict as conflict:
                    self.conflicts.add()
                    if turn is None:
                        waited_for = self._turns[hash(conflict.key) % _TURNS]
                        await waited_for.acquire()
                        # only now: who is cancelled while waiting gives none back
                        turn = waited_for
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

    async def _commit(self, transaction: "Transaction") -> None:
        began = perf_counter()
        if self.tracer is None:
            await transaction.commit()
        else:
            with self.tracer.span("storage commit"):
                await transaction.commit()
        self.commits.observe((perf_counter() - began) * 1000)

    async def _check(self, transaction: "Transaction") -> None:
        """Raise `Conflict` if something has changed that an answer without a commit stands on."""
        now = await self.begin()
        if now.revision == transaction.revision:
            return
        for key, version in islice(transaction.reads.items(), transaction.decided):
            cached = self.cache.get(key)
            if cached is not None:
                newest = cached.version
            else:
                entry = await now.entry(key)
                newest = ABSENT if entry is None else entry.version
            if newest != version:
                raise Conflict(key)

    def remember(self, key: str, cached: _Cached) -> None:
        """Keep a decoded record, dropping the oldest ones when the cache is full."""
        if key in self.cache:
            self.drop(key)
        self._room -= cached.size
        self.cache[key] = cached
        while self._room < 0:
            self.drop(next(iter(self.cache)))

    def drop(self, key: str) -> None:
        """Forget one decoded record."""
        old = self.cache.pop(key, None)
        if old is not None:
            self._room += old.size
            self.dropped += old.relied_on

    def forget(self) -> None:
        """Drop every decoded record (when the barrier is sealed)."""
        self._room += sum(cached.size for cached in self.cache.values())
        self.cache.clear()
        self.constants.clear()
        self.dropped += 1


class Transaction:
    """Reads as of `revision` or newer, and writes that are kept back until the commit.

    It sees its own writes. Listing does not: list before writing, or remember what was written.
    From the moment that it is `committing`, nobody can say that it has no effect. What it has read it
    sees only once: where a record is another one when it is asked for again, it ends by `Conflict`.
    """

    __slots__ = (
        "_finish", "_writes", "committing", "constants", "counted", "decided", "guard", "lingered",
        "mount_table", "reads", "revision", "storage",
    )  # fmt: skip

    def __init__(self, storage: Storage, revision: int) -> None:
        self.revision = revision
        self.committing = False
        self.counted: Sequence[Counter] = ()
        self.reads: dict[str, int] = {}
        self.decided = 0
        """How many of `reads`, of the first, the answer stands on: they must be true still when it is
        given, though nothing is written."""
        self.lingered = False
        """Whether it has waited for something, or may have read what is newer than its revision."""
        self.constants = storage.constants
        self.storage = storage
        self._writes: dict[str, tuple[Any, RecordCodec[Any]] | None] = {}
        self.mount_table: Any = None
        """Where it is known already; see `wardgate.core.mounts`."""
        self.guard: Callable[[], Awaitable[None]] | None = None
        """Waited for before anything is written; what it raises stops the commit."""
        self._finish: Commit | None = None

    async def get(self, key: str, codec: RecordCodec[T]) -> T | None:
        """The record under `key`, or None. Under a key that cannot be stored there is nothing."""
        if self._writes and key in self._writes:
            written = self._writes[key]
            return None if written is None else written[0]
        cached = self.storage.cache.get(key)
        if cached is None:
            try:
                cached = await self._load(key, codec)
            except InvalidKey:
                return None
        if self.reads.setdefault(key, cached.version) != cached.version:
            raise Conflict(key)
        record: T | None = cached.record
        return record

    def known(self, key: str) -> Any:
        """The record under `key` if the cache holds it as of this transaction; else None.

        The same as `get`, for the records that nearly every request reads: no coroutine is made for
        what is there. After None, ask `get`.
        """
        cached = self.storage.cache.get(key)
        if cached is None or key in self._writes:
            return None
        if self.reads.setdefault(key, cached.version) != cached.version:
            raise Conflict(key)
        return cached.record

    async def peek(self, key: str, codec: RecordCodec[T]) -> T | None:
        """What is stored under `key`, for reports over many records: the commit does not depend on
        it, and it takes no room in the cache from what requests need."""
        entry = await self.entry(key)
        return None if entry is None else _decoded(key, entry, codec)

    async def _load(self, key: str, codec: RecordCodec[T]) -> _Cached:
        current = self.storage.current
        self.lingered = True
        entry = await self.entry(key)
        if entry is None:
            fresh = _Cached(None, ABSENT, _RECORD_OVERHEAD)
        else:
            size = _RECORD_OVERHEAD + len(entry.value)
            fresh = _Cached(_decoded(key, entry, codec), entry.version, size)
        if self.storage.current == current:  # else a change of it may have been heard of already
            self.storage.remember(key, fresh)
        return fresh

    async def entry(self, key: str) -> Entry | None:
        """What is stored under `key` at this moment, as bytes."""
        try:
            return await self.storage.blobs.get(key)
        except InvalidKey:
            raise
        except StoreError as error:
            raise Unavailable("the storage could not be read; try again") from error

    async def list(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        """Names directly below `prefix`; see `Store.list`. A long list is read in parts, between
        which others have their turn."""
        found: list[str] = []
        try:
            while limit is None or len(found) < limit:
                wanted = LIST_PART if limit is None else min(LIST_PART, limit - len(found))
                part = await self.storage.blobs.list(prefix, after, wanted)
                found += part
                if len(part) < wanted:
                    break
                after = part[-1]
                await asyncio.sleep(0)
        except StoreError as error:
            raise Unavailable("the storage could not be listed; try again") from error
        return found

    def put(self, key: str, record: T, codec: RecordCodec[T]) -> None:
        """Store `record` under `key` when the transaction commits."""
        self._writes[key] = (record, codec)

    def delete(self, key: str) -> None:
        """Remove `key` when the transaction commits."""
        self._writes[key] = None

    def count(self, counter: Counter) -> None:
        """Add one to `counter` when the transaction has been committed."""
        self.counted = (*self.counted, counter)

    def staged(self) -> dict[str, tuple[Any, RecordCodec[Any]] | None]:
        """A copy of the writes so far, for `restore`."""
        return dict(self._writes)

    def restore(self, staged: dict[str, tuple[Any, RecordCodec[Any]] | None]) -> None:
        """Go back to the writes that `staged` gave: what came later is dropped."""
        self._writes = staged
        self._finish = None

    def commit_by(self, commit: "Commit") -> None:
        """Let `commit` write what this transaction wrote, together with what only it can write: the
        barrier's own records. It is given what `Store.commit` is, and promises the same."""
        self._finish = commit

    @property
    def writes(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self._writes) or self._finish is not None

    async def commit(self) -> None:
        """Write everything, if nothing that was read has changed; `Conflict` otherwise."""
        if not self.writes:
            return
        if self.guard is not None:
            await self.guard()
        self.committing = True
        try:
            await (self._finish or self.storage.blobs.commit)(self.reads, self.encoded())
        except BaseException:
            self.committing = False
            raise

    def encoded(self) -> Sequence[Write]:
        """The writes so far, as the store takes them."""
        return [
            Delete(key) if written is None else Put(key, written[1].encode(written[0]))
            for key, written in self._writes.items()
        ]


def _decoded(key: str, entry: Entry, codec: RecordCodec[T]) -> T:
    try:
        return codec.decode(entry.value)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise InternalError(f"the stored record {key!r} cannot be read") from error


class View:
    """The part of a transaction below one prefix: what a mount gets to see of the storage."""

    __slots__ = ("_prefix", "_transaction")

    def __init__(self, transaction: Transaction, prefix: str) -> None:
        self._transaction = transaction
        self._prefix = prefix

    def get(self, key: str, codec: RecordCodec[T]) -> Awaitable[T | None]:
        return self._transaction.get(self._prefix + key, codec)

    def known(self, key: str) -> Any:
        """See `Transaction.known`."""
        return self._transaction.known(self._prefix + key)

    async def list(self, prefix: str = "", after: str = "", limit: int | None = None) -> list[str]:
        return await self._transaction.list(self._prefix + prefix, after, limit)

    def put(self, key: str, record: T, codec: RecordCodec[T]) -> None:
        self._transaction.put(self._prefix + key, record, codec)

    def delete(self, key: str) -> None:
        self._transaction.delete(self._prefix + key)
