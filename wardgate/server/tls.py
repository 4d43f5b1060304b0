"""Loads and checks a listener's certificate and key, and makes of them what connections use."""

import datetime
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wardgate.server.listeners import TlsConfig, TlsVersion
from wardgate.server.pem import PrivateKey, TlsError, read_certificates, read_private_key

EXPIRY_WARNING = datetime.timedelta(days=30)
"""How long before its end a certificate is warned about."""

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; those of 1.3 are all good
_VERSIONS = {
    TlsVersion.TLS12: ssl.TLSVersion.TLSv1_2,
    TlsVersion.TLS13: ssl.TLSVersion.TLSv1_3,
}


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """What a listener's new connections are encrypted with. `expires` is when the first of its
    certificates ends, in seconds since the epoch."""

    context: ssl.SSLContext
    expires: float
    warnings: tuple[str, ...]


def load_tls(config: TlsConfig, now: float) -> TlsMaterial:
    """Load what `config` names and check it at the time `now` (seconds since the epoch).

    Raises `TlsError` when a file cannot be read, is no PEM, or the key is not the certificate's. A
    certificate out of its time is only warned about, as the server may have to start to mend it.
    """
    chain = read_certificates(config.cert_file, "tls_cert_file")
    key = read_private_key(config.key_file, "tls_key_file")
    if _public(chain[0]) != _public(key):
        if any(_public(certificate) == _public(key) for certificate in chain):
            raise TlsError("tls_cert_file must begin with the server's certificate; reorder it")
        raise TlsError("tls_key_file does not belong to the certificate in tls_cert_file")
    if config.client_ca_file is not None:
        read_certificates(config.client_ca_file, "tls_client_ca_file")
    return TlsMaterial(
        _context(config),
        min(certificate.not_valid_after_utc for certificate in chain).timestamp(),
        tuple(_timely(chain, datetime.datetime.fromtimestamp(now, datetime.UTC))),
    )


def _context(config: TlsConfig) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[config.min_version]
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(config.cert_file, config.key_file)
        if config.require_client_certificate:
            context.load_verify_locations(config.client_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError):
        raise TlsError("the files of the certificate were changed while they were read") from None
    return context


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
