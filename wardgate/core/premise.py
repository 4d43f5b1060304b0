"""What something was worked out from, so that it is known for how long it is true.

A mount table that was built, rights that were compiled, who a token belongs to: each follows from a
few records. As long as no record that anything follows from was dropped from the cache
(`Storage.dropped`), these are as they were; after that, one look at each tells whether it was one of
them.
"""

from collections.abc import Mapping

from wardgate.core.storage import Transaction
from wardgate.store.interface import Conflict


class Premise:
    """Records by their keys, each with the version that was read."""

    __slots__ = ("_dropped", "_reads")

    def __init__(self, reads: Mapping[str, int]) -> None:
        self._reads = reads
        self._dropped = -1  # something may have changed meanwhile, so the first use looks

    def holds(self, transaction: Transaction) -> bool:
        """Whether all records are as they were. If so, the transaction has read them too: it ends by
        `Conflict` where it had read another version before."""
        storage = transaction.storage
        if self._dropped != storage.dropped:
            cache = storage.cache
            for key, version in self._reads.items():
                cached = cache.get(key)
                if cached is None or cached.version != version:
                    return False
                cached.relied_on = True
            self._dropped = storage.dropped
        reads = transaction.reads
        if reads.items() <= self._reads.items():
            reads.update(self._reads)
            return True
        for key, version in self._reads.items():
            if reads.setdefault(key, version) != version:
                raise Conflict(key)
        return True
