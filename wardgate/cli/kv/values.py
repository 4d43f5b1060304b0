"""`wardgate kv get`, `put`, `patch`, `delete`, `list`: the current value of a key."""

from enum import StrEnum
from typing import Annotated, Any

from wardgate.cli import answer
from wardgate.cli.command import Commands, Flag
from wardgate.cli.data import Data, show_names
from wardgate.cli.failure import Refused, ServerFailed, UsageError
from wardgate.cli.keyvalue import parse_data
from wardgate.cli.kv.mount import Mount, Place, Versions, locate, split_versions
from wardgate.cli.session import NOT_FOUND, Session
from wardgate.client.reply import Reply

Cas = Annotated[int, Flag("Write only if this is the current version; 0: if there is no key yet.")]
_NO_CAS = -1
_NOT_ALLOWED = frozenset({403, 405})


class Method(StrEnum):
    """How a patch is made: by the server, or by reading, changing and writing."""

    PATCH = "patch"
    READ_WRITE = "rw"


def get(
    session: Session,
    key: str,
    *,
    mount: Mount = "",
    version: Annotated[int, Flag("An older version.")] = 0,
) -> None:
    """Print the value of a key."""
    place = locate(session, key, mount)
    if version:
        place.require_versions("option -version")
    path = place.path()
    wanted = {"version": str(version)} if version > 0 else None
    reply = session.find("GET", path, wanted, doing=f"reading {path}")
    if not place.versioned or reply.wrap_info or not reply.data:
        _show_unversioned(session, reply, path)
    else:
        _show_version(session, reply.data, reply, path)


def put(session: Session, key: str, *data: Data, mount: Mount = "", cas: Cas = _NO_CAS) -> None:
    """Write the value of a key."""
    if not data:
        raise UsageError("Must supply data")
    body = parse_data(data)
    place = locate(session, key, mount)
    if cas != _NO_CAS:
        place.require_versions("option -cas")
    if place.versioned:
        body = {"data": body} | _cas_options(cas if cas != _NO_CAS else None)
    path = place.path()
    reply = session.request("PUT", path, body, doing=f"writing data to {path}")
    show_written(session, reply, path)


def patch(
    session: Session,
    key: str,
    *data: Data,
    mount: Mount = "",
    cas: Cas = _NO_CAS,
    method: Annotated[
        Method | None, Flag("By a patch, or by rw: read, change, write. Without it, what works.")
    ] = None,
    remove_data: Annotated[list[str] | None, Flag("A field to remove.")] = None,
) -> None:
    """Change some fields of a key and keep the others."""
    changes = parse_data(data) | dict.fromkeys(remove_data or [])
    if not changes:
        raise UsageError("Must supply data")
    place = locate(session, key, mount)
    place.require_versions("patch")
    expected = cas if cas > 0 else None
    path = place.path()
    if method is Method.READ_WRITE:
        reply = _read_and_write(session, place, changes, expected)
    else:
        body = {"data": changes} | _cas_options(expected)
        try:
            reply = session.request("PATCH", path, body, doing=f"writing data to {path}")
        except Refused as refused:
            if refused.status == NOT_FOUND:
                raise ServerFailed(f"No value found at {path}") from refused
            if method is Method.PATCH or refused.status not in _NOT_ALLOWED:
                raise
            # A policy may allow to read and update without the newer patch capability.
            reply = _read_and_write(session, place, changes, expected)
    show_written(session, reply, path)


def delete(session: Session, key: str, *, mount: Mount = "", versions: Versions = None) -> None:
    """Delete the current value of a key, or some of its versions."""
    numbers = split_versions(versions)
    place = locate(session, key, mount)
    path = place.path()
    if numbers:
        place.require_versions("option -versions")
        body = {"versions": numbers}
        reply = session.request("PUT", place.path("delete"), body, doing=f"deleting {path}")
    else:
        reply = session.request("DELETE", path, doing=f"deleting {path}")
    answer.show(session.output, reply, done=f"Data deleted (if it existed) at: {path}")


def list_keys(session: Session, path: str = "", *, mount: Mount = "") -> None:
    """List the keys of a folder."""
    if not path and not mount:
        raise UsageError("Not enough arguments (expected 1, got 0)")
    target = locate(session, path, mount).path("metadata")
    show_names(session.output, session.find("LIST", target, doing=f"listing {target}"), target)


VALUES: Commands = {"get": get, "put": put, "patch": patch, "delete": delete, "list": list_keys}


def show_written(session: Session, reply: Reply, path: str) -> None:
    """Print the version that a write made."""
    output = session.output
    if not reply.data or reply.wrap_info or output.field or output.is_json:
        answer.show(output, reply, done=f"Data written to: {path}")
        return
    output.section("Secret Path", path)
    output.pairs(answer.data_rows(reply.data), "Metadata")
    output.warn(reply.warnings)


def read_version(session: Session, place: Place, version: int = 0) -> tuple[dict[str, Any], int]:
    """The value of a version (0: the current one) and its number. Raises when it has none."""
    path = place.path()
    wanted = {"version": str(version)} if version else None
    reply = session.find("GET", path, wanted, doing=f"reading {path}", wrap=False)
    found = reply.data or {}
    if found.get("data") is None:
        raise ServerFailed(f"No value found at {path}")
    return found["data"], found["metadata"]["version"]


def _read_and_write(
    session: Session, place: Place, changes: dict[str, Any], expected: int | None
) -> Reply:
    value, version = read_version(session, place)
    removed = {name for name, member in changes.items() if member is None}
    kept = {name: member for name, member in (value | changes).items() if name not in removed}
    # The version that was read, so that a write in between is not undone.
    body = {"data": kept} | _cas_options(version if expected is None else expected)
    path = place.path()
    return session.request("PUT", path, body, doing=f"writing data to {path}")


def _cas_options(version: int | None) -> dict[str, Any]:
    return {} if version is None else {"options": {"cas": version}}


def _show_unversioned(session: Session, reply: Reply, path: str) -> None:
    output = session.output
    if reply.data and not reply.wrap_info and not output.field and not output.is_json:
        output.pairs(answer.data_rows(reply.data), "Data")
        output.warn(reply.warnings)
    else:
        answer.show(output, reply, path=path)


def _show_version(session: Session, data: dict[str, Any], reply: Reply, path: str) -> None:
    output = session.output
    value, metadata = data.get("data"), data.get("metadata") or {}
    if output.field:
        if value is None:
            raise ServerFailed(f"No data found at {path}")
        output.chosen(value, "map")
    elif output.is_json:
        output.json(answer.as_json(reply))
    else:
        output.section("Secret Path", path)
        output.pairs(answer.data_rows(metadata), "Metadata")
        if value is not None:
            output.line()
            output.pairs(answer.data_rows(value), "Data")
        output.warn(reply.warnings)
