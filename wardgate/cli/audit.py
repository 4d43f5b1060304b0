"""`wardgate audit …`: where requests and answers are recorded."""

from typing import Annotated, Any

from wardgate.cli.command import Commands, Flag, Group, Word
from wardgate.cli.failure import Finished, UsageError
from wardgate.cli.keyvalue import parse_data
from wardgate.cli.session import Session

_TYPES = "'file', 'socket' and 'syslog'"


def show(
    session: Session, *, detailed: Annotated[bool, Flag("All that is known.")] = False
) -> None:
    """List the enabled audit devices."""
    reply = session.request("GET", "sys/audit", doing="listing audit devices")
    devices: dict[str, Any] = reply.data or {}
    if session.output.is_json:
        return session.output.json({path: devices[path] for path in sorted(devices)})
    if not devices:
        session.output.line("No audit devices are enabled.")
        raise Finished(2)
    headings = ["Path", "Type", "Description"]
    headings += ["Replication", "Options"] if detailed else []
    rows = []
    for path, device in sorted(devices.items()):
        row = [path, device["type"], device["description"] or "n/a"]
        if detailed:
            options = sorted((device["options"] or {}).items())
            row.append("local" if device["local"] else "replicated")
            row.append(" ".join(f"{name}={value}" for name, value in options))
        rows.append(row)
    return session.output.table(headings, rows)


def enable(
    session: Session,
    type_: str = "",
    *options: Annotated[str, Word("[KEY=VALUE …]", "Options of the device, as for write.")],
    path: Annotated[str, Flag("Where; by default the name of the type.")] = "",
    description: Annotated[str, Flag("What it is for.")] = "",
    local: Annotated[bool, Flag("Not replicated to other clusters.")] = False,
) -> None:
    """Enable an audit device of a TYPE, with options such as file_path=/var/log/audit.log."""
    if not type_:
        raise UsageError(f"audit type missing. Valid types include {_TYPES}.")
    path = (path or type_).strip("/")
    body = {
        "type": type_,
        "description": description,
        "local": local,
        "options": parse_data(options),
    }
    session.request("PUT", f"sys/audit/{path}", body, doing="enabling audit device")
    session.output.success(f"Enabled the {type_} audit device at: {path}/")


def disable(session: Session, path: str) -> None:
    """Disable the audit device at PATH: what it has written stays."""
    path = path.strip("/")
    session.request("DELETE", f"sys/audit/{path}", doing=f"disabling audit device at {path}/")
    session.output.success(f"Disabled audit device (if it was enabled) at: {path}/")


COMMANDS: Commands = {
    "audit": Group(
        "Record requests and answers.", {"list": show, "enable": enable, "disable": disable}
    )
}
