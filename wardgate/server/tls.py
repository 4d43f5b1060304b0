"""Loads and checks a listener's certificate and key, and hands them on as the server needs them.

The HTTP server reads both from files, in its workers, and takes keys in PKCS#8 PEM only. Keys in
the older PKCS#1 and SEC 1 forms (``BEGIN RSA PRIVATE KEY``, ``BEGIN EC PRIVATE KEY``) are therefore
converted into a private file for as long as the server runs.
"""

import contextlib
import datetime
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wardgate.server.listeners import TlsConfig
from wardgate.server.pem import (
    PrivateKey,
    TlsError,
    pkcs8,
    read_certificates,
    read_private_key,
    write_new,
)

EXPIRY_WARNING = datetime.timedelta(days=30)
"""How long before its end a certificate is warned about."""


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """A certificate and key that belong together. `expires` is in seconds since the epoch."""

    config: TlsConfig
    expires: float
    warnings: tuple[str, ...]
    _key: PrivateKey = field(repr=False)
    _key_file_fits: bool

    @contextlib.contextmanager
    def served_key(self) -> Iterator[Path]:
        """The file of the key in PKCS#8, to be given to the HTTP server within this context.

        It is the configured file where that will do. Otherwise it is a copy with mode 0600 in a
        directory of its own with mode 0700, and both are removed when the context ends; only a
        killed process leaves them behind, in the directory for temporary files. Raises `TlsError`
        when the copy cannot be written.
        """
        if self._key_file_fits:
            yield self.config.key_file
            return
        with tempfile.TemporaryDirectory(prefix="wardgate-tls-") as directory:
            path = Path(directory, "key.pem")
            write_new(path, pkcs8(self._key))
            yield path


def load_tls(config: TlsConfig, now: float) -> TlsMaterial:
    """Load what `config` names and check it at the time `now` (seconds since the epoch).

    Raises `TlsError` when a file cannot be read, is no PEM, or the key is not the certificate's. A
    certificate out of its time is only warned about, as the server may have to start to mend it.
    """
    chain = read_certificates(config.cert_file, "tls_cert_file")
    key, fits = read_private_key(config.key_file, "tls_key_file")
    if _public(chain[0]) != _public(key):
        if any(_public(certificate) == _public(key) for certificate in chain):
            raise TlsError("tls_cert_file must begin with the server's certificate; reorder it")
        raise TlsError("tls_key_file does not belong to the certificate in tls_cert_file")
    if config.client_ca_file is not None:
        read_certificates(config.client_ca_file, "tls_client_ca_file")
    return TlsMaterial(
        config,
        min(certificate.not_valid_after_utc for certificate in chain).timestamp(),
        tuple(_timely(chain, datetime.datetime.fromtimestamp(now, datetime.UTC))),
        key,
        fits,
    )


def _public(holder: x509.Certificate | PrivateKey) -> bytes:
    try:
        key = holder.public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        raise TlsError("tls_cert_file has a public key of an unsupported kind in it") from None


def _timely(chain: list[x509.Certificate], now: datetime.datetime) -> Iterator[str]:
    for number, certificate in enumerate(chain, start=1):
        name = f"certificate {number} in tls_cert_file"
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if now < start:
            yield f"{name} is not valid before {start:%Y-%m-%d %H:%M} UTC"
        elif now >= end:
            yield f"{name} has expired on {end:%Y-%m-%d %H:%M} UTC"
        elif now >= end - EXPIRY_WARNING:
            yield f"{name} expires on {end:%Y-%m-%d %H:%M} UTC"
