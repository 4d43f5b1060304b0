"""`wardgate policy …`."""

import sys
from pathlib import Path
from typing import Annotated

from wardgate.cli.command import Commands, Group, Word
from wardgate.cli.failure import CommandFailed, Refused, ServerFailed
from wardgate.cli.policy_format import FormatError, format_policy
from wardgate.cli.session import NOT_FOUND, Session


def list_policies(session: Session) -> None:
    """List the names of all policies."""
    reply = session.request("LIST", "sys/policies/acl", doing="listing policies")
    names = [str(name) for name in (reply.data or {}).get("keys") or []]
    if session.output.is_json:
        session.output.json(names)
    else:
        for name in names:
            session.output.line(name)


def read(session: Session, name: str) -> None:
    """Print a policy."""
    name = name.strip().lower()
    try:
        reply = session.request("GET", f"sys/policies/acl/{name}", doing="reading policy")
    except Refused as refused:
        if refused.status == NOT_FOUND:
            raise ServerFailed(f"No policy named: {name}") from refused
        raise
    text = str((reply.data or {}).get("policy", ""))
    if session.output.is_json:
        session.output.json({"policy": text})
    else:
        session.output.line(text.strip())


def write(session: Session, name: str, file: Annotated[str, Word("FILE", "- is stdin.")]) -> None:
    """Create a policy or replace it."""
    given = name.strip()
    name = given.lower()
    try:
        text = sys.stdin.read() if file == "-" else Path(file).expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"the policy file cannot be read: {_reason(error)}") from error
    path = f"sys/policies/acl/{name}"
    reply = session.request("PUT", path, {"policy": text}, doing="uploading policy")
    if name != given:
        session.output.warn([f"policy names are in small letters: it is called {name}"])
    session.output.warn(reply.warnings)
    session.output.success(f"Uploaded policy: {name}")


def delete(session: Session, name: str) -> None:
    """Delete a policy; tokens that have it lose what it allowed at once."""
    name = name.strip().lower()
    session.request("DELETE", f"sys/policies/acl/{name}", doing=f"deleting {name}")
    session.output.success(f"Deleted policy: {name}")


def fmt(session: Session, file: str) -> None:
    """Lay out a local policy file, in place."""
    path = Path(file).expanduser()
    try:
        text = path.read_text()
        laid_out = format_policy(text)
        if laid_out != text:
            path.write_text(laid_out)
    except FormatError as error:
        raise CommandFailed(f"the policy cannot be parsed: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"the policy file cannot be changed: {_reason(error)}") from error
    session.output.success(f"Formatted policy: {file}")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "not UTF-8 text"


COMMANDS: Commands = {
    "policy": Group(
        "Read and write policies.",
        {"list": list_policies, "read": read, "write": write, "delete": delete, "fmt": fmt},
    )
}
