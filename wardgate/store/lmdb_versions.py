"""The versions of the keys that commits expect, kept from one group of commits to the next.

Nearly all commits expect the same few keys: the mount table, the caller's token, its policies. To look
each up in the data file lets go of Python's lock, and to get it back from the event loop's thread costs
more than the look. What is kept is brought up to date at the beginning of each group, when this process
has LMDB's lock for writers and nobody can change anything any more.
"""

from itertools import filterfalse
from typing import TYPE_CHECKING

from wardgate.store.interface import ABSENT
from wardgate.store.keys import CheckedCommit
from wardgate.store.lmdb_changes import changed_keys
from wardgate.store.lmdb_file import STAMP

if TYPE_CHECKING:
    import lmdb

    _Transaction = lmdb.Transaction[bytes]

MOST = 20_000
"""Keys whose versions are kept; beyond it, all are forgotten."""
_NEVER = -1


class Versions:
    """For the thread that writes."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._as_of = _NEVER

    def begin(self, txn: "_Transaction", newest: int) -> None:
        """A group of commits begins, whose transaction sees the revision `newest`."""
        if len(self._known) > MOST:
            self.forget()
        if newest == self._as_of:
            return
        changed = None if self._as_of == _NEVER else changed_keys(txn, self._as_of, newest)
        if changed is None:
            self._known.clear()
        else:
            for key in changed:
                self._known.pop(key.decode(), None)
        self._as_of = newest

    def first_unmet(self, txn: "_Transaction", commit: CheckedCommit) -> str | None:
        """The first key that has another version than the commit expects."""
        known, expected = self._known, commit.expect.items()
        # nearly all are known and as expected, which is quickly seen without a step of Python for each
        for key, version in filterfalse(known.items().__contains__, expected):
            found = known.get(key)
            if found is None:
                data = txn.get(key.encode())
                found = known[key] = ABSENT if data is None else STAMP.unpack_from(data)[0]
            if found != version:
                return key
        return None

    def wrote(self, commit: CheckedCommit, revision: int) -> None:
        """The group has applied this commit, as `revision`."""
        known = self._known
        for key, _, value in commit.writes:
            # a key that was not there before is hardly ever asked for again soon
            if known.pop(key, ABSENT) != ABSENT and value is not None:
                known[key] = revision

    def end(self, revision: int) -> None:
        """The group is durable; its last revision is this one."""
        self._as_of = revision

    def forget(self) -> None:
        """It is not known what became of the group."""
        self._known.clear()
        self._as_of = _NEVER
