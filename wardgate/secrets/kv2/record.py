"""What is stored of a secret, in both versions of the engine, and of a version 2 mount's settings."""

import msgspec

from wardgate.core.records import Codec
from wardgate.timestamps import rfc3339

DEFAULT_MAX_VERSIONS = 10


class Version(msgspec.Struct, frozen=True, array_like=True):
    """One version of a secret. Times are seconds since the epoch."""

    created: float
    deleted: float = 0
    """From when on it counts as deleted, which may lie in the future; 0 for never."""
    destroyed: bool = False

    def readable(self, now: float) -> bool:
        return not self.destroyed and not self.is_deleted(now)

    def is_deleted(self, now: float) -> bool:
        return 0 < self.deleted <= now


class Secret(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A secret with all that is known of its versions.

    `versions` are the newest ones without a gap, the last of them being number `current`. The data
    of a version is JSON. That of the current one is here in `data` when it is small; the rest has
    keys of its own, named by `id`, which is empty while there was none of these. A version 1 secret
    is one whose only version is `data`, so that a mount is upgraded without touching its secrets.
    """

    created: float
    updated: float
    current: int = 0
    oldest: int = 0
    """The oldest version that is left, 0 while none was ever dropped."""
    versions: tuple[Version, ...] = ()
    data: bytes | None = None
    id: str = ""
    lease: int | None = None
    """Seconds that a version 1 secret asks its readers to come back after."""
    max_versions: int = 0
    cas_required: bool = False
    metadata_cas_required: bool = False
    delete_version_after: int = 0  # seconds
    custom_metadata: dict[str, str] = {}
    metadata_version: int = 0

    @property
    def first(self) -> int:
        """The number of the oldest version that is left."""
        return self.current - len(self.versions) + 1

    def version(self, number: int) -> Version | None:
        """The version with this number, if it is left."""
        index = number - self.first
        return self.versions[index] if 0 <= index < len(self.versions) else None

    def with_version(self, number: int, version: Version) -> "Secret":
        """The secret with another state of the version with this number, which must be left."""
        index = number - self.first
        versions = (*self.versions[:index], version, *self.versions[index + 1 :])
        return msgspec.structs.replace(self, versions=versions)

    def describe(self, number: int) -> dict[str, object]:
        """What the API tells of the version with this number, which must be left."""
        version = self.versions[number - self.first]
        return {
            **describe_version(version),
            "custom_metadata": self.custom_metadata or None,
            "version": number,
        }


def describe_version(version: Version) -> dict[str, object]:
    """A version without its number."""
    return {
        "created_time": rfc3339(version.created),
        "deletion_time": rfc3339(version.deleted) if version.deleted else "",
        "destroyed": version.destroyed,
    }


class Config(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The settings of a mount, for all of its secrets."""

    max_versions: int = 0
    cas_required: bool = False
    metadata_cas_required: bool = False
    delete_version_after: int = 0
    """Seconds; a negative number means that versions are never deleted by themselves."""

    def versions_kept(self, secret: Secret) -> int:
        """How many versions of `secret` are kept: the larger of both settings counts."""
        return max(self.max_versions, secret.max_versions) or DEFAULT_MAX_VERSIONS

    def deletion(self, secret: Secret, now: float) -> float:
        """When a version made now is deleted by itself; 0 for never.

        The shorter of both times counts.
        """
        if self.delete_version_after < 0:
            return 0
        one, other = self.delete_version_after, secret.delete_version_after
        after = min(one, other) if one and other else one or other
        return now + after if after else 0


SECRET: Codec[Secret] = Codec(Secret)
CONFIG: Codec[Config] = Codec(Config)
