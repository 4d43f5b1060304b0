"""Addresses of directories, and how TLS is spoken with them."""

import os
import ssl
import stat
import tempfile
from pathlib import Path

import pytest

from tests.server.certificates import Authority
from wardgate.auth.ldap import dialing
from wardgate.auth.ldap.config import Config
from wardgate.auth.ldap.dialing import Address, Dialer, addresses, tls_context
from wardgate.auth.ldap.effort import DirectoryFailed, Effort


def test_addresses_are_in_order_with_the_usual_ports() -> None:
    assert addresses("ldap://a, ldaps://b,ldap://10.0.0.1:3389/,ldaps://[fd00::1]:7") == [
        Address("a", 389, False),
        Address("b", 636, True),
        Address("10.0.0.1", 3389, False),
        Address("fd00::1", 7, True),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a",
        "ldap://",
        "ldapi:///socket",
        "https://a",
        "ldap://a/dc=x",
        "ldap://a?x",
        "ldap://u@a",
        "ldap://u:p@a",
        "ldap://a:x",
        "ldap://a:99999",
        "ldap://a:0",
        "ldap://a,,ldap://b",
        "ldap://a b",
        "ldap://a\n",
        "ldap://[fd00::1",
        "cldap://a",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        addresses(url)


def test_certificates_and_names_are_checked_unless_that_is_turned_off(tmp_path: Path) -> None:
    ca = Authority(tmp_path).ca_file.read_text()
    context = tls_context(Config(certificate=ca))
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert len(context.get_ca_certs()) == 1
    context = tls_context(Config(insecure_tls=True))
    assert (context.check_hostname, context.verify_mode) == (False, ssl.CERT_NONE)


@pytest.mark.parametrize(
    ("earliest", "latest"), [("tls12", "tls12"), ("tls10", "tls13"), ("tls13", "tls13")]
)
def test_versions_are_those_that_are_set(earliest: str, latest: str) -> None:
    context = tls_context(Config(tls_min_version=earliest, tls_max_version=latest))
    names = {"tls10": "TLSv1", "tls12": "TLSv1_2", "tls13": "TLSv1_3"}
    assert (context.minimum_version.name, context.maximum_version.name) == (
        names[earliest],
        names[latest],
    )


@pytest.mark.parametrize("in_memory", [True, False])
def test_the_key_of_the_client_is_in_no_file_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_memory: bool
) -> None:
    client = Authority(tmp_path).issue("client")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create")
    with dialing._file("secret") as path:
        assert Path(path).read_text() == "secret"
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600 or in_memory
        assert [*(tmp_path / "temporary").iterdir()] == ([] if in_memory else [Path(path)])
    tls_context(
        Config(
            client_tls_cert=client.cert_file.read_text(),
            client_tls_key=client.key_file.read_text(),
        )
    )
    assert [*(tmp_path / "temporary").iterdir()] == []


@pytest.mark.parametrize("text", ["x", "ä", "-----BEGIN CERTIFICATE-----"])
def test_what_is_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="certificate"):
        tls_context(Config(certificate=text))


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    client = Authority(tmp_path).issue("client")
    key = load_pem_private_key(client.key_file.read_bytes(), None)
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    with pytest.raises(ValueError, match="client"):
        tls_context(
            Config(client_tls_cert=client.cert_file.read_text(), client_tls_key=encrypted.decode())
        )


def test_an_address_that_did_not_answer_is_tried_last_for_a_while() -> None:
    dialer = Dialer(Config(url="ldap://127.0.0.1:1,ldap://127.0.0.1:2"))
    first, second = dialer._addresses
    assert dialer._in_turn() == [first, second]
    with pytest.raises(DirectoryFailed, match="refused"):
        dialer.dial(Effort(5))
    assert dialer._in_turn() == [first, second]  # neither answers: the order is the configured one
    del dialer._resting[second]
    assert dialer._in_turn() == [second, first]
    dialer._resting[first] -= dialing.REST
    assert dialer._in_turn() == [first, second]


def test_a_login_without_time_left_dials_nobody() -> None:
    with pytest.raises(DirectoryFailed, match="not answered within 0 s"):
        Dialer(Config(url="ldap://127.0.0.1:1")).dial(Effort(0))
