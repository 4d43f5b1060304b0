"""What records are written to."""

from collections.abc import Sequence
from typing import Protocol


class TargetError(Exception):
    """Records could not be written. The message says why, and holds nothing of them."""


class SomeNotWritten(TargetError):
    """All but the records with these indexes were written."""

    def __init__(self, reason: str, indexes: frozenset[int]) -> None:
        super().__init__(reason)
        self.indexes = indexes


class Target(Protocol):
    """Used by one thread at a time; every call may take as long as the thing behind it."""

    def open(self) -> None:
        """Make ready; `TargetError` when that cannot be. `write` opens by itself too."""
        ...

    def write(self, lines: Sequence[bytes]) -> None:
        """Write records, each a line with its newline; `TargetError` when that failed."""
        ...

    def close(self) -> None:
        """Let go of what is open; a later `write` opens it again."""
        ...
