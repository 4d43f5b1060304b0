"""Logging in at an OpenID provider, in a browser.

Where the browser ends up is the role's callback mode, and this side must know it (``callbackmode``):

``client``   at a listener of this program, on the loopback; it takes the code to the server
``direct``   at the server itself, which this program asks again and again
``device``   nowhere: somebody types or confirms a code at the provider, on any machine

The names of all settings are those of `bao login -method=oidc`.
"""

import contextlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from wardgate.cli.failure import Refused, ServerFailed, UsageError
from wardgate.cli.login_methods.browser import (
    PATIENCE,
    given_settings,
    invite,
    is_page,
    nobody_came,
)
from wardgate.cli.session import Session
from wardgate.client.reply import Reply

if TYPE_CHECKING:
    from wardgate.cli.login_methods.oidc_listener import Callback

_MODES = ("client", "direct", "device")
_KNOWN = {
    "abort_on_error", "callbackhost", "callbackmethod", "callbackmode", "callbackport",
    "listenaddress", "port", "role", "show_qr", "skip_browser",
}  # fmt: skip
_FAILED = re.compile(r"^(?:\w+ )?login failed\.\s*", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]{1,9}")
_LONGEST_INTERVAL = 3600  # seconds
_SLOWER = 5.0  # seconds that "slow_down" adds, or no answer at all (RFC 8628, section 3.5)


def with_browser(session: Session, words: Sequence[str], path: str) -> Reply:
    """Open the browser, unless ``skip_browser`` says not to, and wait for the login."""
    given = given_settings("oidc", words, _KNOWN)
    mode = given.get("callbackmode") or "client"
    if mode not in _MODES:
        raise UsageError("callbackmode is client, direct or device")
    session.use_token(None)
    if mode == "client":
        return _with_listener(session, given, path)
    redirect_uri = _redirect_to_server(session, given, path) if mode == "direct" else ""
    other = f"the role is not one for callbackmode={mode}; its own callback_mode says which"
    try:
        flow = _begun(session, path, given, redirect_uri)
    except Refused as refused:
        if redirect_uri or "redirect_uri" not in str(refused):
            raise
        # a role of another mode wants what a device does not have
        raise ServerFailed(f"{refused}\n\n{other[0].upper()}{other[1:]}.") from refused
    if not flow.state or not flow.interval:
        raise ServerFailed(f"Error authenticating: {other}")
    invite(session, given, flow.url, "OpenID provider", flow.user_code)
    return _polled(session, path, flow)


def _number(given: dict[str, str], name: str, default: int) -> int:
    text = given.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) < 2**16):
        raise UsageError(f"{name} is the number of a port")
    return int(text)


@dataclass(frozen=True)
class _Flow:
    """A login that the server has begun. `interval` is in seconds; 0 in client mode, where nobody
    asks the server how far it is."""

    url: str
    nonce: str
    state: str = ""
    interval: float = 0.0
    user_code: str = ""


def _begun(session: Session, path: str, given: dict[str, str], redirect_uri: str) -> _Flow:
    import secrets

    nonce = secrets.token_urlsafe(20)
    body = {
        "role": given.get("role", ""),
        "redirect_uri": redirect_uri,
        "client_nonce": nonce,
    }
    reply = session.request(
        "PUT", f"auth/{path}/oidc/auth_url", body, doing="authenticating", wrap=False
    )
    data = reply.data or {}
    url = str(data.get("auth_url") or "")
    if not url:
        raise ServerFailed(
            "Error authenticating: the server refuses this role with the redirect URI "
            f"{redirect_uri}, which must be one of its allowed_redirect_uris; and the role's "
            "callback_mode must be the callbackmode of this command"
        )
    return _flow(data, url, nonce)


def _flow(data: Mapping[str, Any], url: str, nonce: str) -> _Flow:
    """The login that an answer describes; `ServerFailed` when nothing can be done with it."""
    if not is_page(url):
        raise ServerFailed("Error authenticating: the server's auth_url is no address of a page")
    user_code = str(data.get("user_code") or "")
    if not user_code.isprintable():
        raise ServerFailed("Error authenticating: the server's user_code cannot be shown")
    state = str(data.get("state") or "")
    return _Flow(url, nonce, state, _interval(str(data.get("poll_interval") or "0")), user_code)


def _interval(text: str) -> float:
    """Seconds between two questions; 0 when the server does not want to be asked."""
    if text == "0":
        return 0.0
    if _SECONDS.fullmatch(text) and 1 <= int(text) <= _LONGEST_INTERVAL:
        return float(text)
    raise ServerFailed(
        "Error authenticating: the server's poll_interval is no number of seconds from 1 to "
        f"{_LONGEST_INTERVAL}"
    )


def _redirect_to_server(session: Session, given: dict[str, str], path: str) -> str:
    """Where the server takes the browser back, as the settings or its address have it."""
    try:
        server = urlsplit(session.settings.address)
        own_port = server.port
    except ValueError:
        raise UsageError("the server's address is no URL") from None
    host, method = given.get("callbackhost"), given.get("callbackmethod")
    if server.scheme not in ("https", "http") and not (host and method):
        raise UsageError(
            "the server's address is no URL that a browser can go to: give callbackhost, "
            "callbackmethod and callbackport"
        )
    where = f"{method or server.scheme}://{_bracketed(host or server.hostname or '')}"
    if given.get("callbackport"):  # as bao has it: with the path behind it, where that is needed
        return f"{where}:{given['callbackport']}/oidc/callback"
    port = f":{own_port}" if own_port else ""
    below = f"{session.settings.namespace.strip('/')}/" if session.settings.namespace else ""
    return f"{where}{port}/v1/{below}auth/{path}/oidc/callback"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _with_listener(session: Session, given: dict[str, str], path: str) -> Reply:
    from wardgate.cli.login_methods.oidc_listener import Listener

    port = _number(given, "port", 8250)
    # listening before the server is asked, so that nobody else is there when the browser comes
    with Listener(given.get("listenaddress") or "localhost", port) as listener:
        host = _bracketed(given.get("callbackhost") or "localhost")
        method = given.get("callbackmethod") or "http"
        outside = _number(given, "callbackport", listener.port)
        flow = _begun(session, path, given, f"{method}://{host}:{outside}/oidc/callback")
        if flow.state:
            raise ServerFailed(
                "Error authenticating: the role has another callback mode; give "
                "callbackmode=direct or callbackmode=device"
            )
        listener.expect(parse_qs(urlsplit(flow.url).query).get("state", [""])[0])
        invite(session, given, flow.url, "OpenID provider", flow.user_code)
        callback = listener.wait(PATIENCE)
        if callback is None:
            raise nobody_came()
        return _taken_to_server(session, path, flow, callback)


def _taken_to_server(session: Session, path: str, flow: _Flow, callback: "Callback") -> Reply:
    """Hand the server what the browser brought, and tell the browser how it ended."""
    fields = {name: value for name, value in callback.fields.items() if value}
    where = f"auth/{path}/oidc/callback"
    query = {**fields, "client_nonce": flow.nonce}
    try:
        if callback.posted:
            _forward(session, where, query)
            query.pop("id_token", None)
        reply = session.request("GET", where, params=query, doing="authenticating")
    except ServerFailed as failure:
        callback.answer("Login failed", _reason(failure), failed=True)
        raise
    callback.answer("You are logged in", "You can close this window and go back to the terminal.")
    return reply


def _forward(session: Session, where: str, query: dict[str, str]) -> None:
    """form_post: the server gets everything first, then it is asked as always. OpenBao keeps what
    it gets and refuses, since the redirect URI is not its own; the next answer tells."""
    with contextlib.suppress(Refused):
        session.request("POST", where, {**query}, doing="authenticating", wrap=False)


def _reason(failure: ServerFailed) -> str:
    """Why, below the title "Login failed"."""
    if isinstance(failure, Refused) and failure.reply is not None:
        return _FAILED.sub("", " ".join(failure.reply.errors))
    return str(failure)


def _polled(session: Session, path: str, flow: _Flow) -> Reply:
    body = {"state": flow.state, "client_nonce": flow.nonce}
    interval, end = flow.interval, time.monotonic() + PATIENCE
    while time.monotonic() < end:
        time.sleep(interval)
        try:
            return session.request("PUT", f"auth/{path}/oidc/poll", body, doing="authenticating")
        except Refused as refused:
            said = str(refused).rstrip()
            if said.endswith("slow_down"):
                interval += _SLOWER
            elif not said.endswith("authorization_pending"):
                raise
        except ServerFailed as failure:
            # it may be about to start again, which ends no login that goes on elsewhere
            session.output.note(f"{failure}\nThis tries again.")
            interval += _SLOWER
    raise nobody_came()
