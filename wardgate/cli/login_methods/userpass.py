"""Logging in with a name and a password."""

from collections.abc import Sequence

from wardgate.cli.failure import UsageError
from wardgate.cli.keyvalue import parse_data
from wardgate.cli.session import Session
from wardgate.client.reply import Reply


def with_password(session: Session, words: Sequence[str], path: str) -> Reply:
    """The password is asked for when it is not given."""
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
