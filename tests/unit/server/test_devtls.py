"""The certificate of ``wardgate server -dev-tls``."""

import ssl
import stat
import time
from pathlib import Path

import pytest

from wardgate.server.devtls import DevTls, dev_tls
from wardgate.server.pem import TlsError
from wardgate.server.tls import load_tls


def handshake(made: DevTls, hostname: str) -> str | None:
    """Shake hands in memory, the client trusting nothing but the dev authority."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(made.config.cert_file, made.config.key_file)
    client_context = ssl.create_default_context(cafile=str(made.ca_file))
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=hostname)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client.version()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "vault.test", "192.0.2.7"])
def test_clients_that_trust_the_authority_trust_the_server(host: str) -> None:
    with dev_tls(host, time.time()) as made:
        assert handshake(made, host) == "TLSv1.3"
        assert handshake(made, "localhost") == "TLSv1.3"
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(made, "elsewhere.test")


def test_the_material_passes_the_checks_of_any_listener() -> None:
    now = time.time()
    with dev_tls("", now) as made:
        material = load_tls(made.config, now)
        assert material.warnings == ()


def test_the_files_are_gone_in_the_end() -> None:
    with dev_tls("127.0.0.1", time.time()) as made:
        directory = made.ca_file.parent
        assert stat.S_IMODE(made.config.key_file.stat().st_mode) == 0o600
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert sorted(path.name for path in directory.iterdir()) == [
            "vault-ca.pem",
            "vault-cert.pem",
            "vault-key.pem",
        ]
    assert not directory.exists()


def test_a_given_directory_is_made_and_kept(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "tls"
    with dev_tls("127.0.0.1", time.time(), directory) as made:
        assert made.ca_file == directory / "vault-ca.pem"
    assert list(directory.iterdir()) == []


def test_files_left_behind_are_replaced_and_links_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("precious")
    (tmp_path / "vault-key.pem").symlink_to(target)
    (tmp_path / "vault-ca.pem").write_text("old")
    with dev_tls("127.0.0.1", time.time(), tmp_path) as made:
        assert handshake(made, "localhost")
    assert target.read_text() == "precious"


def test_every_start_makes_another_authority() -> None:
    with dev_tls("", time.time()) as one, dev_tls("", time.time()) as other:
        assert one.ca_file.read_bytes() != other.ca_file.read_bytes()


def test_a_directory_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(TlsError, match="-dev-tls-cert-dir cannot be made"),
        dev_tls("", time.time(), tmp_path / "file" / "tls"),
    ):
        pass
