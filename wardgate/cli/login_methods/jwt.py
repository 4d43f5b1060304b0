"""Logging in with a signed token of somebody else's, such as a job of a build server has."""

from collections.abc import Sequence

from wardgate.cli.failure import UsageError
from wardgate.cli.keyvalue import parse_data
from wardgate.cli.session import Session
from wardgate.client.reply import Reply


def with_jwt(session: Session, words: Sequence[str], path: str) -> Reply:
    """``role=NAME jwt=-`` (or ``jwt=@FILE``); a token that is not given is asked for."""
    given = parse_data(words)
    unknown = given.keys() - {"role", "jwt"}
    if unknown:
        raise UsageError("jwt takes role=NAME and jwt=-, jwt=@FILE or jwt=TOKEN")
    jwt = given.get("jwt") or session.ask_secret("JWT")
    body = {"jwt": str(jwt).strip(), "role": str(given.get("role", ""))}
    session.use_token(None)
    return session.request("PUT", f"auth/{path}/login", body, doing="authenticating")
