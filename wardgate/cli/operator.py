"""`wardgate operator …`: what only those do who run the server."""

from datetime import datetime
from typing import Annotated, Any

from wardgate.cli.command import Commands, Flag, Group, Word
from wardgate.cli.failure import Finished
from wardgate.cli.output import Output
from wardgate.cli.session import Session
from wardgate.cli.status import show_seal
from wardgate.cli.text import plain

NOT_INITIALIZED = 2


def init(
    session: Session,
    *,
    key_shares: Annotated[int, Flag("How many unseal keys there will be; 5 without it.", "n")] = 5,
    key_threshold: Annotated[
        int, Flag("How many of them unseal the server; 3 without it.", "t")
    ] = 3,
    status: Annotated[bool, Flag("Only tell whether it is done: exit code 0, else 2.")] = False,
) -> None:
    """Make the server's keys and its first root token, and print them this once."""
    if status:
        _show_initialized(session)
        return
    body = {"secret_shares": key_shares, "secret_threshold": key_threshold}
    reply = session.request("PUT", "sys/init", body, doing="initializing", wrap=False)
    made = reply.data or {}
    if session.output.is_json:
        session.output.json(_init_json(made, key_shares, key_threshold))
    else:
        _show_keys(session.output, made, key_shares, key_threshold)


def unseal(
    session: Session,
    key: Annotated[str | None, Word("[KEY]", "- reads it from stdin.")] = None,
    *,
    reset: Annotated[bool, Flag("Forget the keys given so far.")] = False,
    migrate: Annotated[bool, Flag("The key is meant for a seal migration.")] = False,
) -> None:
    """Give one unseal key; without KEY it is asked for and not shown."""
    body: dict[str, Any] = {"reset": True}
    if not reset:
        if key == "-":
            key = session.read_stdin()
        body = {"key": key or session.ask_secret("Unseal key"), "migrate": migrate}
    reply = session.request("PUT", "sys/unseal", body, doing="unsealing", wrap=False)
    show_seal(session, reply.data or {})


def seal(session: Session) -> None:
    """Seal the server: it answers nothing until it is unsealed again."""
    session.request("PUT", "sys/seal", doing="sealing")
    session.output.success("Vault is sealed.")


def rotate(session: Session) -> None:
    """Encrypt new data with a new key; older data stay readable."""
    session.request("POST", "sys/rotate", doing="rotating the key", wrap=False)
    session.output.success("Rotated key")
    _show_key_status(session)


def key_status(session: Session) -> None:
    """Print the age and use of the current encryption key."""
    _show_key_status(session)


def _show_key_status(session: Session) -> None:
    reply = session.request("GET", "sys/key-status", doing="reading the key status")
    found = reply.data or {}
    term, installed = found.get("term"), plain(found.get("install_time"))
    output = session.output
    if output.is_json:
        names = ("term", "install_time", "encryptions")
        output.json({name: found.get(name) for name in names})
        return
    rows = (("Key Term", plain(term)), ("Install Time", _readable(installed)))
    output.pairs([*rows, ("Encryption Count", plain(found.get("encryptions")))])


def _readable(time: str) -> str:
    try:
        return f"{datetime.fromisoformat(time):%d %b %y %H:%M %Z}"
    except ValueError:
        return time


def _show_initialized(session: Session) -> None:
    reply = session.request("GET", "sys/init", doing="checking init status", wrap=False)
    initialized = bool((reply.data or {}).get("initialized"))
    if session.output.is_json:
        session.output.json({"Initialized": initialized})
    else:
        session.output.line(f"Vault is {'' if initialized else 'not '}initialized")
    if not initialized:
        raise Finished(NOT_INITIALIZED)


def _init_json(made: dict[str, Any], shares: int, threshold: int) -> dict[str, Any]:
    recovery = made.get("recovery_keys_base64")
    return {
        "unseal_keys_b64": made.get("keys_base64"),
        "unseal_keys_hex": made.get("keys"),
        "unseal_shares": shares,
        "unseal_threshold": threshold,
        "recovery_keys_b64": recovery,
        "recovery_keys_hex": made.get("recovery_keys"),
        "recovery_keys_shares": len(recovery or ()),
        "recovery_keys_threshold": 0,
        "root_token": made.get("root_token"),
    }


def _show_keys(output: Output, made: dict[str, Any], shares: int, threshold: int) -> None:
    for kind in ("", "recovery_"):
        name = "Recovery" if kind else "Unseal"
        for number, key in enumerate(made.get(f"{kind}keys_base64") or (), start=1):
            output.line(f"{name} Key {number}: {key}")
    output.line()
    output.line(f"Initial Root Token: {made.get('root_token')}")
    output.line()
    output.line("This is shown only now. Give each key to a different person.")
    output.line(f"The server is unsealed with {threshold} of these {shares} after each start;")
    output.line("with fewer, its data can never be read again.")


COMMANDS: Commands = {
    "operator": Group(
        "Initialise, unseal, seal, rotate.",
        {
            "init": init,
            "unseal": unseal,
            "seal": seal,
            "rotate": rotate,
            "key-status": key_status,
        },
    )
}
