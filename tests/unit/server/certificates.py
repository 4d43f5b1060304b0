"""Makes certificates and keys for the tests, in files."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from wardgate.server.pem import PrivateKey

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
END = datetime.datetime(2026, 7, 1, tzinfo=datetime.UTC)
NOW = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC).timestamp()


def certificate(key: PrivateKey, end: datetime.datetime = END) -> bytes:
    """A self-signed certificate for localhost as PEM, valid from `START`."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(START)
        .not_valid_after(end)
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256())
        .public_bytes(Encoding.PEM)
    )


def key_pem(key: PrivateKey, form: PrivateFormat, password: bytes | None = None) -> bytes:
    encryption: KeySerializationEncryption = NoEncryption()
    if password is not None:
        encryption = BestAvailableEncryption(password)
    return key.private_bytes(Encoding.PEM, form, encryption)


def write(path: Path, *contents: bytes) -> Path:
    path.write_bytes(b"".join(contents))
    return path
