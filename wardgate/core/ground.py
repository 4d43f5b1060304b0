"""What every request stands on: the mount table, the audit devices, whether there are rate limits.

These are records like any other, and the commit of a request depends on the first two. Most requests
find the storage as the one before left it, so what that one found is kept with the revision.
"""

from collections.abc import Mapping

from wardgate.core.audit.table import TABLE_KEY as AUDIT_KEY
from wardgate.core.audit.table import AuditTable, audit_table
from wardgate.core.mounts import TABLE_KEY as MOUNTS_KEY
from wardgate.core.mounts import Mounts, MountTable
from wardgate.core.quotas import quota_table
from wardgate.core.storage import Transaction


class Ground:
    """As of one revision. `reads` are the versions of the records that it was made from."""

    __slots__ = ("audited", "limited", "reads", "revision", "table")

    def __init__(
        self,
        revision: int,
        table: MountTable,
        audited: AuditTable,
        reads: Mapping[str, int],
        *,
        limited: bool,
    ) -> None:
        self.revision = revision
        self.table = table
        self.audited = audited
        self.reads = reads
        self.limited = limited


class Grounds:
    """Finds the ground of a transaction that has neither read nor written anything yet."""

    def __init__(self, mounts: Mounts) -> None:
        self._mounts = mounts
        self._last: Ground | None = None

    def known(self, transaction: Transaction) -> Ground | None:
        """The ground, if nothing was written since the last one; else ask `find`."""
        last = self._last
        if last is None or last.revision != transaction.revision:
            return None
        transaction.reads.update(last.reads)
        transaction.mount_table = last.table
        return last

    async def find(self, transaction: Transaction) -> Ground:
        """The ground, from the storage."""
        table = await self._mounts.table(transaction)
        audited = await audit_table(transaction)
        reads = {key: transaction.reads[key] for key in (MOUNTS_KEY, AUDIT_KEY)}
        limited = bool((await quota_table(transaction)).limits)
        self._last = Ground(transaction.revision, table, audited, reads, limited=limited)
        return self._last

    def forget(self) -> None:
        """Drop what is kept (when the barrier is sealed)."""
        self._last = None
