"""Certificates and keys of listeners."""

import contextlib
import datetime
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from wardgate.server.listeners import TlsConfig
from wardgate.server.pem import PrivateKey, TlsError
from wardgate.server.tls import load_tls

from .certificates import END, NOW, START, certificate, key_pem, write

EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
OTHER = ec.generate_private_key(ec.SECP384R1())
EC_PARAMETERS = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
PKCS8, TRADITIONAL = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL


def config(directory: Path, cert: bytes, key: bytes, ca: bytes | None = None) -> TlsConfig:
    return TlsConfig(
        cert_file=write(directory / "cert.pem", cert),
        key_file=write(directory / "key.pem", key),
        client_ca_file=None if ca is None else write(directory / "ca.pem", ca),
    )


@pytest.mark.parametrize("key", [EC, OTHER, RSA, ed25519.Ed25519PrivateKey.generate()])
def test_a_certificate_and_its_key_are_loaded(key: PrivateKey, tmp_path: Path) -> None:
    material = load_tls(config(tmp_path, certificate(key), key_pem(key, PKCS8)), NOW)
    assert material.warnings == ()
    assert material.expires == END.timestamp()


@pytest.mark.parametrize(
    ("key", "pem"),
    [
        (EC, key_pem(EC, TRADITIONAL)),
        (EC, EC_PARAMETERS + key_pem(EC, TRADITIONAL)),  # as openssl ecparam writes it
        (RSA, key_pem(RSA, TRADITIONAL)),
        (RSA, certificate(RSA) + key_pem(RSA, PKCS8)),  # one file for both
    ],
)
def test_keys_in_other_forms_are_loaded(key: PrivateKey, pem: bytes, tmp_path: Path) -> None:
    material = load_tls(config(tmp_path, certificate(key), pem), NOW)
    assert handshake(material.context) == "TLSv1.3"


def handshake(server: ssl.SSLContext) -> str | None:
    """Let a client that asks nothing connect; the version that was agreed on."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(back, there)
    other = server.wrap_bio(there, back, server_side=True)
    for each in (one, other, one, other):
        with contextlib.suppress(ssl.SSLWantReadError):
            each.do_handshake()
    return other.version()


DSA_KEY = dsa.generate_private_key(2048).private_bytes(Encoding.PEM, PKCS8, NoEncryption())
WEAK_KEY = key_pem(rsa.generate_private_key(65537, 1024), PKCS8)
P521_KEY = key_pem(ec.generate_private_key(ec.SECP521R1()), PKCS8)
DAMAGED_KEY = key_pem(EC, PKCS8).replace(b"MIG", b"MIH")
DAMAGED_CERTIFICATE = certificate(EC).replace(b"MIIB", b"MIIC")


@pytest.mark.parametrize(
    ("cert", "key", "problem"),
    [
        (certificate(OTHER), key_pem(EC, PKCS8), "tls_key_file does not belong to the certificate"),
        (
            certificate(OTHER) + certificate(EC),
            key_pem(EC, PKCS8),
            "tls_cert_file must begin with the server's certificate",
        ),
        (key_pem(EC, PKCS8), key_pem(EC, PKCS8), "tls_cert_file has no certificate in it"),
        (certificate(EC), certificate(EC), "tls_key_file has no private key in it"),
        (certificate(EC), b"\x30\x82", "tls_key_file has no private key in it"),
        (certificate(EC), key_pem(EC, PKCS8, b"password"), "tls_key_file is encrypted"),
        (certificate(EC), key_pem(EC, TRADITIONAL, b"password"), "tls_key_file is encrypted"),
        (certificate(EC), DAMAGED_KEY, "tls_key_file has a damaged private key"),
        (DAMAGED_CERTIFICATE, key_pem(EC, PKCS8), "tls_cert_file has a damaged certificate"),
        (certificate(EC), WEAK_KEY, "tls_key_file is an RSA key of less than 2048 bits"),
        (certificate(EC), P521_KEY, "tls_key_file is on an unsupported curve"),
        (certificate(EC), DSA_KEY, "tls_key_file is of an unsupported kind"),
        (certificate(EC), b"x" * 2_000_000, "tls_key_file is larger than"),
    ],
)
def test_what_cannot_be_served_is_refused(
    cert: bytes, key: bytes, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(TlsError, match=problem):
        load_tls(config(tmp_path, cert, key), NOW)


def test_files_that_cannot_be_read_are_named_by_their_setting(tmp_path: Path) -> None:
    given = config(tmp_path, certificate(EC), key_pem(EC, PKCS8), b"no certificate")
    with pytest.raises(TlsError, match="tls_client_ca_file has no certificate in it"):
        load_tls(given, NOW)
    given.key_file.unlink()
    with pytest.raises(TlsError, match="tls_key_file cannot be read: No such file") as error:
        load_tls(given, NOW)
    assert "key.pem" not in str(error.value)
    given.cert_file.unlink()
    given.cert_file.mkdir()
    with pytest.raises(TlsError, match="tls_cert_file cannot be read: Is a directory"):
        load_tls(given, NOW)


@pytest.mark.parametrize(
    ("now", "warning"),
    [
        (START - datetime.timedelta(seconds=1), "is not valid before 2026-01-01 00:00 UTC"),
        (START, None),
        (END - datetime.timedelta(days=31), None),
        (END - datetime.timedelta(days=30), "expires on 2026-07-01 00:00 UTC"),
        (END, "has expired on 2026-07-01 00:00 UTC"),
    ],
)
def test_a_certificate_out_of_its_time_is_warned_about(
    now: datetime.datetime, warning: str | None, tmp_path: Path
) -> None:
    given = config(tmp_path, certificate(EC), key_pem(EC, PKCS8))
    expected = () if warning is None else (f"certificate 1 in tls_cert_file {warning}",)
    assert load_tls(given, now.timestamp()).warnings == expected


def test_the_whole_chain_has_to_be_in_time(tmp_path: Path) -> None:
    soon = START + datetime.timedelta(days=80)
    chain = certificate(EC) + certificate(OTHER, soon)
    material = load_tls(config(tmp_path, chain, key_pem(EC, PKCS8)), NOW)
    assert material.expires == soon.timestamp()
    assert material.warnings == ("certificate 2 in tls_cert_file expires on 2026-03-22 00:00 UTC",)
