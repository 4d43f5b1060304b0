"""`wardgate read`, `write`, `list`, `delete`, `patch`, `unwrap`: any path of the API."""

from collections.abc import Sequence
from typing import Annotated, Any

from wardgate.cli import answer
from wardgate.cli.command import Commands, Flag, Word
from wardgate.cli.failure import Finished, ServerFailed, UsageError
from wardgate.cli.keyvalue import parse_data
from wardgate.cli.output import Output
from wardgate.cli.session import Session
from wardgate.cli.text import plain
from wardgate.client.reply import Reply

Data = Annotated[str, Word("[KEY=VALUE]...", "Also KEY=@FILE, KEY=-, @FILE or -.")]
Force = Annotated[bool, Flag("Go on without any data.", "f")]


def read(session: Session, path: str, *data: Data) -> None:
    """Read what is at a path. KEY=VALUE become parameters of the request."""
    path = path.strip("/")
    reply = session.find("GET", path, _parameters(data), doing=f"reading {path}")
    answer.show(session.output, reply, path=path)


def write(session: Session, path: str, *data: Data, force: Force = False) -> None:
    """Write data to a path."""
    send(session, "PUT", path.strip("/"), _body(data, force))


def patch(session: Session, path: str, *data: Data, force: Force = False) -> None:
    """Change some fields of what is at a path."""
    send(session, "PATCH", path.strip("/"), _body(data, force))


def delete(session: Session, path: str, *data: Data) -> None:
    """Delete what is at a path."""
    path = path.strip("/")
    parameters = _parameters(data)
    reply = session.request("DELETE", path, params=parameters, doing=f"deleting {path}")
    answer.show(session.output, reply, done=f"Data deleted (if it existed) at: {path}")


def list_names(
    session: Session,
    path: str,
    *,
    after: Annotated[str, Flag("Start behind this name.")] = "",
    limit: Annotated[int, Flag("No more than this many names.")] = -1,
    detailed: Annotated[bool, Flag("Also what is known of each.")] = False,
) -> None:
    """List the names at a path."""
    path = path.strip("/")
    wanted = {"after": after} if after else {}
    if limit >= 0:
        wanted["limit"] = str(limit)
    reply = session.find("LIST", path, wanted, doing=f"listing {path}")
    show_names(session.output, reply, path, detailed=detailed)


def unwrap(session: Session, token: str | None = None) -> None:
    """Take out what was wrapped. TOKEN may be - to read it from stdin; default: your own token."""
    if token == "-":
        token = session.read_stdin()
    body: dict[str, Any] = {}
    if token and not session.settings.token:
        session.use_token(token)
    elif token and token != session.settings.token:
        body["token"] = token
    reply = session.request("PUT", "sys/wrapping/unwrap", body, doing="unwrapping", wrap=False)
    answer.show(session.output, reply, done="There was nothing in it.")


COMMANDS: Commands = {
    "read": read,
    "write": write,
    "list": list_names,
    "delete": delete,
    "patch": patch,
    "unwrap": unwrap,
}


def show_names(output: Output, reply: Reply, path: str, *, detailed: bool = False) -> None:
    """Print the names that a LIST found. Raises when there are none."""
    if reply.wrap_info:
        answer.show(output, reply)
        return
    data = reply.data or {}
    names = data.get("keys")
    if not isinstance(names, list):
        output.warn(reply.warnings)
        if output.is_json:
            output.json({})
            raise Finished(ServerFailed.exit_code)
        raise ServerFailed(f"No value found at {path}")
    if output.is_json:
        output.json(answer.as_json(reply) if detailed else names)
        return
    if detailed and isinstance(data.get("key_info"), dict):
        _show_details(output, names, data["key_info"])
    else:
        output.names(plain(name) for name in names)
    output.warn(reply.warnings)


def _show_details(output: Output, names: list[str], details: dict[str, Any]) -> None:
    columns = sorted({key for name in names for key in details.get(name) or {}})
    rows = [
        [name, *(plain((details.get(name) or {}).get(key, "n/a")) for key in columns)]
        for name in names
    ]
    output.table(["Keys", *columns], rows)


def send(session: Session, method: str, path: str, body: dict[str, Any]) -> None:
    """Send data to a path and print the answer."""
    reply = session.request(method, path, body, doing=f"writing data to {path}")
    answer.show(session.output, reply, done=f"Data written to: {path}")


def _body(data: Sequence[str], force: bool) -> dict[str, Any]:
    if not data and not force:
        raise UsageError("Must supply data or use -force")
    return parse_data(data)


def _parameters(data: Sequence[str]) -> dict[str, str]:
    return {key: plain(value) for key, value in parse_data(data).items()}
