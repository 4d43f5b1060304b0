"""Rights that are kept in memory because they take time to work out, and are bounded: in how many
there are, and in their rules. When there is no more room, all of them go."""

from collections.abc import Collection, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST = 10_000
"""Values that are kept."""
MOST_RULES = 100_000
"""Rules in all of them together, of about 400 bytes each."""


class Bounded(Generic[K, V]):
    """Values by their keys, each with the number of rules that it alone holds."""

    def __init__(self) -> None:
        self._kept: dict[K, tuple[V, int]] = {}
        self._rules = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """The value, if it is kept."""
        kept = self._kept.get(key)
        return None if kept is None else kept[0]

    def put(self, key: K, value: V, rules: int) -> None:
        """Keep a value, in the place of the one with the same key."""
        if len(self._kept) >= MOST or self._rules > MOST_RULES:
            self.clear()
        _, before = self._kept.get(key, (None, 0))
        self._rules += rules - before
        self._kept[key] = value, rules

    def values(self) -> Collection[V]:
        """All that are kept."""
        return [value for value, _ in self._kept.values()]

    def clear(self) -> None:
        """Drop everything."""
        self._kept.clear()
        self._rules = 0
