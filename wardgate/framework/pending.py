"""What strangers have begun and not ended, as logins that go on elsewhere: what has to be known when
somebody comes back.

It is in the storage, so that another process, or this one after a restart, can go on with it.
Since anybody may begin, there is a table of `REGIONS` times `PER_REGION` places for each mount and
nothing is ever written beside it: a flood fills no disk. The client's network (its address; of an IPv6
address the first 48 bits) decides on the region, by a hash that strangers cannot foresee, since it is
keyed with the mount's UUID. In a region a new one takes one of `TRIES` random places, a free one where
there is one, else that of the one that began first. So a flood from one network pushes out what that
network and a sixteenth of all others have begun; nobody else notices it. One from very many networks (a
hundred are in nearly every region) pushes out what everybody has begun, within seconds: rate limits,
which count for each address, make that slower.
"""

import hashlib
import hmac
import ipaddress
import secrets
from typing import Generic, TypeVar

import msgspec

from wardgate.core.records import Codec
from wardgate.core.request import Request
from wardgate.core.storage import View

REGIONS = 16
PER_REGION = 512
TRIES = 4
_PREFIX = "st_"
_PLACE = 4  # characters of a state that are the place: hexadecimal digits
_IPV6_NETWORK = 48  # bits: whoever has a connection of their own has the rest to choose from


class Pending(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that has begun. What is to be known of it, subclasses add."""

    state: str = ""
    """Its name, which comes back with whoever goes on with it; nobody can guess it."""
    begun: float
    """Seconds since the epoch."""


P = TypeVar("P", bound=Pending)


class PendingTable(Generic[P]):
    """All of one kind that has begun at a mount, in `folder` of its storage. One is over `life`
    seconds after it began, or when `end` says so."""

    def __init__(self, codec: Codec[P], folder: str, life: float) -> None:
        self._codec = codec
        self._folder = folder
        self._life = life

    async def begin(self, request: Request, pending: P) -> P:
        """Give it its state, which is empty as yet, and store it."""
        place = await self._place(request)
        state = f"{_PREFIX}{place:0{_PLACE}x}{new_secret()}"
        pending = msgspec.structs.replace(pending, state=state)
        self.save(request.storage, pending)
        return pending

    async def find(self, request: Request, state: str) -> P | None:
        """What has this state, if it is not over by its age."""
        if not _is_state(state):
            return None
        found = await request.storage.get(self._key(state), self._codec)
        if found is None or not hmac.compare_digest(found.state.encode(), state.encode()):
            return None
        return found if self._lives(found, request.time) else None

    def save(self, storage: View, pending: P) -> None:
        """Store what is known of it by now."""
        storage.put(self._key(pending.state), pending, self._codec)

    def end(self, storage: View, pending: P) -> None:
        """It is over: its state is worth nothing any more."""
        storage.delete(self._key(pending.state))

    def _lives(self, pending: P, now: float) -> bool:
        return 0 <= now - pending.begun < self._life

    def _key(self, state: str) -> str:
        return self._folder + state[len(_PREFIX) : len(_PREFIX) + _PLACE]

    async def _place(self, request: Request) -> int:
        """Where a new one goes."""
        first, place, oldest = _region(request) * PER_REGION, 0, float("inf")
        for _ in range(TRIES):
            candidate = first + secrets.randbelow(PER_REGION)
            key = f"{self._folder}{candidate:0{_PLACE}x}"
            found = await request.storage.get(key, self._codec)
            if found is None or not self._lives(found, request.time):
                return candidate
            if found.begun < oldest:
                oldest, place = found.begun, candidate
        return place


def new_secret() -> str:
    """A text that nobody can guess: 32 random bytes, good as nonce and as code verifier."""
    return secrets.token_urlsafe(32)


def _is_state(state: str) -> bool:
    start, end = len(_PREFIX), len(_PREFIX) + _PLACE
    return (
        state.isascii()
        and len(state) > end
        and state.startswith(_PREFIX)
        and all(character in "0123456789abcdef" for character in state[start:end])
    )


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
