"""Logging in with the name and the password of an LDAP directory."""

import os
from collections.abc import Sequence

from wardgate.cli.failure import UsageError
from wardgate.cli.keyvalue import parse_data
from wardgate.cli.session import Session
from wardgate.client.reply import Reply

_KNOWN = ("password", "username")


def with_directory_password(session: Session, words: Sequence[str], path: str) -> Reply:
    """The name is that of whoever runs this, when none is given (LOGNAME, USER). The password is that
    of VAULT_LDAP_PASSWORD, or is asked for."""
    from wardgate.client.environment import variable

    given = parse_data(words)
    if given.keys() - _KNOWN:
        raise UsageError(f"ldap takes these settings: {', '.join(_KNOWN)}")
    name = str(given.get("username", os.environ.get("LOGNAME") or os.environ.get("USER") or ""))
    if not name:
        raise UsageError("ldap needs username=NAME")
    password = given.get("password")
    if password is None:
        password = variable("LDAP_PASSWORD") or session.ask_secret("Password")
    session.use_token(None)
    body = {"password": str(password).removesuffix("\n")}
    return session.request("PUT", f"auth/{path}/login/{name}", body, doing="authenticating")
