"""What is stored for a token."""

import math
from enum import StrEnum

import msgspec

from wardgate.core.records import Codec

ROOT_PATH = "auth/token/root"
"""The path of root tokens that come from key shares or from the initialisation."""


class TokenType(StrEnum):
    """A service token is stored; a batch token carries its own content, encrypted."""

    SERVICE = "service"
    BATCH = "batch"


class Token(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A token, without the secret that is its id.

    Times are seconds since the epoch, durations are seconds. `expires` 0 means never, which only
    tokens with the root policy have. `parent` is the storage name of the parent token, empty for an
    orphan. `issuer` is the UUID of the auth mount that gave the token out: it dies with the mount.
    """

    policies: tuple[str, ...]
    path: str
    issuer: str
    issued: float
    expires: float
    ttl: int = 0
    type: TokenType = TokenType.SERVICE
    accessor: str = ""
    parent: str = ""
    display_name: str = ""
    metadata: dict[str, str] | None = None
    renewable: bool = False
    num_uses: int = 0
    explicit_max_ttl: int = 0
    max_ttl: int = 0
    period: int = 0
    role: str = ""
    entity_id: str = ""
    bound_cidrs: tuple[str, ...] = ()
    last_renewed: float = 0
    granted: int = 0
    """The length of the newest renewal, which the next one has when it asks for nothing else."""
    has_dependents: bool = False
    """Whether it ever had children, leases or a cubbyhole, so that revoking it leaves work to sweep."""
    dissolved: bool = False
    """Revoked by revoke-orphan: itself dead, but its children live on as orphans."""
    renewal: dict[str, str] | None = None
    """What the auth method needs to check again at each renewal."""
    parent_accessor: str = ""
    """The parent's accessor: another token may get the parent's storage name, if it has the same
    custom id, but never its accessor."""

    @property
    def leased(self) -> bool:
        """Whether it is found among the leases. A root token that no other token made is not:
        revoking all leases below auth/ must not shut out the operator."""
        return self.path != ROOT_PATH

    @property
    def orphan(self) -> bool:
        return not self.parent

    def alive(self, now: float) -> bool:
        return not self.dissolved and (self.expires == 0 or now < self.expires)

    def without_parent(self) -> "Token":
        return msgspec.structs.replace(self, parent="", parent_accessor="")

    def remaining(self, now: float) -> int:
        """Seconds until it ends, rounded up: 0 stands for a token that does not end."""
        return max(0, math.ceil(self.expires - now)) if self.expires else 0


TOKEN: Codec[Token] = Codec(Token)


class AccessorIndex(msgspec.Struct, frozen=True, array_like=True):
    """Leads from an accessor to its token."""

    accessor: str
    name: str
    """The storage name of the token."""


ACCESSOR: Codec[AccessorIndex] = Codec(AccessorIndex)
