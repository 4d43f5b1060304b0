"""What every request stands on: the mount table, the audit devices, the rate limits.

These are records like any other, and the commit of a request depends on them. Most requests find them
as the one before did, so what that one found is kept.
"""

from wardgate.core.audit.table import AuditTable, audit_table
from wardgate.core.mounts import Mounts, MountTable
from wardgate.core.premise import Premise
from wardgate.core.quotas import QuotaTable, quota_table
from wardgate.core.storage import Transaction


class Ground:
    """What the three records came to."""

    __slots__ = ("audited", "premise", "quotas", "table")

    def __init__(
        self,
        premise: Premise,
        table: MountTable,
        audited: AuditTable,
        quotas: QuotaTable,
    ) -> None:
        self.premise = premise
        self.table = table
        self.audited = audited
        self.quotas = quotas


class Grounds:
    """Finds the ground of a transaction that has neither read nor written anything yet."""

    def __init__(self, mounts: Mounts) -> None:
        self._mounts = mounts
        self._last: Ground | None = None

    def known(self, transaction: Transaction) -> Ground | None:
        """The ground, if it is the same as the last one; else ask `find`."""
        last = self._last
        if last is None or not last.premise.holds(transaction):
            return None
        transaction.mount_table = last.table
        return last

    async def find(self, transaction: Transaction) -> Ground:
        """The ground, from the storage."""
        table = await self._mounts.table(transaction)
        audited = await audit_table(transaction)
        quotas = await quota_table(transaction)
        self._last = Ground(Premise(dict(transaction.reads)), table, audited, quotas)
        return self._last

    def forget(self) -> None:
        """Drop what is kept (when the barrier is sealed)."""
        self._last = None
