"""The mount table: which backend answers which path.

The table is one record, so a change of it is atomic and every request sees one whole table. What
the mount stores lives under a prefix made of its UUID, which is never used again: disabling a mount
takes the entry out of the table, which ends everything under it at once, and leaves a job for the
sweeper that removes the bytes.
"""

import re
import uuid
from collections.abc import Callable

import msgspec

from wardgate.core.backend import Backend
from wardgate.core.ids import new_accessor_suffix, new_uuid
from wardgate.core.lockout_config import LockoutTuning
from wardgate.core.records import Codec
from wardgate.core.storage import Transaction
from wardgate.errors import InvalidRequest

TABLE_KEY = "core/mounts"
PURGE_PREFIX = "job/purge-mount/"


AUTH_PREFIX = "auth/"
IDENTITY_PATH = "identity/"
PROTECTED = ("auth/", "sys/", "cubbyhole/", "identity/", "audit/")
"""Paths that no mount may take, give up or lie under."""

_MOST_KEPT = 10_000
"""Backends that are kept for the next table."""

_SEGMENT = re.compile(r"[^\x00-\x1f\x7f*+{}]+")


class MountConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What tuning sets. TTLs are seconds; 0 means the system's value."""

    default_lease_ttl: int = 0
    max_lease_ttl: int = 0
    force_no_cache: bool = False
    listing_visibility: str = ""
    token_type: str = ""
    audit_non_hmac_request_keys: tuple[str, ...] = ()
    audit_non_hmac_response_keys: tuple[str, ...] = ()
    passthrough_request_headers: tuple[str, ...] = ()
    allowed_response_headers: tuple[str, ...] = ()
    user_lockout: LockoutTuning | None = None


class Mount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One mounted backend. `path` is the full route with its trailing slash."""

    path: str
    type: str
    uuid: str
    accessor: str
    description: str = ""
    config: MountConfig = MountConfig()
    options: dict[str, str] | None = None
    local: bool = False
    seal_wrap: bool = False
    external_entropy_access: bool = False
    former_paths: tuple[str, ...] = ()
    """Where it was before it was moved: what it gave out then has leases there."""

    @property
    def is_auth(self) -> bool:
        return self.path.startswith(AUTH_PREFIX)

    @property
    def storage_prefix(self) -> str:
        return f"mount/{self.uuid}/"


class PurgeJob(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the sweeper has to know of a mount that is gone, beside the UUID in the job's key."""

    accessor: str = ""
    mount: Mount | None = None
    ended: bool = False
    """Whether all that it gave out is noted to be revoked."""
    reached: str = ""
    """The last of its leases that was noted so, in their index by time."""


PURGE_JOB: Codec[PurgeJob] = Codec(PurgeJob)


def new_mount(
    path: str,
    type: str,
    *,
    description: str = "",
    config: MountConfig = MountConfig(),  # noqa: B008  (frozen)
    options: dict[str, str] | None = None,
    local: bool = False,
    seal_wrap: bool = False,
    external_entropy_access: bool = False,
) -> Mount:
    """A mount with an identity of its own."""
    kind = f"auth_{type}" if path.startswith(AUTH_PREFIX) else type
    return Mount(
        path=path,
        type=type,
        uuid=new_uuid(),
        accessor=f"{kind}_{new_accessor_suffix()}",
        description=description,
        config=config,
        options=options,
        local=local,
        seal_wrap=seal_wrap,
        external_entropy_access=external_entropy_access,
    )


IDENTITY_CONFIG = MountConfig(passthrough_request_headers=("Authorization",))
"""How the identity mount begins: as OpenBao's."""


def with_identity(mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
    """A stored table with the identity mount, which the first versions did not have.

    It is stored when somebody changes the table; until then every process works out the same one.
    """
    if not mounts or any(mount.path == IDENTITY_PATH for mount in mounts):
        return mounts
    made = uuid.uuid5(uuid.UUID(mounts[0].uuid), IDENTITY_PATH)
    identity = Mount(
        path=IDENTITY_PATH,
        type="identity",
        uuid=str(made),
        accessor=f"identity_{made.hex[:8]}",
        description="identity store",
        config=IDENTITY_CONFIG,
    )
    return (*mounts, identity)


def check_path(path: str) -> str:
    """A mount path as a client wrote it, in its canonical form with one trailing slash."""
    cleaned = path.strip("/")
    segments = cleaned.split("/")
    if not cleaned or any(
        segment in ("", ".", "..") or not _SEGMENT.fullmatch(segment) or not segment.isprintable()
        for segment in segments
    ):
        raise InvalidRequest(
            "path: must be one or more names separated by '/', without '.', '..', '*', '+', '{', '}'"
            " or control characters"
        )
    return cleaned + "/"


class MountTable:
    """All mounts, and the way from a path to its mount.

    Built once for each stored version of the table and shared between requests.
    """

    def __init__(self, mounts: tuple[Mount, ...], build: Callable[[Mount], Backend]) -> None:
        self.mounts = mounts
        self.by_path = {mount.path: mount for mount in mounts}
        self.by_uuid = {mount.uuid: mount for mount in mounts}
        self.by_accessor = {mount.accessor: mount for mount in mounts}
        self._build = build
        self._backends: dict[str, Backend] = {}
        self._by_head: dict[str, list[Mount]] = {}
        for mount in sorted(mounts, key=lambda mount: len(mount.path), reverse=True):
            self._by_head.setdefault(_head(mount.path), []).append(mount)

    def find(self, path: str) -> Mount | None:
        """The mount with the longest path that `path` lies under, or None."""
        for mount in self._by_head.get(_head(path), ()):
            if path.startswith(mount.path) or path == mount.path[:-1]:
                return mount
        return None

    def backend(self, mount: Mount) -> Backend:
        """The code behind `mount`."""
        backend = self._backends.get(mount.uuid)
        if backend is None:
            backend = self._backends[mount.uuid] = self._build(mount)
        return backend

    def conflict(self, path: str) -> Mount | None:
        """A mount that lies above, below or at `path`, where another mount would be shadowed."""
        for mount in self.mounts:
            if mount.path.startswith(path) or path.startswith(mount.path):
                return mount
        return None

    def with_mount(self, mount: Mount) -> "MountTable":
        """A table in which `mount` is new or takes the place of the one with the same UUID."""
        rest = tuple(other for other in self.mounts if other.uuid != mount.uuid)
        return MountTable((*rest, mount), self._build)

    def without(self, mount: Mount) -> "MountTable":
        rest = tuple(other for other in self.mounts if other.uuid != mount.uuid)
        return MountTable(rest, self._build)


def _head(path: str) -> str:
    """What narrows the search: the first segment, or the second one of an auth method."""
    if path.startswith(AUTH_PREFIX):
        return path[: path.find("/", len(AUTH_PREFIX)) + 1] or path + "/"
    return path[: path.find("/") + 1] or path + "/"


class MountTableCodec:
    """Stores the mounts; gives back a whole `MountTable` that can build their backends."""

    def __init__(self, build: Callable[[Mount], Backend]) -> None:
        self._build = build
        self._codec = Codec(tuple[Mount, ...])

    def encode(self, record: MountTable) -> bytes:
        return self._codec.encode(record.mounts)

    def decode(self, data: bytes) -> MountTable:
        return MountTable(with_identity(self._codec.decode(data)), self._build)

    def empty(self) -> MountTable:
        return MountTable((), self._build)


class Mounts:
    """Reads and changes the table inside a transaction."""

    def __init__(self, build: Callable[[Mount], Backend]) -> None:
        self._build = build
        self._built: dict[str, tuple[Mount, Backend]] = {}
        self._codec = MountTableCodec(self._backend)

    def _backend(self, mount: Mount) -> Backend:
        """The code behind `mount`. One that another table had for the same mount goes on, with what
        it has found out from others: keys, what providers say of themselves."""
        kept = self._built.get(mount.uuid)
        if kept is not None and kept[0] == mount:
            return kept[1]
        backend = self._build(mount)
        if len(self._built) >= _MOST_KEPT:
            self._built.clear()  # of mounts that are gone; the table has its own
        self._built[mount.uuid] = mount, backend
        return backend

    def forget(self) -> None:
        """Drop what was built (when the barrier is sealed)."""
        self._built.clear()

    async def table(self, transaction: Transaction) -> MountTable:
        """The whole table."""
        return await transaction.get(TABLE_KEY, self._codec) or self._codec.empty()

    def known_table(self, transaction: Transaction) -> MountTable | None:
        """The table if the transaction has it at hand; see `Transaction.known`."""
        table: MountTable | None = transaction.mount_table or transaction.known(TABLE_KEY)
        return table

    def save(self, transaction: Transaction, table: MountTable) -> None:
        transaction.mount_table = table
        transaction.put(TABLE_KEY, table, self._codec)

    async def remove(self, transaction: Transaction, mount: Mount) -> None:
        """Take `mount` away; its leases, stored bytes and aliases go with the sweeper's next rounds."""
        table = await self.table(transaction)
        self.save(transaction, table.without(mount))
        job = PurgeJob(accessor=mount.accessor, mount=mount)
        transaction.put(PURGE_PREFIX + mount.uuid, job, PURGE_JOB)
