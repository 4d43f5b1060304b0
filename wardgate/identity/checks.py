"""What may be written about identities, and by whom."""

from wardgate.core.identity.metadata import checked_metadata
from wardgate.core.logins import canonical_policies
from wardgate.core.mounts import Mount, MountTable
from wardgate.core.policies import ROOT
from wardgate.core.request import Request
from wardgate.errors import InvalidRequest, PermissionDenied

LONGEST_NAME = 512  # characters


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
