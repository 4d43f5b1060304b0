"""`wardgate kv undelete`, `destroy`, `rollback`, `enable-versioning`: a key's older versions."""

from typing import Annotated

from wardgate.cli.command import Commands, Flag
from wardgate.cli.data import send
from wardgate.cli.failure import UsageError
from wardgate.cli.kv.mount import Mount, Versions, locate, split_versions
from wardgate.cli.kv.values import read_version
from wardgate.cli.session import Session


def undelete(session: Session, key: str, *, mount: Mount = "", versions: Versions = None) -> None:
    """Bring deleted versions back."""
    _change_versions(session, key, mount, versions, "undelete")


def destroy(session: Session, key: str, *, mount: Mount = "", versions: Versions = None) -> None:
    """Remove the data of versions for good."""
    _change_versions(session, key, mount, versions, "destroy")


def rollback(
    session: Session,
    key: str,
    *,
    mount: Mount = "",
    version: Annotated[int, Flag("The version to make current again.")] = 0,
) -> None:
    """Write an older version again, as the newest."""
    if version < 1:
        raise UsageError("Version flag must be specified")
    place = locate(session, key, mount)
    place.require_versions("rollback")
    path = place.path()
    current = session.find("GET", path, doing=f"reading {path}", wrap=False).data or {}
    value, _ = read_version(session, place, version)
    cas = (current.get("metadata") or {}).get("version", 0)
    send(session, "PUT", path, {"data": value, "options": {"cas": cas}})


def enable_versioning(session: Session, mount: str) -> None:
    """Turn a mount of KV version 1 into version 2."""
    mount = f"{mount.strip('/')}/"
    path = f"sys/mounts/{mount}tune"
    doing = f"tuning secrets engine {mount}"
    session.request("POST", path, {"options": {"version": "2"}}, doing=doing)
    session.output.success(f"Tuned the secrets engine at: {mount}")


def _change_versions(
    session: Session, key: str, mount: str, versions: list[str] | None, kind: str
) -> None:
    numbers = split_versions(versions)
    if not numbers:
        raise UsageError(f"option -versions must say which versions to {kind}")
    place = locate(session, key, mount)
    place.require_versions(kind)
    send(session, "PUT", place.path(kind), {"versions": numbers})


VERSIONS: Commands = {
    "undelete": undelete,
    "destroy": destroy,
    "rollback": rollback,
    "enable-versioning": enable_versioning,
}
