"""What may be written about identities, and by whom."""

from wardgate.core.logins import canonical_policies
from wardgate.core.mounts import Mount, MountTable
from wardgate.core.policies import ROOT
from wardgate.core.request import Request
from wardgate.errors import InvalidRequest, PermissionDenied

LONGEST_NAME = 512  # characters
MOST_PAIRS = 64
LONGEST_KEY = 128  # bytes
LONGEST_VALUE = 512  # bytes


def checked_name(name: str) -> str:
    """A name that is not too long."""
    if len(name) > LONGEST_NAME:
        raise InvalidRequest(f"name: use at most {LONGEST_NAME} characters")
    return name


def checked_policies(names: tuple[str, ...]) -> tuple[str, ...]:
    """Policy names in their canonical form; ``root`` in any spelling is refused (CVE-2025-5999)."""
    policies = canonical_policies(names, add_default=False)
    if ROOT in policies:
        raise InvalidRequest("policies cannot contain root")
    return policies


def checked_metadata(metadata: dict[str, str], what: str) -> dict[str, str]:
    """Metadata within OpenBao's bounds. `what` it is of begins the message when it is not."""
    if len(metadata) > MOST_PAIRS:
        raise InvalidRequest(f"{what}: use at most {MOST_PAIRS} key/value pairs")
    for key, value in metadata.items():
        if not 0 < len(key.encode()) <= LONGEST_KEY:
            raise InvalidRequest(f"{what}: each key must have 1 to {LONGEST_KEY} bytes")
        if len(value.encode()) > LONGEST_VALUE:
            raise InvalidRequest(f"{what}: each value must have at most {LONGEST_VALUE} bytes")
    return metadata


def checked_custom_metadata(metadata: dict[str, str]) -> dict[str, str]:
    """An alias's custom metadata within OpenBao's bounds."""
    checked_metadata(metadata, "custom_metadata")
    if not all(value and (key + value).isprintable() for key, value in metadata.items()):
        raise InvalidRequest("custom_metadata: keys and values must be printable, and not empty")
    return metadata


def auth_mount(table: MountTable, accessor: str) -> Mount:
    """The auth mount with this accessor: nobody logs in anywhere else."""
    mount = table.by_accessor.get(accessor)
    if mount is None:
        raise InvalidRequest("invalid mount accessor: no mount has it")
    if not mount.is_auth:
        raise InvalidRequest("invalid mount accessor: give that of an auth method")
    return mount


def check_spelling(request: Request, folder: str, given: str, name: str) -> None:
    """Names are found in any spelling, so the policies are asked about the one that is meant too:
    a rule about `name` cannot be got round by writing it otherwise."""
    sent = request.body or {} if request.operation.name in ("CREATE", "UPDATE") else request.query
    path = f"{request.mount.path}{folder}/{name}"
    if given != name and not request.acl.allows(request.operation, path, sent, request.wrap_ttl):
        raise PermissionDenied
