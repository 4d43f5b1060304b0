"""What a server has acknowledged, as its clients know it: this must be there after a crash.

`Ledger` is filled by clients that write at the same time (`tests.faults.writers`), and checked
against a server by `tests.faults.checks`.
"""

from dataclasses import dataclass, field
from threading import Lock


@dataclass
class User:
    """A userpass user. `passwords` are those that may be right: after a change that was never
    acknowledged there are two."""

    name: str
    passwords: list[str]
    entity: str = ""


@dataclass
class Family:
    """A token and its children. `revoked` is None while a revocation was asked for and not
    acknowledged."""

    parent: str
    accessor: str
    children: list[str] = field(default_factory=list)
    revoked: bool | None = False


@dataclass
class Ledger:
    """Everything acknowledged. Writers on other threads add to it under `lock`."""

    versions: dict[str, dict[int, int]] = field(default_factory=dict)
    """What each version of each secret holds, by path."""
    families: list[Family] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    logins: list[tuple[User, str]] = field(default_factory=list)
    """Tokens that users have logged in for."""
    lock: Lock = field(default_factory=Lock)

    def __len__(self) -> int:
        return (
            sum(map(len, self.versions.values()))
            + sum(1 + len(family.children) for family in self.families)
            + len(self.users)
            + len(self.logins)
        )
