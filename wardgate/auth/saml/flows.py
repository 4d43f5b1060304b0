"""Logins that have begun and not ended, and assertions that have been used.

A login is over `LIFE` seconds after it began, when its token is given out, and when the configuration
changes. Its state is the RelayState that the browser carries; the request's ID is derived from it.
"""

import hashlib
import hmac

import msgspec

from wardgate.core.records import Codec
from wardgate.core.storage import View
from wardgate.framework.pending import Pending, PendingTable

LIFE = 600.0
_USED = "used/"
_DIGEST = 20  # bytes
_MOST_IN_BUCKET = 200
"""There are 256 buckets, and what is in one is as old as `LIFE` at most: enough for 80 logins a
second. Beyond that the oldest go; their logins are over by then, which refuses them as well."""


class Identified(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who has logged in at the provider, and may log in here by the role."""

    subject: str
    groups: tuple[str, ...] = ()
    role_digest: bytes
    """Of the role as it was then."""


class Flow(Pending, frozen=True, kw_only=True, omit_defaults=True):
    """A login that has begun."""

    written: str
    """The `Config.written` that it began with."""
    role: str
    acs_url: str
    challenge: bytes
    """SHA-256 of what only the program knows that began the login."""
    poll_secret: bytes
    """What a poll id has in it beside the state, which the browser and the provider know as well."""
    requester: str = ""
    """The address of whoever began the login."""
    identified: Identified | None = None
    confirmation: str = ""
    """What only the page knows that asks whoever logged in whether they began this."""
    confirmed: bool = False
    failure: str = ""
    """Why the login failed, for the program that asks."""

    @property
    def request_id(self) -> str:
        """The ID of the request that is sent to the provider."""
        return "_" + hashlib.blake2b(self.state.encode(), digest_size=20).hexdigest()

    @property
    def poll_id(self) -> str:
        """What the program asks for its token with."""
        return f"{self.state}.{self.poll_secret.hex()}"

    def is_poll_id(self, text: str) -> bool:
        """Whether `text` is the poll id."""
        return hmac.compare_digest(self.poll_id.encode(), text.encode())


FLOW: Codec[Flow] = Codec(Flow)
FLOWS = PendingTable(FLOW, "flow/", LIFE)


class _Used(msgspec.Struct, frozen=True):
    """Assertions that have been used: when, in seconds since the epoch, and a digest of each."""

    entries: tuple[tuple[float, bytes], ...] = ()


_USED_CODEC: Codec[_Used] = Codec(_Used)


async def use_once(storage: View, issuer: str, assertion_id: str, now: float) -> bool:
    """Note that an assertion is used; False when it was before. It is remembered for as long as a
    login that it could belong to."""
    digest = hashlib.blake2b(f"{issuer}\0{assertion_id}".encode(), digest_size=_DIGEST).digest()
    key = f"{_USED}{digest[:1].hex()}"
    found = await storage.get(key, _USED_CODEC) or _Used()
    entries = tuple(entry for entry in found.entries if 0 <= now - entry[0] < 2 * LIFE)
    if any(used == digest for _, used in entries):
        return False
    storage.put(key, _Used((*entries, (now, digest))[-_MOST_IN_BUCKET:]), _USED_CODEC)
    return True
