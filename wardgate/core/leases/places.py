"""Where leases lie in the storage: by id, by their end, by their token, and those given up.

===========================================  ====================================================
`lease/id/PATH/SUFFIX`                       the record of a dynamic secret's lease
`lease/id/PATH/hTOKEN`                       empty: a token is a lease too; TOKEN is its storage name
`lease/expiry/MOUNT/TIME-SUFFIX`             the key of a lease, ordered by when it is due
`lease/token/TOKEN/SUFFIX`                   the key of a lease that ends with this token
`lease/irrevocable/MOUNT/SUFFIX`             the key of a lease that could not be revoked
===========================================  ====================================================
"""

import re
from hashlib import blake2b

from wardgate.core.due import due_entry
from wardgate.core.leases.record import Lease
from wardgate.core.records import BytesCodec, Codec

LEASES = "lease/id/"
EXPIRIES = "lease/expiry/"
OWNED = "lease/token/"
IRREVOCABLE = "lease/irrevocable/"

EMPTY = BytesCodec()
KEY: Codec[str] = Codec(str)
"""The key of a lease's record."""

_TOKEN_SUFFIX = re.compile("h(?:[0-9A-Za-z]{8})?[0-9a-f]{40}")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # a storage key is UTF-8 without NUL
_LONGEST = 400  # bytes of a path that is part of a key as it is
_KEPT = 300  # bytes that are left of a longer one


def lease_path(path: str) -> str:
    """A request's path as lease ids have it: without empty segments."""
    if path and path[0] != "/" != path[-1] and "//" not in path:
        return path
    return "/".join(segment for segment in path.split("/") if segment)


def place(path: str) -> str:
    """The folder for leases of `path`, a `lease_path`, below `LEASES`, without a slash at its end.

    It is the path itself, so that prefixes can be walked. Of one that is too long for a key, or has
    characters that no key can have, the first segments are kept and a digest stands for the rest.
    """
    raw = path.encode("utf-8", "surrogatepass")
    if len(raw) <= _LONGEST and not _UNSTORABLE.search(path):
        return path
    digest = "~" + blake2b(raw, digest_size=16).hexdigest()
    kept = kept_part(path)
    return f"{kept}/{digest}" if kept else digest


def kept_part(path: str) -> str:
    """As much of `path` as is part of every key of a lease below it, in whole segments."""
    kept: list[str] = []
    room = _KEPT
    for segment in path.split("/"):
        room -= len(segment.encode("utf-8", "surrogatepass")) + 1
        if room < 0 or _UNSTORABLE.search(segment):
            break
        kept.append(segment)
    return "/".join(kept)


def token_suffix(name: str) -> str:
    """The last part of the lease id of the token that is stored under `name`."""
    return "h" + name


def token_name(suffix: str) -> str | None:
    """The storage name of the token whose lease id ends so; None when it is no token's."""
    return suffix[1:] if _TOKEN_SUFFIX.fullmatch(suffix) else None


def token_key(path: str, name: str) -> str:
    """The place of a token among the leases; `path` is that of the request which made it."""
    return f"{LEASES}{place(lease_path(path))}/{token_suffix(name)}"


def lease_key(lease: Lease) -> str:
    """Where the lease's record lies."""
    return f"{LEASES}{place(lease.path)}/{lease.suffix}"


def expiry_key(lease: Lease) -> str:
    """The lease's place in the index by time."""
    return f"{EXPIRIES}{lease.mount}/{due_entry(lease.due, lease.suffix)}"


def owned_key(lease: Lease) -> str:
    """The lease's place among those of its token."""
    return f"{OWNED}{lease.owner}/{lease.suffix}"


def irrevocable_key(lease: Lease) -> str:
    """The lease's place among those that were given up."""
    return f"{IRREVOCABLE}{lease.mount}/{lease.suffix}"
