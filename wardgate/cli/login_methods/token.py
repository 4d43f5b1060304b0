"""Logging in with a token that somebody has already."""

from collections.abc import Sequence

from wardgate.cli.keyvalue import parse_data
from wardgate.cli.session import Session
from wardgate.client.reply import Reply


def with_token(session: Session, words: Sequence[str], path: str) -> Reply:
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
