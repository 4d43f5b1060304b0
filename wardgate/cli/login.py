"""`wardgate login`: prove who you are, and keep the token for later commands."""

import os
from typing import Annotated

from wardgate.cli import answer, token_file
from wardgate.cli.command import Commands, Flag, Word
from wardgate.cli.failure import ServerFailed, UsageError
from wardgate.cli.login_methods import METHODS
from wardgate.cli.session import Session
from wardgate.client.environment import PREFIXES
from wardgate.client.reply import Reply

_KNOWN = "token, userpass, ldap, oidc, saml or jwt"


def login(
    session: Session,
    *words: Annotated[str, Word("[TOKEN | KEY=VALUE...]", "- or KEY=- reads from stdin.")],
    method: Annotated[str, Flag(f"{_KNOWN}.")] = "token",
    path: Annotated[str, Flag("Where the method is enabled.")] = "",
    no_print: Annotated[bool, Flag("Print nothing.")] = False,
    no_store: Annotated[bool, Flag("Do not keep the token.")] = False,
    token_only: Annotated[bool, Flag("Print the token alone and do not keep it.")] = False,
) -> None:
    """Log in. What is missing and secret is asked for and not shown.

    Settings by method: token: the token, or -. userpass, ldap: username, password. jwt: role, jwt.
    oidc: role, callbackmode, listenaddress, port, callbackhost, callbackmethod, callbackport,
    skip_browser, show_qr, abort_on_error. saml: role, acs_url, skip_browser, show_qr,
    abort_on_error.
    """
    if method == "webauthn":
        raise UsageError(
            "passkeys need a browser: log in on the server's page /ui/login, and give the token that it"
            ' shows to "wardgate login -"'
        )
    if method not in METHODS:
        raise UsageError(
            f"option -method is {_KNOWN}; for others, use "
            '"wardgate write auth/PATH/login …" and "wardgate login -"'
        )
    stored = not (no_store or token_only)
    reply = METHODS[method](session, words, (path or method).strip("/"))
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
