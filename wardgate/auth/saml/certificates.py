"""The certificates of identity providers, and what their keys have to be like."""

import base64
import binascii
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

_SHORTEST_RSA = 2048  # bits
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_MOST = 10
"""Certificates of one provider: each may have to be tried for a signature."""
_SOON = timedelta(days=30)
_BLOCK = re.compile(
    "-----BEGIN ((?:X509 )?CERTIFICATE)-----[A-Za-z0-9+/=\\s]*-----END \\1-----\\n?"
)


class NotCertificates(ValueError):
    """PEM text has something else beside certificates, which may be a secret."""


def only_certificates(text: str) -> str:
    """PEM text without the words around its certificates, as openssl writes them. Raises
    `NotCertificates` when it has other blocks, such as a private key."""
    around = _BLOCK.sub("", text)
    if "-----" in around or "PRIVATE KEY" in around:
        raise NotCertificates
    blocks = [block[0].rstrip() + "\n" for block in _BLOCK.finditer(text)]
    return "".join(blocks) if around.strip() and blocks else text


def from_pem(text: str) -> tuple[bytes, ...]:
    """All certificates in PEM text, as DER. Raises `ValueError` for none, or unusable ones."""
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except UnsupportedAlgorithm as error:
        raise ValueError("a certificate has a key of an unknown kind") from error
    return _checked(found)


def from_base64(texts: Iterable[str]) -> tuple[bytes, ...]:
    """The certificates that metadata has: base64 of DER. Raises `ValueError` for none that is
    usable."""
    found = []
    for text in texts:
        try:
            data = base64.b64decode("".join(text.split()), validate=True)
            found.append(x509.load_der_x509_certificate(data))
        except (binascii.Error, ValueError, UnsupportedAlgorithm):
            raise ValueError("a certificate cannot be read") from None
    return _checked(found)


def loaded(certificates: Iterable[bytes]) -> tuple[x509.Certificate, ...]:
    """The certificates, which are DER."""
    return tuple(x509.load_der_x509_certificate(each) for each in certificates)


def warnings(certificates: Iterable[bytes], now: float) -> list[str]:
    """What is to be said of the times of certificates, which are DER. `now` is in seconds since the
    epoch."""
    moment = datetime.fromtimestamp(now, UTC)
    found = []
    for certificate in loaded(certificates):
        why = unusable(certificate, now)
        if why:
            found.append(f"{why}: what its key signs is refused")
        elif certificate.not_valid_after_utc - moment < _SOON:
            end = _shown(certificate.not_valid_after_utc)
            found.append(f"a certificate expires on {end}: what its key signs is refused then")
    return found


def unusable(certificate: x509.Certificate, now: float) -> str:
    """Why nothing is trusted now that the certificate's key signs; empty when it may be. `now` is in
    seconds since the epoch."""
    moment = datetime.fromtimestamp(now, UTC)
    if moment > certificate.not_valid_after_utc:
        return f"a certificate has expired on {_shown(certificate.not_valid_after_utc)}"
    if moment < certificate.not_valid_before_utc:
        start = _shown(certificate.not_valid_before_utc)
        return f"a certificate is not valid before {start}"
    return ""


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _checked(found: list[x509.Certificate]) -> tuple[bytes, ...]:
    if not 0 < len(found) <= _MOST:
        raise ValueError(f"there must be from 1 to {_MOST} certificates")
    for certificate in found:
        try:
            key = certificate.public_key()
        except (UnsupportedAlgorithm, ValueError):
            raise ValueError("a certificate has a key of an unknown kind") from None
        strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SHORTEST_RSA) or (
            isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES
        )
        if not strong:
            raise ValueError(
                f"a certificate's key is neither RSA of {_SHORTEST_RSA} bits or more nor on the"
                " curves P-256, P-384 or P-521"
            )
    return tuple(dict.fromkeys(each.public_bytes(Encoding.DER) for each in found))
