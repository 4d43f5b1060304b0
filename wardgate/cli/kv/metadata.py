"""`wardgate kv metadata …`: what is known of a key, whatever its version."""

from typing import Annotated, TypedDict, Unpack

from wardgate.cli import answer
from wardgate.cli.command import Duration, Flag, Group
from wardgate.cli.data import send
from wardgate.cli.kv.mount import Mount, locate
from wardgate.cli.session import Session


class Settings(TypedDict, total=False):
    """What can be set for a key."""

    cas_required: Annotated[bool, Flag("Refuse writes without cas.")]
    custom_metadata: Annotated[dict[str, str], Flag("What else is to be known of it.")]
    delete_version_after: Annotated[Duration, Flag("How long a version lives.")]
    max_versions: Annotated[int, Flag("How many versions to keep.")]


def get(session: Session, key: str, *, mount: Mount = "") -> None:
    """Print a key's settings and its versions."""
    path = _path(session, key, mount)
    reply = session.find("GET", path, doing=f"reading {path}")
    output = session.output
    if not reply.data or reply.wrap_info or output.is_json or output.field:
        answer.show(output, reply, path=path)
        return
    settings = dict(reply.data)
    versions = settings.pop("versions", None) or {}
    output.section("Metadata Path", path)
    output.pairs(answer.data_rows(settings), "Metadata")
    for number in sorted(versions, key=int):
        output.line()
        output.pairs(answer.data_rows(versions[number]), f"Version {number}")
    output.warn(reply.warnings)


def put(session: Session, key: str, *, mount: Mount = "", **given: Unpack[Settings]) -> None:
    """Set a key's settings; the key need not exist."""
    send(session, "PUT", _path(session, key, mount), {**given})


def patch(
    session: Session,
    key: str,
    *,
    mount: Mount = "",
    remove_custom_metadata: Annotated[
        list[str] | None, Flag("A key of the custom metadata to remove.")
    ] = None,
    **given: Unpack[Settings],
) -> None:
    """Change some of a key's settings and keep the others."""
    removed = dict.fromkeys(remove_custom_metadata or [])
    body = {**given, "custom_metadata": removed | given.get("custom_metadata", {})}
    send(session, "PATCH", _path(session, key, mount), body)


def delete(session: Session, key: str, *, mount: Mount = "") -> None:
    """Delete a key with all its versions."""
    path = _path(session, key, mount)
    session.request("DELETE", path, doing=f"deleting {path}")
    session.output.success(f"Data deleted (if it existed) at: {path}")


def _path(session: Session, key: str, mount: str) -> str:
    place = locate(session, key, mount)
    place.require_versions("metadata")
    return place.path("metadata")


METADATA = Group(
    "Work with a key's metadata.", {"get": get, "put": put, "patch": patch, "delete": delete}
)
