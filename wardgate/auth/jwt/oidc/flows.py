"""Logins that have begun and not ended: what has to be known when somebody comes back.

A login is over `LIFE` seconds after it began, when it succeeds, and when the configuration changes.
"""

from wardgate.auth.jwt.claims import Identified
from wardgate.core.records import Codec
from wardgate.framework.pending import Pending, PendingTable

LIFE = 600.0
LONGEST_CODE = 4096
"""Characters of a code from a provider that is stored until the login ends."""


class Flow(Pending, frozen=True, kw_only=True, omit_defaults=True):
    """A login that has begun. Its state is what the browser carries to the provider and back."""

    written: str
    """The `Config.written` that it began with."""
    role: str
    mode: str
    """The role's callback_mode."""
    nonce: str = ""
    """What the ID token has to have in it; empty for a device, where no browser carries it."""
    verifier: str = ""
    """The code verifier of PKCE (RFC 7636)."""
    redirect_uri: str = ""
    client_nonce: str = ""
    """What only the program knows that began the login."""
    requester: str = ""
    """The address of whoever began the login."""
    max_age: int = 0
    device_code: str = ""
    interval: int = 0
    """Seconds that a device is to wait between two polls."""
    polled: float = 0.0
    """When the provider was last asked for a device's tokens, in seconds since the epoch."""
    code: str = ""
    """The authorization code that came by form_post."""
    id_token: str = ""
    """The ID token that came by form_post; checked."""
    confirmation: str = ""
    """What only the confirmation page after a form_post knows, so only the browser that posted."""
    identified: Identified | None = None
    """Who has logged in; the program has not asked yet."""
    role_digest: bytes = b""
    """Of the role by which `identified` was let in."""
    failure: str = ""
    """Why the login failed, for the program that asks."""


FLOW: Codec[Flow] = Codec(Flow)
FLOWS = PendingTable(FLOW, "flow/", LIFE)
