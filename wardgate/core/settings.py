"""What the operator sets for the whole server."""

import msgspec

from wardgate.core.audit.rules import AuditRules
from wardgate.core.lockout_config import UserLockout
from wardgate.core.mounts import Mount

DAY = 86_400


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits, names and addresses. TTLs and periods are seconds."""

    default_lease_ttl: int = 32 * DAY
    max_lease_ttl: int = 32 * DAY
    cluster_name: str = ""
    storage_type: str = "inmem"
    api_addr: str = ""
    """The URL under which clients reach the server, without a slash at its end."""
    audit: AuditRules = AuditRules()
    user_lockout: UserLockout = UserLockout()
    cluster_addr: str = ""
    introspection_endpoint: bool = False
    prometheus: bool = True
    metrics_prefix: str = "vault"
    gauge_period: int = 600
    raw_storage_endpoint: bool = False
    initialises_itself: bool = False
    """The configuration says how; nobody else may do it."""

    def default_ttl(self, mount: Mount) -> int:
        """The mount's default TTL, at most its maximum."""
        return min(mount.config.default_lease_ttl or self.default_lease_ttl, self.max_ttl(mount))

    def max_ttl(self, mount: Mount) -> int:
        """The mount's maximum TTL."""
        return mount.config.max_lease_ttl or self.max_lease_ttl
