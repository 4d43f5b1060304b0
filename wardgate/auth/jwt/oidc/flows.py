"""Logins that have begun and not ended: what has to be known when somebody comes back.

They are in the storage, so that another process, or this one after a restart, can go on with them.
Strangers begin logins, so there is a table of `REGIONS` times `PER_REGION` places and nothing is ever
written beside it: a flood fills no disk. The client's network (its address; of an IPv6 address the
first 64 bits) decides on the region, by a hash that strangers cannot foresee, since it is keyed with
the mount's UUID. In a region a new login takes one of `TRIES` random places, a free one where there is
one, else the one whose login began first. So a flood from one network pushes out logins of that
network and of a sixteenth of all others, and everybody else notices nothing.

A login is over `LIFE` seconds after it began, when it succeeds, and when the configuration changes.
"""

import hashlib
import hmac
import ipaddress
import secrets

import msgspec

from wardgate.auth.jwt.claims import Identified
from wardgate.core.records import Codec
from wardgate.core.request import Request
from wardgate.core.storage import View

LIFE = 600.0
REGIONS = 16
PER_REGION = 512
TRIES = 4
LONGEST_CODE = 4096
"""Characters of a code from a provider that is stored until the login ends."""
_FOLDER = "flow/"
_PLACE = 4  # characters of a state that are the place: hexadecimal digits
_PREFIX = "st_"
_IPV6_NETWORK = 64  # bits that one customer has at least


class Flow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A login that has begun."""

    state: str
    """What the browser carries to the provider and back, and nobody can guess."""
    begun: float
    """Seconds since the epoch."""
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


async def begin(request: Request, flow: Flow) -> Flow:
    """Give a login its state and store it; `flow.state` is empty."""
    place = await _place(request)
    flow = msgspec.structs.replace(
        flow, state=f"{_PREFIX}{place:0{_PLACE}x}{secrets.token_urlsafe(32)}"
    )
    save(request.storage, flow)
    return flow


async def find(request: Request, state: str) -> Flow | None:
    """The login with this state, if it is not over by its age."""
    if not _is_state(state):
        return None
    flow = await request.storage.get(_key(state), FLOW)
    if flow is None or not hmac.compare_digest(flow.state.encode(), state.encode()):
        return None
    return flow if _lives(flow, request.time) else None


def save(storage: View, flow: Flow) -> None:
    """Store what is known of a login by now."""
    storage.put(_key(flow.state), flow, FLOW)


def end(storage: View, flow: Flow) -> None:
    """The login is over: its state is worth nothing any more."""
    storage.delete(_key(flow.state))


def new_secret() -> str:
    """A text that nobody can guess: 32 random bytes, good as nonce and as code verifier."""
    return secrets.token_urlsafe(32)


def _lives(flow: Flow, now: float) -> bool:
    return 0 <= now - flow.begun < LIFE


def _is_state(state: str) -> bool:
    start, end_ = len(_PREFIX), len(_PREFIX) + _PLACE
    return (
        state.isascii()
        and len(state) > end_
        and state.startswith(_PREFIX)
        and all(character in "0123456789abcdef" for character in state[start:end_])
    )


def _key(state: str) -> str:
    return _FOLDER + state[len(_PREFIX) : len(_PREFIX) + _PLACE]


async def _place(request: Request) -> int:
    """Where a new login goes."""
    first, place, oldest = _region(request) * PER_REGION, 0, float("inf")
    for _ in range(TRIES):
        candidate = first + secrets.randbelow(PER_REGION)
        flow = await request.storage.get(f"{_FOLDER}{candidate:0{_PLACE}x}", FLOW)
        if flow is None or not _lives(flow, request.time):
            return candidate
        if flow.begun < oldest:
            oldest, place = flow.begun, candidate
    return place


def _region(request: Request) -> int:
    key = request.mount.uuid.encode()
    network = _network(request.remote_address).encode()
    return hashlib.blake2b(network, key=key, digest_size=1).digest()[0] % REGIONS


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, _IPV6_NETWORK), strict=False))
