"""A listener with TLS: who can connect to it and who cannot."""

import http.client
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.api import Api, tcp, tls
from tests.server.certificates import Authority, Certificate
from tests.server_process import MEMORY_STORAGE, refused, serving, write_config
from tests.servers import free_port

REFUSED = (OSError, http.client.HTTPException)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@contextmanager
def server(folder: Path, certificate: Certificate, *lines: str) -> Iterator[int]:
    """The port of a server with these settings in its listener."""
    port = free_port()
    config = write_config(folder, MEMORY_STORAGE, certificate.listener(port, *lines))
    with serving(config, folder=folder):
        yield port


def ask(port: int, context: ssl.SSLContext) -> int:
    with Api(tls(port, context)) as api:
        return api.get("sys/seal-status").status


def test_a_client_that_trusts_the_authority_is_served(tmp_path: Path, authority: Authority) -> None:
    with server(tmp_path, authority.issue("server")) as port:
        assert ask(port, authority.trusting()) == 200
        assert ask(port, _only(authority, ssl.TLSVersion.TLSv1_2)) == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(port, Authority(tmp_path, "other").trusting())


def test_plain_http_is_not_answered(tmp_path: Path, authority: Authority) -> None:
    with server(tmp_path, authority.issue("server")) as port:
        with Api(tcp(port)) as api, pytest.raises(REFUSED):
            api.get("sys/seal-status")
        assert ask(port, authority.trusting()) == 200


def test_an_older_version_than_the_oldest_allowed_is_refused(
    tmp_path: Path, authority: Authority
) -> None:
    with server(tmp_path, authority.issue("server"), 'tls_min_version = "tls13"') as port:
        with pytest.raises(ssl.SSLError):
            ask(port, _only(authority, ssl.TLSVersion.TLSv1_2))
        assert ask(port, _only(authority, ssl.TLSVersion.TLSv1_3)) == 200


def test_clients_need_a_certificate_where_it_is_required(
    tmp_path: Path, authority: Authority
) -> None:
    stranger = Authority(tmp_path, "stranger").issue("stranger")
    friend = authority.issue("friend")
    settings = (
        f'tls_client_ca_file = "{authority.ca_file}"',
        "tls_require_and_verify_client_cert = true",
    )
    with server(tmp_path, authority.issue("server"), *settings) as port:
        assert ask(port, authority.trusting(friend)) == 200
        with pytest.raises(REFUSED):
            ask(port, authority.trusting())
        with pytest.raises(REFUSED):
            ask(port, authority.trusting(stranger))
        assert ask(port, authority.trusting(friend)) == 200


def test_a_certificate_without_its_key_is_refused(tmp_path: Path, authority: Authority) -> None:
    certificate, other = authority.issue("server"), authority.issue("other")
    mixed = Certificate(certificate.cert_file, other.key_file, certificate.serial)
    config = write_config(tmp_path, MEMORY_STORAGE, mixed.listener(free_port()))

    said = refused(config, folder=tmp_path)

    assert said == "Error: tls_key_file does not belong to the certificate in tls_cert_file\n"


def test_the_dev_server_makes_its_own_certificate(tmp_path: Path) -> None:
    port = free_port()
    flags = [f"-dev-listen-address=127.0.0.1:{port}", f"-dev-tls-cert-dir={tmp_path}"]
    with serving("-dev-tls", *flags, folder=tmp_path) as process:
        context = ssl.create_default_context(cafile=str(tmp_path / "vault-ca.pem"))
        assert ask(port, context) == 200
        assert f"export VAULT_ADDR='https://127.0.0.1:{port}'" in process.output
        assert f"export VAULT_CACERT='{tmp_path / 'vault-ca.pem'}'" in process.output
    assert not list(tmp_path.glob("vault-*.pem"))


def _only(authority: Authority, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = authority.trusting()
    context.minimum_version = context.maximum_version = version
    return context
