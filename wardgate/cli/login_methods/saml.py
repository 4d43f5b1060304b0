"""Logging in at a SAML identity provider, in a browser.

The browser ends up at the server, which shows who logs in and asks for a confirmation; this program
asks the server again and again until that is given. The settings are those of `vault login
-method=saml`, and ``acs_url`` and ``show_qr``.
"""

import base64
import hashlib
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from wardgate.cli.failure import Refused, ServerFailed
from wardgate.cli.login_methods.browser import (
    PATIENCE,
    SWITCHES,
    given_settings,
    invite,
    is_page,
    nobody_came,
)
from wardgate.cli.session import Session
from wardgate.client.reply import Reply

INTERVAL = 1.0  # seconds between two questions
_SLOWER = 5.0  # seconds more when the server gives no answer
_KNOWN = {"acs_url", "role", *SWITCHES}
_PENDING = "authorization_pending"
_BAD_REQUEST, _UNAUTHORIZED = 400, 401


def at_identity_provider(session: Session, words: Sequence[str], path: str) -> Reply:
    """Open the browser, unless ``skip_browser`` says not to, and wait for the login."""
    import secrets

    given = given_settings("saml", words, _KNOWN)
    session.use_token(None)
    verifier = secrets.token_urlsafe(32)
    body = {
        "role": given.get("role", ""),
        "acs_url": given.get("acs_url", ""),
        "client_challenge": base64.b64encode(hashlib.sha256(verifier.encode()).digest()).decode(),
        "client_type": "cli",
    }
    data = _begun(session, path, body).data or {}
    url, poll_id = str(data.get("sso_service_url") or ""), str(data.get("token_poll_id") or "")
    if not is_page(url) or not poll_id:
        raise ServerFailed("Error authenticating: the server's answer has no address of a page")
    invite(session, given, url, "identity provider")
    return _polled(session, path, {"token_poll_id": poll_id, "client_verifier": verifier})


def _begun(session: Session, path: str, body: dict[str, str]) -> Reply:
    """The login, once begun. A server that has several addresses for the answer wants to be told
    which: the one that this program knows it by is tried then."""
    where = f"auth/{path}/sso_service_url"
    try:
        return session.request("PUT", where, {**body}, doing="authenticating", wrap=False)
    except Refused as refused:
        if body["acs_url"] or "acs_url" not in str(refused):
            raise
    settings = session.settings
    if urlsplit(settings.address).scheme not in ("https", "http"):
        raise ServerFailed("Error authenticating: the server has several addresses: give acs_url")
    below = f"{settings.namespace.strip('/')}/" if settings.namespace else ""
    own = f"{settings.address.rstrip('/')}/v1/{below}auth/{path}/callback"
    try:
        return session.request(
            "PUT", where, {**body, "acs_url": own}, doing="authenticating", wrap=False
        )
    except Refused as refused:
        if "acs_url" not in str(refused):
            raise
        raise ServerFailed(
            "Error authenticating: the server has several addresses for the identity provider's"
            f" answer, and none is {own}\n\nGive acs_url=ADDRESS, one of acs_urls in"
            f" auth/{path}/config."
        ) from None


def _polled(session: Session, path: str, body: dict[str, str]) -> Reply:
    interval, end = INTERVAL, time.monotonic() + PATIENCE
    while time.monotonic() < end:
        time.sleep(interval)
        try:
            return session.request("PUT", f"auth/{path}/token", {**body}, doing="authenticating")
        except Refused as refused:
            # Vault answers 401 until the login has ended
            pending = refused.status == _BAD_REQUEST and str(refused).rstrip().endswith(_PENDING)
            if not pending and refused.status != _UNAUTHORIZED:
                raise
        except ServerFailed as failure:
            # it may be about to start again, which ends no login that goes on elsewhere
            session.output.note(f"{failure}\nThis tries again.")
            interval += _SLOWER
    raise nobody_came()
