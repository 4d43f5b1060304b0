"""This server's own key pair at a mount: identity providers encrypt assertions to it.

It is made when the mount is configured for the first time, and signs nothing.
"""

from datetime import UTC, datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from wardgate.core.records import Codec
from wardgate.core.storage import View

_KEY = "own-key"
_BITS = 3072
_YEARS = timedelta(days=20 * 365)
"""Nobody trusts the certificate for its dates: it carries the key to where metadata is read."""


class OwnKey(msgspec.Struct, frozen=True):
    """The private key as PEM, and its certificate as DER."""

    private_pem: bytes
    certificate: bytes


OWN_KEY: Codec[OwnKey] = Codec(OwnKey)


async def own_key_of(storage: View) -> OwnKey | None:
    """The mount's key; None before it is configured."""
    return await storage.get(_KEY, OWN_KEY)


def save_own_key(storage: View, key: OwnKey) -> None:
    """Store the key."""
    storage.put(_KEY, key, OWN_KEY)


def new_own_key() -> OwnKey:
    """A new key pair; takes a good part of a second."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Wardgate SAML encryption")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _YEARS)
        .sign(private, hashes.SHA256())
    )
    return OwnKey(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        certificate.public_bytes(Encoding.DER),
    )
