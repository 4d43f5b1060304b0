"""Which keys the newest revisions changed, kept in the data file for every process that has it open.

Each group of commits leaves one note, in the same LMDB transaction: under its last revision, the
revision before its first and its keys. Notes of groups that are `REMEMBERED` revisions old go.
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from wardgate.store.interface import REMEMBERED
from wardgate.store.lmdb_file import OWN_KEYS, STAMP

if TYPE_CHECKING:
    import lmdb

    _Transaction = lmdb.Transaction[bytes]

_NOTES = OWN_KEYS + b"changes"
_AFTER = len(_NOTES)
_BETWEEN = b"\0"  # in no key
_MOST_BYTES = 64 * 1024
"""Of keys in one note: beyond it, whoever reads the note forgets everything instead."""
_ALL = b"\xff"  # in place of the keys


def note_changes(txn: "_Transaction", before: int, newest: int, keys: Sequence[bytes]) -> None:
    """Note that the revisions after `before`, up to `newest`, changed `keys`."""
    joined = _BETWEEN.join(keys)
    if len(joined) > _MOST_BYTES:
        joined = _ALL
    txn.put(_NOTES + STAMP.pack(newest), STAMP.pack(before) + joined)
    with txn.cursor() as cursor:
        found = cursor.set_range(_NOTES)
        while found and STAMP.unpack_from(cursor.key(), _AFTER)[0] < newest - REMEMBERED:
            found = cursor.delete()


def changed_keys(txn: "_Transaction", since: int, newest: int) -> Collection[bytes] | None:
    """See `Store.changes`; `newest` is the revision as of this transaction. Keys are as stored."""
    changed: set[bytes] = set()
    reached = since
    with txn.cursor() as cursor:
        found = cursor.set_range(_NOTES + STAMP.pack(since + 1))
        while found and cursor.key().startswith(_NOTES):
            note = cursor.value()
            if STAMP.unpack_from(note)[0] > reached:
                return None  # notes in between are gone
            reached = STAMP.unpack_from(cursor.key(), _AFTER)[0]
            keys = note[STAMP.size :]
            if keys == _ALL:
                return None
            if keys:
                changed.update(keys.split(_BETWEEN))
            found = cursor.next()
    return changed if reached == newest else None
