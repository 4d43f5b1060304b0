"""Keys encrypted to people's OpenPGP keys (RFC 9580), so that nobody else sees them on the way.

A public key comes as the command line sends it: base64 of its binary form. It is tried out when it
is given: a key that nothing can be encrypted to is refused before anything has happened.
"""

import asyncio
import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from pysequoia import Cert, encrypt

from wardgate.errors import InvalidRequest

MOST_BYTES = 128 * 1024
"""Of one key; signatures of many people make keys long."""
MOST_BYTES_TOGETHER = 2 * 1024 * 1024

_PUBLIC_KEY = 6  # packet types, RFC 9580, section 5
_SECRET_KEY = 5


class PgpKey(msgspec.Struct, frozen=True):
    """A public key that can be encrypted to; the fingerprint is hexadecimal, in lower case."""

    data: bytes
    fingerprint: str

    def encrypt(self, plaintext: bytes) -> bytes:
        """A binary OpenPGP message that only the holder of the secret key can read."""
        message: bytes = encrypt(plaintext, recipients=[Cert.from_bytes(self.data)], armor=False)
        return message


async def read_pgp_keys(field: str, texts: Sequence[str], now: float) -> tuple[PgpKey, ...]:
    """The keys in `field`, each base64. `InvalidRequest` names the field and the first bad one."""
    if sum(map(len, texts)) > MOST_BYTES_TOGETHER:
        raise InvalidRequest(f"{field}: too long, give keys without the signatures of others")
    keys = []
    for number, text in enumerate(texts, 1):
        name = field if len(texts) == 1 else f"{field}: key {number}"
        keys.append(read_pgp_key(name, text, now))
        await asyncio.sleep(0)  # each takes a while, and others want to be served
    return tuple(keys)


async def encrypt_to(keys: Sequence[PgpKey], shares: Sequence[bytes]) -> list[bytes]:
    """Each share, in hexadecimal digits, as a message to the holder of the key in its place."""
    messages = []
    for key, share in zip(keys, shares, strict=True):
        messages.append(key.encrypt(share.hex().encode()))
        await asyncio.sleep(0)
    return messages


def read_pgp_key(field: str, text: str, now: float) -> PgpKey:
    """The key in `field`, base64. `InvalidRequest` says what is wrong with it."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest(f"{field}: must be a public PGP key in base64") from None
    if len(data) > MOST_BYTES:
        raise InvalidRequest(f"{field}: too long, give the key without the signatures of others")
    kind = _packet_type(data)
    if kind == _SECRET_KEY:
        raise InvalidRequest(f"{field}: is a secret key, which belongs to its owner alone")
    if kind != _PUBLIC_KEY:
        raise InvalidRequest(f"{field}: must be a public PGP key in its binary form, as base64")
    return _tried(field, data, now)


def _packet_type(data: bytes) -> int:
    if not data or not data[0] & 0x80:
        return 0
    return data[0] & 0x3F if data[0] & 0x40 else data[0] >> 2 & 0x0F


def _tried(field: str, data: bytes, now: float) -> PgpKey:
    try:
        cert = Cert.from_bytes(data)
        expires, revoked = cert.expiration, cert.is_revoked
        key = PgpKey(data, cert.fingerprint)
    except BaseException as error:
        raise _refused(error, f"{field}: is not one whole public PGP key") from None
    if revoked:
        raise InvalidRequest(f"{field}: is revoked")
    if expires is not None and expires <= datetime.fromtimestamp(now, UTC):
        raise InvalidRequest(f"{field}: has expired")
    try:
        key.encrypt(b"")
    except BaseException as error:
        raise _refused(
            error, f"{field}: cannot be encrypted to, it has no valid subkey for it"
        ) from None
    return key


def _refused(error: BaseException, message: str) -> BaseException:
    """What to raise for an error of the library, whose own messages show its inside. A panic there
    is no `Exception`."""
    if isinstance(error, KeyboardInterrupt | SystemExit | asyncio.CancelledError):
        return error
    return InvalidRequest(message)
