"""The default engine: one LMDB data file, shared by all processes of a machine.

A read is a look into the memory map (about half a microsecond), on the event loop; what it sees is
durable, and a commit of another process is seen by the next read. Writes go through `GroupCommit`.
Any number of processes may open the same directory, each once, on a local file system; a process
that forks must open the store after it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self

import lmdb

from wardgate.store.group_commit import Group, GroupCommit, Outcome
from wardgate.store.interface import Conflict, Entry, StoreError, Write
from wardgate.store.keys import CheckedCommit, check, encode_key, encode_name, encode_prefix
from wardgate.store.listing import level
from wardgate.store.lmdb_changes import changed_keys, note_changes
from wardgate.store.lmdb_file import OWN_KEYS, REVISION_KEY, STAMP, DataFile
from wardgate.store.lmdb_versions import Versions

if TYPE_CHECKING:
    _Transaction = lmdb.Transaction[bytes]
    _Cursor = lmdb.Cursor[bytes]

DEFAULT_MAP_SIZE = 64 * 1024 * 1024
"""Bytes of address space at the start; it doubles whenever the data needs it."""

_unstamp = STAMP.unpack_from
_stamp = STAMP.pack
_STAMP_SIZE = STAMP.size
_MENDABLE = (lmdb.MapResizedError, lmdb.PanicError, lmdb.ReadersFullError)
"""What `DataFile.mend` knows to mend."""


class LmdbStore:
    """A `wardgate.store.interface.Store` in an LMDB data file."""

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._hold: Callable[[], object] = file.lock.acquire
        self._release = file.lock.release
        self._seen = -1  # the LMDB transaction that _seen_revision was read from
        self._seen_revision = 0
        self._commits = GroupCommit(self._write, file.close)
        self._versions = Versions()
        self._closing = False
        self.syncs = 0
        """How many times this store has written to disk; commits share them."""

    @classmethod
    def open(cls, path: Path, map_size: int = DEFAULT_MAP_SIZE) -> Self:
        """Open the data in the directory `path`, making it (0700, files 0600) if missing.

        Raises `StoreError` when that is impossible, when this process has it open already, or when
        the file is damaged or not Wardgate's. `map_size` is in bytes.
        """
        return cls(DataFile(path, map_size))

    async def revision(self) -> int:
        while True:
            try:
                return self._revision()
            except lmdb.Error as error:
                failed = error
            await self._mend(failed)

    def known_revision(self) -> int | None:
        try:
            return self._revision()
        except (lmdb.Error, StoreError):
            return None

    async def changes(self, since: int) -> Collection[str] | None:
        while True:
            self._hold()
            try:
                with self._file.begin() as txn:
                    changed = changed_keys(txn, since, _newest(txn))
                    return None if changed is None else {key.decode() for key in changed}
            except lmdb.Error as error:
                failed = error
            finally:
                self._release()
            await self._mend(failed)

    async def get(self, key: str) -> Entry | None:
        while True:
            self._hold()
            failed: Exception
            try:
                data = self._file.begin().get(key.encode())
                break
            except (lmdb.Error, UnicodeEncodeError) as error:
                failed = error
            finally:
                self._release()
            encode_key(key)
            await self._mend(failed)
        if data is None:
            # An invalid key is never stored, so only what is not found has to be checked.
            encode_key(key)
            return None
        return Entry(data[_STAMP_SIZE:], _unstamp(data)[0])

    async def list(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        below, start = encode_prefix(prefix), encode_name(after)
        while True:
            self._hold()
            try:
                with self._file.begin() as txn, txn.cursor() as cursor:
                    return level(partial(_seek, cursor), below, start, limit)
            except lmdb.Error as error:
                failed = error
            finally:
                self._release()
            await self._mend(failed)

    async def commit(self, expect: Mapping[str, int], writes: Sequence[Write]) -> int:
        if self._closing:
            _refuse()
        return await self._commits.commit(check(expect, writes))

    async def close(self) -> None:
        self._closing = True
        self._hold = _refuse  # so that no read has to check for it
        await self._commits.stop()

    def _revision(self) -> int:
        self._hold()
        try:
            # Transactions are not kept in variables: they must end before the lock is released.
            if self._file.begin().id() != self._seen:
                self._read_revision()
            return self._seen_revision
        finally:
            self._release()

    def _read_revision(self) -> None:
        with self._file.begin() as txn:
            self._seen, self._seen_revision = txn.id(), _newest(txn)

    async def _mend(self, error: Exception) -> None:
        """Returns when the read that failed with `error` can be tried again."""
        if not isinstance(error, _MENDABLE):
            raise StoreError(f"the data file cannot be read: {error}") from error
        if self._closing:
            _refuse()
        await self._commits.run(self._file.mend)

    def _write(self, group: Group) -> Sequence[Outcome]:
        while True:
            try:
                return self._write_once(group)
            except lmdb.MapFullError:
                self._file.grow()
            except _MENDABLE:
                self._file.mend()
            except lmdb.DiskError as error:
                raise StoreError("the disk is full, nothing was written") from error
            except lmdb.Error as error:
                raise StoreError(
                    f"the data file cannot be written, nothing was written: {error}"
                ) from error

    def _write_once(self, group: Group) -> Sequence[Outcome]:
        try:
            return self._write_all(group)
        except BaseException:
            self._versions.forget()
            raise

    def _write_all(self, group: Group) -> Sequence[Outcome]:
        # begun and ended on this thread, as LMDB demands: both may take a while
        with self._file.begin(write=True) as txn:
            outcomes = group.elsewhere(lambda: self._apply_all(txn, group.take()))
            newest = max((each for each in outcomes if isinstance(each, int)), default=None)
            if newest is None:
                txn.abort()
                return outcomes
        self._versions.end(newest)
        self.syncs += 1
        return outcomes

    def _apply_all(
        self, txn: "_Transaction", commits: Sequence[CheckedCommit]
    ) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []
        versions = self._versions
        before = revision = _newest(txn)
        versions.begin(txn, before)
        changed: list[bytes] = []
        for commit in commits:
            unmet = versions.first_unmet(txn, commit)
            if unmet is None:
                revision += 1
                _apply(txn, commit, _stamp(revision))
                versions.wrote(commit, revision)
                changed += [raw for _, raw, _ in commit.writes]
            outcomes.append(revision if unmet is None else Conflict(unmet))
        if revision != before:
            txn.put(REVISION_KEY, _stamp(revision))
            note_changes(txn, before, revision, changed)
        return outcomes


def _refuse() -> NoReturn:
    raise StoreError("the store is closed")


def _newest(txn: "_Transaction") -> int:
    record = txn.get(REVISION_KEY)
    if record is None:
        raise StoreError("the data file is damaged: it has no revision")
    revision: int = _unstamp(record)[0]
    return revision


def _seek(cursor: "_Cursor", start: bytes) -> bytes | None:
    if not cursor.set_range(start):
        return None
    key = cursor.key()
    return None if key.startswith(OWN_KEYS) else key


def _apply(txn: "_Transaction", commit: CheckedCommit, stamp: bytes) -> None:
    for _, raw, value in commit.writes:
        if value is None:
            txn.delete(raw)
        else:
            txn.put(raw, stamp + value)
