"""A certificate for ``wardgate server -dev-tls``, made when the server starts.

As with `bao`, three files are there while the server runs: ``vault-ca.pem`` for the clients'
VAULT_CACERT, ``vault-cert.pem`` and ``vault-key.pem``. The authority's own key is never written
and is forgotten at once, so it certifies nothing else, ever.
"""

import contextlib
import datetime
import ipaddress
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wardgate.server.listeners import TlsConfig
from wardgate.server.pem import TlsError, pkcs8, write_new

VALIDITY = datetime.timedelta(days=365)
_SLACK = datetime.timedelta(minutes=1)
"""How far a client's clock may be behind."""
_NAMES = ("localhost", "localhost4", "localhost6", "localhost.localdomain", "127.0.0.1", "::1")
_FILES = ("vault-ca.pem", "vault-cert.pem", "vault-key.pem")


@dataclass(frozen=True, slots=True)
class DevTls:
    """What a dev server's listener needs, and the authority that its clients have to trust."""

    config: TlsConfig
    ca_file: Path


@contextlib.contextmanager
def dev_tls(host: str, now: float, directory: Path | None = None) -> Iterator[DevTls]:
    """Make the files, for this machine's own names and `host`, and remove them in the end.

    Without a `directory` they are in a temporary one; a given one is made if it is not there, and
    stays. `now` is in seconds since the epoch. Raises `TlsError` when they cannot be written.
    """
    with contextlib.ExitStack() as removed:
        if directory is None:
            temporary = tempfile.TemporaryDirectory(prefix="wardgate-tls-")
            directory = Path(removed.enter_context(temporary))
        else:
            _make_directory(directory)
        ca_file, cert_file, key_file = paths = [directory / name for name in _FILES]
        for path, content in zip(paths, _make(host, now), strict=True):
            removed.callback(path.unlink, missing_ok=True)
            write_new(path, content, 0o600 if path == key_file else 0o644)
        yield DevTls(TlsConfig(cert_file=cert_file, key_file=key_file), ca_file)


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise TlsError(f"-dev-tls-cert-dir cannot be made: {error.strerror}") from None


def _make(host: str, now: float) -> tuple[bytes, bytes, bytes]:
    """Authority, certificate and key as PEM."""
    start = datetime.datetime.fromtimestamp(now, datetime.UTC)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Wardgate Dev CA")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Wardgate dev server")])

    def builder(subject: x509.Name, owner: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        identifier = x509.SubjectKeyIdentifier.from_public_key(owner.public_key())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(owner.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start - _SLACK)
            .not_valid_after(start + VALIDITY)
            .add_extension(identifier, critical=False)
            .add_extension(issuer, critical=False)
        )

    authority = (
        builder(ca_name, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .sign(ca_key, SHA256())
    )
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        builder(name, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(server, critical=False)
        .add_extension(x509.SubjectAlternativeName(_alternative_names(host)), critical=False)
        .sign(ca_key, SHA256())
    )
    return authority.public_bytes(Encoding.PEM), certificate.public_bytes(Encoding.PEM), pkcs8(key)


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(host: str) -> list[x509.GeneralName]:
    names: dict[x509.GeneralName, None] = {}
    for name in (*_NAMES, socket.gethostname(), host):
        try:
            names[x509.IPAddress(ipaddress.ip_address(name))] = None
        except ValueError:
            with contextlib.suppress(ValueError):  # a host name may be anything, a DNS name not
                if name:
                    names[x509.DNSName(name)] = None
    return list(names)
