"""Certificate authorities and certificates, made when the tests run."""

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """The files of a certificate and its key, and the number that tells it from others."""

    cert_file: Path
    key_file: Path
    serial: int

    def server_context(self) -> ssl.SSLContext:
        """How a server of these tests shows it."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.cert_file, self.key_file)
        return context

    def listener(self, port: int, *lines: str) -> str:
        """A listener block that serves with it."""
        settings = [
            f'address = "127.0.0.1:{port}"',
            f'tls_cert_file = "{self.cert_file}"',
            f'tls_key_file = "{self.key_file}"',
            *lines,
        ]
        return 'listener "tcp" {\n' + "\n".join(settings) + "\n}"


class Authority:
    """Signs certificates. Its own is in `ca_file`."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        certificate = _builder(self._name, self._name, self._key).add_extension(constraints, True)
        self.ca_file = folder / f"{name}.pem"
        self.ca_file.write_bytes(_pem(certificate.sign(self._key, SHA256())))

    def issue(self, name: str, days: int = 90) -> Certificate:
        """A certificate for 127.0.0.1 that ends in so many days, in ``NAME.pem`` and
        ``NAME-key.pem``; one that was there is replaced."""
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName(
            [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        )
        certificate = (
            _builder(_named(name), self._name, key, days)
            .add_extension(address, False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
            .sign(self._key, SHA256())
        )
        cert_file, key_file = self._folder / f"{name}.pem", self._folder / f"{name}-key.pem"
        cert_file.write_bytes(_pem(certificate))
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return Certificate(cert_file, key_file, certificate.serial_number)

    def trusting(self, client: Certificate | None = None) -> ssl.SSLContext:
        """How a client connects that trusts this authority, with a certificate of its own or not."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        if client is not None:
            context.load_cert_chain(client.cert_file, client.key_file)
        return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int = 90
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + days * _DAY)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
