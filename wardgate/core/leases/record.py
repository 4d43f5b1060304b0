"""What is stored for the lease of a dynamic secret."""

import math
from typing import Any

import msgspec

from wardgate.core.records import Codec


class Lease(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A credential that an engine gave out and will take back.

    Times are seconds since the epoch, durations are seconds. The id of a lease is `path`, a slash
    and `suffix`.
    """

    path: str
    """The request's path, as it was when the lease began: a mount may have moved since."""
    suffix: str
    mount: str
    """The UUID of the mount whose backend revokes it."""
    mount_accessor: str
    data: dict[str, Any]
    """What the backend has to know to renew and revoke; never shown."""
    issued: float
    expires: float
    due: float
    """When the sweeper looks at it next: its end, or the next try to revoke it. Part of the key in
    the index by time."""
    ttl: int = 0
    max_ttl: int = 0
    """What the engine asked for; 0 stands for the mount's values."""
    renewable: bool = False
    last_renewed: float = 0
    owner: str = ""
    """The storage name of the token that it ends with; empty when it has none."""
    ends_latest: float = 0
    """When the batch token ends that it was given to: no renewal reaches further. 0 without one."""
    failures: int = 0
    """How often revoking it has failed."""
    error: str = ""
    """What kind of error the last failure was."""
    irrevocable: bool = False
    """Given up after too many failures, until somebody asks again."""
    forced: bool = False
    """Ends with the next try to revoke it, whatever comes of that."""

    @property
    def id(self) -> str:
        return f"{self.path}/{self.suffix}"

    @property
    def refusal(self) -> str:
        """What is told of its last failure."""
        reason = f"the backend could not revoke it ({self.error})"
        return f"out of retries: {reason}" if self.irrevocable else reason

    def remaining(self, now: float) -> int:
        """Whole seconds until it ends, rounded up; 0 when it has ended."""
        return max(0, math.ceil(self.expires - now))


LEASE: Codec[Lease] = Codec(Lease)
