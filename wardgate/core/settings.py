"""What the operator sets for the whole server."""

import msgspec

from wardgate.core.mounts import Mount

DAY = 86_400


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits and names. TTLs are seconds."""

    default_lease_ttl: int = 32 * DAY
    max_lease_ttl: int = 32 * DAY
    cluster_name: str = ""
    storage_type: str = "inmem"

    def default_ttl(self, mount: Mount) -> int:
        """The mount's default TTL, at most its maximum."""
        return min(mount.config.default_lease_ttl or self.default_lease_ttl, self.max_ttl(mount))

    def max_ttl(self, mount: Mount) -> int:
        """The mount's maximum TTL."""
        return mount.config.max_lease_ttl or self.max_lease_ttl
