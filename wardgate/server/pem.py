"""Reads and writes PEM files: certificates, and private keys in any of their usual forms."""

import os
import re
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from wardgate.errors import WardgateError

MAX_PEM_BYTES = 1024 * 1024
MIN_RSA_BITS = 2048

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_CURVES = (ec.SECP256R1.name, ec.SECP384R1.name)
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


class TlsError(WardgateError):
    """TLS material that cannot be served with. The message names the configuration's key; paths
    and contents are left out, since a key may have been put where its path belongs.
    """


def read_certificates(path: Path, setting: str) -> list[x509.Certificate]:
    """All certificates in a PEM file, in order; at least one. `setting` is named in errors."""
    blocks = [block for kind, block in _blocks(path, setting) if kind == b"CERTIFICATE"]
    if not blocks:
        raise TlsError(f"{setting} has no certificate in it; it must be a PEM file")
    try:
        return [x509.load_pem_x509_certificate(block) for block in blocks]
    except ValueError:
        raise TlsError(f"{setting} has a damaged certificate in it") from None


def read_private_key(path: Path, setting: str) -> PrivateKey:
    """The first private key in a PEM file."""
    blocks = _blocks(path, setting)
    keys = [(kind, block) for kind, block in blocks if kind.endswith(b"PRIVATE KEY")]
    if not keys:
        raise TlsError(f"{setting} has no private key in it; it must be a PEM file")
    kind, block = keys[0]
    if kind.startswith(b"ENCRYPTED") or b"Proc-Type: 4,ENCRYPTED" in block:
        raise TlsError(f"{setting} is encrypted; decrypt it, for example with openssl pkey")
    try:
        key = load_pem_private_key(block, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise TlsError(f"{setting} has a damaged private key in it") from None
    return _supported(key, setting)


def pkcs8(key: PrivateKey) -> bytes:
    """The key as unencrypted PKCS#8 PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write_new(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file, by default one that only this user can read. What was there is replaced, and
    a link there is not followed. Raises `TlsError`.
    """
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as file:
            file.write(content)
    except OSError as error:
        raise TlsError(f"a file for TLS cannot be written: {error.strerror}") from None


def _supported(key: object, setting: str) -> PrivateKey:
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
        raise TlsError(f"{setting} is an RSA key of less than {MIN_RSA_BITS} bits")
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name not in _CURVES:
        raise TlsError(f"{setting} is on an unsupported curve; use P-256 or P-384")
    if not isinstance(key, PrivateKey):
        raise TlsError(f"{setting} is of an unsupported kind; use RSA, ECDSA or Ed25519")
    return key


def _blocks(path: Path, setting: str) -> list[tuple[bytes, bytes]]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_PEM_BYTES + 1)
    except OSError as error:
        raise TlsError(f"{setting} cannot be read: {error.strerror}") from None
    if len(content) > MAX_PEM_BYTES:
        raise TlsError(f"{setting} is larger than {MAX_PEM_BYTES} bytes")
    return [(match[1], match[0]) for match in _BLOCK.finditer(content)]
