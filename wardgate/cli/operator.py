"""`wardgate operator …`: what only those do who run the server."""

from datetime import datetime
from typing import Annotated, Any

from wardgate.cli.command import Commands, Flag, Group, Word
from wardgate.cli.failure import Finished
from wardgate.cli.generate_root import generate_root
from wardgate.cli.holding import read_pgp_file, read_pgp_files
from wardgate.cli.output import Output
from wardgate.cli.rekey import rekey, rotate_keys
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
    pgp_keys: Annotated[str, Flag("Files with public PGP keys, one for each unseal key.")] = "",
    root_token_pgp_key: Annotated[str, Flag("A file with one for the root token.")] = "",
    recovery_shares: Annotated[
        int, Flag("How many recovery keys a server that unseals by itself gets; 5 without it.")
    ] = 5,
    recovery_threshold: Annotated[
        int, Flag("How many of them prove who is in charge; 3 without it.")
    ] = 3,
    recovery_pgp_keys: Annotated[
        str, Flag("Files with public PGP keys, one for each recovery key.")
    ] = "",
    status: Annotated[bool, Flag("Only tell whether it is done: exit code 0, else 2.")] = False,
) -> None:
    """Make the server's keys and its first root token, and print them this once."""
    if status:
        _show_initialized(session)
        return
    seal = session.request("GET", "sys/seal-status", doing="checking seal status", wrap=False)
    recovery = bool((seal.data or {}).get("recovery_seal"))
    shares, threshold = key_shares, key_threshold
    if recovery:
        shares, threshold = recovery_shares, recovery_threshold
    kind = "recovery" if recovery else "secret"
    body: dict[str, Any] = {f"{kind}_shares": shares, f"{kind}_threshold": threshold}
    if pgp_keys:
        body["pgp_keys"] = read_pgp_files(pgp_keys)
    if recovery_pgp_keys:
        body["recovery_pgp_keys"] = read_pgp_files(recovery_pgp_keys)
    if root_token_pgp_key:
        body["root_token_pgp_key"] = read_pgp_file("root-token-pgp-key", root_token_pgp_key)
    reply = session.request("PUT", "sys/init", body, doing="initializing", wrap=False)
    made = reply.data or {}
    if session.output.is_json:
        session.output.json(_init_json(made, recovery, shares, threshold))
    else:
        _show_keys(session.output, made, shares, threshold)


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


def _init_json(made: dict[str, Any], recovery: bool, shares: int, threshold: int) -> dict[str, Any]:
    recovery_keys = made.get("recovery_keys_base64")
    return {
        "unseal_keys_b64": made.get("keys_base64"),
        "unseal_keys_hex": made.get("keys"),
        "unseal_shares": 1 if recovery else shares,  # the seal's own key counts as one
        "unseal_threshold": 1 if recovery else threshold,
        "recovery_keys_b64": recovery_keys,
        "recovery_keys_hex": made.get("recovery_keys"),
        "recovery_keys_shares": len(recovery_keys or ()),
        "recovery_keys_threshold": threshold if recovery else 0,
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
    if made.get("recovery_keys_base64"):
        output.line("This is shown only now. Give each key to a different person.")
        output.line(f"The server unseals by itself; {threshold} of these {shares} prove who is in")
        output.line("charge, and open it again when somebody has sealed it.")
        return
    if not made.get("keys_base64"):
        output.line("This is shown only now. The server unseals by itself; it has no recovery key.")
        return
    output.line("This is shown only now. Give each key to a different person.")
    output.line(f"The server is unsealed with {threshold} of these {shares} after each start;")
    output.line("with fewer, its data can never be read again.")


COMMANDS: Commands = {
    "operator": Group(
        "Initialise, unseal, seal, rotate, replace keys.",
        {
            "init": init,
            "unseal": unseal,
            "seal": seal,
            "rotate": rotate,
            "key-status": key_status,
            "rekey": rekey,
            "rotate-keys": rotate_keys,
            "generate-root": generate_root,
        },
    )
}
