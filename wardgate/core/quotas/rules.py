"""The rate limits that were written, and which of them a request falls under.

All of them are one record, compiled once for each stored version. A limit names its mount by UUID,
so it moves with the mount, and where the mount is gone it is gone too.
"""

import math

import msgspec

from wardgate.core.ids import new_uuid
from wardgate.core.mounts import Mount
from wardgate.core.records import Codec
from wardgate.core.storage import Transaction

QUOTAS_KEY = "core/quotas"

DEFAULT_EXEMPT_PATHS = (
    "sys/generate-recovery-token/attempt",
    "sys/generate-recovery-token/update",
    "sys/generate-root/attempt",
    "sys/generate-root/update",
    "sys/health",
    "sys/seal-status",
    "sys/unseal",
)
MAX_LIMIT = 2**63


class RateLimit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One quota. `rate` requests in `interval` seconds, and `block` seconds of nothing for who
    sends more. It is for everything, for a `mount` (its UUID), for what is at `path` below the
    mount (with ``*`` at its end: for what begins so), or for logins with a `role` there.
    """

    name: str
    rate: float
    interval: int = 1
    block: int = 0
    mount: str = ""
    path: str = ""
    role: str = ""
    inheritable: bool = False
    most: int
    """Requests in an interval: the rate as a whole number."""
    id: str = msgspec.field(default_factory=new_uuid)
    """New with each write, so that counting begins anew."""

    @property
    def scope(self) -> tuple[str, str, str]:
        """What the limit is for; no two have the same."""
        return self.mount, self.path, self.role


def whole_rate(rate: float) -> int:
    """The number of requests that a rate allows in an interval, at least 1."""
    return max(1, math.floor(min(rate, MAX_LIMIT) + 0.5))


class _Stored(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    limits: tuple[RateLimit, ...] = ()
    exempt_paths: tuple[str, ...] = DEFAULT_EXEMPT_PATHS
    response_headers: bool = False
    audit_logging: bool = False


class _OfMount:
    """The limits for one mount, by what they are for."""

    __slots__ = ("exact", "prefixes", "roles", "whole")

    def __init__(self) -> None:
        self.whole: RateLimit | None = None
        self.exact: dict[str, RateLimit] = {}
        self.prefixes: list[tuple[str, RateLimit]] = []  # the longest is the first
        self.roles: dict[str, RateLimit] = {}


class QuotaTable:
    """All limits and how they are enforced. `response_headers`: answers tell what is left;
    `audit_logging`: refused requests are written to the audit log."""

    def __init__(
        self,
        limits: tuple[RateLimit, ...] = (),
        exempt_paths: tuple[str, ...] = DEFAULT_EXEMPT_PATHS,
        *,
        response_headers: bool = False,
        audit_logging: bool = False,
    ) -> None:
        self.limits = limits
        self.exempt_paths = exempt_paths
        self.response_headers = response_headers
        self.audit_logging = audit_logging
        self.everything: RateLimit | None = None
        self._mounts: dict[str, _OfMount] = {}
        for limit in sorted(limits, key=lambda limit: len(limit.path), reverse=True):
            self._add(limit)
        exemptions = (
            (path.removeprefix("!").removesuffix("*"), not path.startswith("!"))
            for path in exempt_paths
            if path
        )
        self._exemptions = sorted(exemptions, key=lambda pair: len(pair[0]), reverse=True)
        self._exempt = tuple(prefix for prefix, exempt in self._exemptions if exempt)

    def _add(self, limit: RateLimit) -> None:
        if not limit.mount:
            self.everything = limit
            return
        limits = self._mounts.setdefault(limit.mount, _OfMount())
        if limit.role:
            limits.roles[limit.role] = limit
        elif limit.path.endswith("*"):
            limits.prefixes.append((limit.path[:-1], limit))
        elif limit.path:
            limits.exact[limit.path] = limit
        else:
            limits.whole = limit

    def exempts(self, path: str) -> bool:
        """Whether requests to `path` are never limited. An exempt path stands for all that begins
        so, with or without ``*``; one after ``!`` is not exempt; the longest decides."""
        if not path.startswith(self._exempt):
            return False
        for prefix, exempt in self._exemptions:
            if path.startswith(prefix):
                return exempt
        return False

    def has_roles(self, mount: Mount) -> bool:
        """Whether logins at `mount` are limited by role."""
        limits = self._mounts.get(mount.uuid)
        return limits is not None and bool(limits.roles)

    def find(self, mount: Mount, path: str, role: str) -> RateLimit | None:
        """The limit for a request to `path`, that of the most specific kind: role, path, longest
        beginning of the path, mount, everything. `path` is relative to the mount."""
        limits = self._mounts.get(mount.uuid)
        if limits is None:
            return self.everything
        if role and role in limits.roles:
            return limits.roles[role]
        path = path.strip("/")
        if path in limits.exact:
            return limits.exact[path]
        for prefix, limit in limits.prefixes:
            if path.startswith(prefix):
                return limit
        return limits.whole or self.everything

    def with_limits(self, limits: tuple[RateLimit, ...]) -> "QuotaTable":
        """The same with other limits."""
        return QuotaTable(
            limits,
            self.exempt_paths,
            response_headers=self.response_headers,
            audit_logging=self.audit_logging,
        )


class _QuotaTableCodec:
    """Stores the limits; gives back a whole `QuotaTable`."""

    def __init__(self) -> None:
        self._codec: Codec[_Stored] = Codec(_Stored)

    def encode(self, record: QuotaTable) -> bytes:
        return self._codec.encode(
            _Stored(
                limits=record.limits,
                exempt_paths=record.exempt_paths,
                response_headers=record.response_headers,
                audit_logging=record.audit_logging,
            )
        )

    def decode(self, data: bytes) -> QuotaTable:
        stored = self._codec.decode(data)
        return QuotaTable(
            stored.limits,
            stored.exempt_paths,
            response_headers=stored.response_headers,
            audit_logging=stored.audit_logging,
        )


_CODEC = _QuotaTableCodec()
_NOTHING_WRITTEN = QuotaTable()


async def quota_table(transaction: Transaction) -> QuotaTable:
    """The limits as of this transaction."""
    return await transaction.get(QUOTAS_KEY, _CODEC) or _NOTHING_WRITTEN


def save_quota_table(transaction: Transaction, table: QuotaTable) -> None:
    transaction.put(QUOTAS_KEY, table, _CODEC)
