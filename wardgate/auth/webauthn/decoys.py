"""Keys that do not exist, for names that nobody has.

Whoever begins a login for a name is told the ids of that user's keys. For a name without keys the
answer has one or two that follow from the name by a hash with the mount's secret: the same each time,
of the lengths and with the transports that common authenticators have.

The last bytes of a made-up id are a hash of those before it, so that the mount, and nobody else, knows
one again: it can no more be registered than the id of somebody's key.
"""

import hashlib
import hmac

from wardgate.auth.webauthn.config import Config
from wardgate.auth.webauthn.options import descriptor
from wardgate.core.request import JsonMap

_KINDS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (20, ("hybrid", "internal")),  # bytes of the id: Apple's passkeys
    (16, ("hybrid", "internal")),  # Google's
    (32, ("internal",)),  # Windows Hello
    (48, ("nfc", "usb")),  # security keys
    (64, ("usb",)),
    (64, ()),  # registered with a browser that does not tell
)
_WITH_TWO = 64  # of 256 names
_MARK = 8  # bytes: one of 2**64 ids of real keys looks made up


def decoys(config: Config, name: str) -> list[JsonMap]:
    """What the answer for `name` says instead of keys."""
    count = 2 if _hash(config, name, "count")[0] < _WITH_TWO else 1
    return [_decoy(config, name, str(number)) for number in range(count)]


def is_decoy(config: Config, credential_id: bytes) -> bool:
    """Whether this mount has made up the id, or might."""
    rest, mark = credential_id[:-_MARK], credential_id[-_MARK:]
    return hmac.compare_digest(_mark(config, rest), mark)


def _decoy(config: Config, name: str, number: str) -> JsonMap:
    length, transports = _KINDS[_hash(config, name, f"kind {number}")[0] % len(_KINDS)]
    rest = _hash(config, name, f"id {number}")[: length - _MARK]
    return descriptor(rest + _mark(config, rest), transports)


def _mark(config: Config, rest: bytes) -> bytes:
    key = config.secret
    return hashlib.blake2b(rest, key=key, digest_size=_MARK, person=b"decoy mark").digest()


def _hash(config: Config, name: str, what: str) -> bytes:
    text = f"{what}\0{name}".encode()
    return hashlib.blake2b(text, key=config.secret, digest_size=64, person=b"decoy").digest()
