"""The LMDB data file: opened, checked, grown, and opened again after an I/O error.

Three rules of LMDB shape this module. The memory map must not move while this process has a
transaction open: so reads hold `DataFile.lock`, and so does whatever moves the map. Only the thread
that writes may move it, since LMDB refuses while a write transaction is open. And when writing the
root page failed, LMDB wants to be closed and opened anew.

Records of the engine itself have keys that begin with the byte 0xFF, which UTF-8 never uses, so no
key of a caller can meet them.
"""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NoReturn

import lmdb

from wardgate.store.interface import StoreError

if TYPE_CHECKING:
    Begin = Callable[..., lmdb.Transaction[bytes]]

OWN_KEYS = b"\xff"
"""What the engine's own keys begin with."""

REVISION_KEY = OWN_KEYS + b"revision"
"""Holds the newest revision, as a `STAMP`."""

STAMP = struct.Struct(">Q")
"""A revision. Every stored value begins with the one that wrote it."""

_FORMAT_KEY = OWN_KEYS + b"format"
_FORMAT = b"wardgate lmdb 1"


class DataFile:
    """The open data file in the directory `path`, which is made (0700, files 0600) if missing.

    Raises `StoreError` when it cannot be opened or is not one of ours. `begin()` begins a
    transaction that reads, `begin(write=True)` one that writes. Everything but `begin` and `close`
    runs on the thread that writes, outside of a transaction.
    """

    def __init__(self, path: Path, map_size: int) -> None:
        self.lock = Lock()
        self.begin: Begin = _closed
        self._path = path
        self._map_size = map_size
        self._environment = self._open()

    def grow(self) -> None:
        """Make room, after `lmdb.MapFullError`."""
        # What a killed process was reading then keeps pages from being used again.
        if self._environment.reader_check():
            return
        with self.lock:
            self._move_map(2 * self._map_size)

    def mend(self) -> None:
        """Make the file usable after `begin` failed, if it still does; raises `StoreError`."""
        with self.lock:
            try:
                self.begin().abort()
            except lmdb.MapResizedError:
                self._move_map(0)  # to where another process has grown it
            except lmdb.PanicError:
                self._environment.close()
                self._environment = self._open()
            except lmdb.ReadersFullError:
                if not self._environment.reader_check():
                    raise StoreError("too many processes have the data file open") from None
            except lmdb.Error as error:
                raise StoreError(f"the data file cannot be read: {error}") from error

    def close(self) -> None:
        """Release the file; `begin` raises `StoreError` from now on."""
        with self.lock:
            self.begin = _closed
            self._environment.close()

    def _move_map(self, size: int) -> None:
        try:
            self._environment.set_mapsize(size)
            self._map_size = self._environment.info()["map_size"]
        except (lmdb.Error, OverflowError) as error:
            # LMDB has given up the old map by now, so the next use opens the file anew.
            self.begin = _broken
            raise StoreError(
                f"the data file cannot be mapped into memory, nothing was written: {error}"
            ) from error

    def _open(self) -> lmdb.Environment:
        self.begin = _broken
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            environment = lmdb.open(
                str(self._path), map_size=self._map_size, mode=0o600, max_spare_txns=1
            )
        except (lmdb.Error, OSError) as error:
            raise StoreError(f"cannot open the data file in {self._path}: {error}") from error
        try:
            environment.reader_check()
            self._cover_missing_pages(environment)
            _check_format(environment)
        except (lmdb.Error, OSError) as error:
            environment.close()
            raise StoreError(f"cannot use the data file in {self._path}: {error}") from error
        except StoreError:
            environment.close()
            raise
        self._map_size = environment.info()["map_size"]
        self.begin = environment.begin
        return environment

    def _cover_missing_pages(self, environment: lmdb.Environment) -> None:
        """Give a data file that was cut short its full length.

        Reading a mapped page beyond the end of a file kills the process (SIGBUS); a page of zeros
        is an `lmdb.CorruptedError`.
        """
        data = self._path / "data.mdb"
        if data.stat().st_size >= _full_size(environment):
            return
        with environment.begin(write=True):  # no other process may extend it meanwhile
            size = _full_size(environment)
            if data.stat().st_size < size:
                os.truncate(data, size)


def _full_size(environment: lmdb.Environment) -> int:
    return (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]


def _check_format(environment: lmdb.Environment) -> None:
    with environment.begin() as txn:
        found = txn.get(_FORMAT_KEY)
    if found is None:
        with environment.begin(write=True) as txn:
            found = txn.get(_FORMAT_KEY)  # another process may have been first
            if found is None and txn.stat()["entries"] == 0:
                txn.put(_FORMAT_KEY, _FORMAT)
                txn.put(REVISION_KEY, STAMP.pack(0))
                return
    if found is None:
        raise StoreError("the data file belongs to another program; choose an empty directory")
    if found != _FORMAT:
        raise StoreError("the data file has a format that this version of Wardgate does not know")


def _closed(write: bool = False) -> NoReturn:
    raise StoreError("the store is closed")


def _broken(write: bool = False) -> NoReturn:
    raise lmdb.PanicError("the data file must be opened again")
