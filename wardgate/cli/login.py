"""`wardgate login`: prove who you are, and keep the token for later commands."""

import os
from collections.abc import Sequence
from typing import Annotated

from wardgate.cli import answer, token_file
from wardgate.cli.command import Commands, Flag, Word
from wardgate.cli.failure import ServerFailed, UsageError
from wardgate.cli.keyvalue import parse_data
from wardgate.cli.session import Session
from wardgate.client.environment import PREFIXES
from wardgate.client.reply import Reply


def login(
    session: Session,
    *words: Annotated[str, Word("[TOKEN | KEY=VALUE...]", "- or KEY=- reads from stdin.")],
    method: Annotated[str, Flag("token or userpass.")] = "token",
    path: Annotated[str, Flag("Where the method is enabled.")] = "",
    no_print: Annotated[bool, Flag("Print nothing.")] = False,
    no_store: Annotated[bool, Flag("Do not keep the token.")] = False,
    token_only: Annotated[bool, Flag("Print the token alone and do not keep it.")] = False,
) -> None:
    """Log in. What is missing and secret is asked for and not shown."""
    if method not in _METHODS:
        raise UsageError(
            "option -method is token or userpass; for others, use "
            '"wardgate write auth/PATH/login …" and "wardgate login -"'
        )
    stored = not (no_store or token_only)
    reply = _METHODS[method](session, words, (path or method).strip("/"))
    if reply.wrap_info:
        if not stored:
            _show(session, reply, token_only)
            return
        reply = _unwrapped(session, reply.wrap_info["token"])
    auth = reply.auth or {}
    if not auth.get("client_token"):
        raise ServerFailed("Error authenticating: the answer has no token")
    if stored:
        token_file.save(auth["client_token"])
        _warn_of_environment(session)
    if not no_print:
        _show(session, reply, token_only, stored=stored)


def _with_token(session: Session, words: Sequence[str], path: str) -> Reply:
    """The token itself; the server is asked whether it is one."""
    if len(words) == 1 and words[0] != "-" and "=" not in words[0]:
        token = words[0]
    elif words == ("-",):
        token = session.read_stdin()
    else:
        token = str(parse_data(words).get("token") or session.ask_secret("Token"))
    session.use_token(token.strip())
    found = session.request("GET", "auth/token/lookup-self", doing="authenticating", wrap=False)
    data = found.data or {}
    auth = {
        "client_token": data.get("id"),
        "accessor": data.get("accessor"),
        "policies": data.get("policies"),
        "token_policies": data.get("policies"),
        "identity_policies": data.get("identity_policies"),
        "metadata": data.get("meta"),
        "orphan": False,
        "entity_id": "",
        "lease_duration": data.get("ttl"),
        "renewable": data.get("renewable"),
    }
    return Reply(found.status, {"auth": auth})


def _with_password(session: Session, words: Sequence[str], path: str) -> Reply:
    given = parse_data(words)
    name = str(given.pop("username", "")) or None
    if name is None:
        raise UsageError("userpass needs username=NAME")
    if "/" in name:
        raise UsageError("a username has no slash")
    password = given.pop("password", None)
    if password is None:
        password = session.ask_secret("Password")
    session.use_token(None)
    body = {**given, "password": str(password).rstrip("\n")}
    return session.request("PUT", f"auth/{path}/login/{name}", body, doing="authenticating")


_METHODS = {"token": _with_token, "userpass": _with_password}


def _unwrapped(session: Session, token: str) -> Reply:
    session.use_token(token)
    return session.request(
        "PUT", "sys/wrapping/unwrap", {}, doing="unwrapping the token", wrap=False
    )


def _show(session: Session, reply: Reply, token_only: bool, *, stored: bool = False) -> None:
    output = session.output
    if token_only:
        fields = answer.fields(reply)
        output.value(fields["token"] if "token" in fields else fields["wrapping_token"])
        return
    if reply.auth and not (output.is_json or output.field):
        output.line("Success! You are now authenticated.")
        kept = f"The token is kept in {token_file.path()} for later commands."
        output.note(kept if stored else "The token below is not kept: put it into VAULT_TOKEN.")
        output.line()
    answer.show(output, reply)


def _warn_of_environment(session: Session) -> None:
    for name in (f"{prefix}TOKEN" for prefix in PREFIXES):
        if os.environ.get(name):
            session.output.warn([f"{name} is set and goes before the token that was kept."])


COMMANDS: Commands = {"login": login}
