"""What the contract tests must know about one auth method."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.api import Api

World = dict[str, str]
"""Things to call operations on, which nothing else uses: by the names that paths of the seed have for
them (``role_name``), and others for bodies."""


@dataclass(frozen=True)
class Part:
    """`lead` is how its paths begin in the seed, `count` how many operations it has there.

    `prepare` is given a new name, under which it mounts the method and makes what a call needs.
    `bodies` are those of the operations that need one. An operation is in `no_content`, `accepted` or
    `gives_token` when that is what its success is like.
    """

    lead: str
    count: int
    prepare: Callable[[Api, str], World]
    bodies: Mapping[str, Callable[[World], dict[str, Any]]] = field(default_factory=dict)
    no_content: frozenset[str] = frozenset()
    accepted: frozenset[str] = frozenset()
    gives_token: frozenset[str] = frozenset()
    needs_others: frozenset[str] = frozenset()
    """Operations that succeed only where somebody outside takes part; other tests show that."""

    def has(self, path: str) -> bool:
        """Whether a path of the seed is one of its own."""
        return path.startswith(self.lead)
