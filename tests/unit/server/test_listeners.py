"""``listener`` blocks."""

from pathlib import Path

import pytest

from wardgate.http.limits import Limits
from wardgate.server.addresses import parse_address
from wardgate.server.document import ConfigError
from wardgate.server.listeners import (
    ListenerConfig,
    TcpListener,
    TlsConfig,
    TlsVersion,
    UnixListener,
)

from .conftest import Read

TLS = 'tls_cert_file = "c"\ntls_key_file = "k"\n'


def listener(read: Read, body: str, kind: str = "tcp") -> tuple[ListenerConfig, list[str]]:
    config, warnings = read(f'storage "inmem" {{}}\nlistener "{kind}" {{\n{body}\n}}')
    return config.listeners[0], warnings


def tls(read: Read, body: str) -> tuple[TlsConfig, list[str]]:
    found, warnings = listener(read, TLS + body)
    assert isinstance(found, TcpListener)
    assert found.tls is not None
    return found.tls, warnings


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8200", "127.0.0.1", 8200),
        ("[::1]:8200", "::1", 8200),
        ("[::]:0", "::", 0),
        (":8200", "", 8200),
        ("vault.example.com:443", "vault.example.com", 443),
    ],
)
def test_addresses_are_host_and_port(text: str, host: str, port: int) -> None:
    assert parse_address(text) == (host, port)


@pytest.mark.parametrize(
    "text",
    ["", "8200", "127.0.0.1", "::1:8200", "[x]:1", "a:70000", "a:-1", "http://a:1", "{{ x }}:1"],
)
def test_other_addresses_are_refused(text: str, read: Read) -> None:
    with pytest.raises(ValueError, match="not an address"):
        parse_address(text)
    if text:
        with pytest.raises(ConfigError, match=r'^w.hcl:3: listener "tcp": address: must be "host'):
            listener(read, f'address = "{text}"\ntls_disable = true')


def test_tls_has_to_be_set_up_or_disabled(read: Read) -> None:
    with pytest.raises(ConfigError, match=r'^w.hcl:2: listener "tcp": tls_cert_file: is missing'):
        listener(read, "")
    with pytest.raises(ConfigError, match=r'^w.hcl:2: listener "tcp": tls_key_file: is missing'):
        listener(read, 'tls_cert_file = "c"')
    assert tls(read, "") == (TlsConfig(cert_file=Path("c"), key_file=Path("k")), [])


def test_disabled_tls_makes_the_other_tls_keys_void(read: Read) -> None:
    found, warnings = listener(read, TLS + 'tls_disable = "true"\ntls_min_version = "tls12"')
    assert (found, warnings) == (TcpListener(host="127.0.0.1", port=8200, tls=None), [])


def test_old_protocol_versions_are_raised(read: Read) -> None:
    found, warnings = tls(read, 'tls_min_version = "tls10"')
    assert found.min_version is TlsVersion.TLS12
    assert warnings == [
        'w.hcl:5: listener "tcp": tls_min_version is raised to tls12; older versions are not served'
    ]
    with pytest.raises(ConfigError, match="tls_min_version: must be one of tls12, tls13"):
        tls(read, 'tls_min_version = "ssl3"')


def test_client_certificates_are_verified_against_given_authorities_only(read: Read) -> None:
    found, _ = tls(read, 'tls_client_ca_file = "ca"')
    assert (found.client_ca_file, found.require_client_certificate) == (Path("ca"), False)
    with pytest.raises(ConfigError, match="tls_client_ca_file: is missing"):
        tls(read, "tls_require_and_verify_client_cert = true")
    found, _ = tls(read, 'tls_client_ca_file = "ca"\ntls_disable_client_certs = true')
    assert found.client_ca_file is None
    with pytest.raises(ConfigError, match="contradicts tls_require_and_verify_client_cert"):
        tls(read, "tls_disable_client_certs = 1\ntls_require_and_verify_client_cert = 1")


def test_limits_are_vaults_unless_given(read: Read) -> None:
    assert listener(read, "tls_disable = 1")[0].limits == Limits(33554432, 90)
    zero = "tls_disable = 1\nmax_request_size = 0\nmax_request_duration = 0"
    assert listener(read, zero)[0].limits == Limits(33554432, 90)
    given = 'tls_disable = 1\nmax_request_size = "1024"\nmax_request_duration = "2m"'
    assert listener(read, given)[0].limits == Limits(1024, 120)
    assert listener(read, "tls_disable = 1\nmax_request_size = -1")[0].limits == Limits(None, 90)


def test_a_unix_socket_has_a_path_and_a_mode(read: Read) -> None:
    body = 'address = "/run/w.sock"\nsocket_mode = 0660\nsocket_user = 1000\nsocket_group = "vault"'
    assert listener(read, body, "unix") == (
        UnixListener(path=Path("/run/w.sock"), mode=0o660, user="1000", group="vault"),
        [],
    )
    assert listener(read, 'address = "s"\ntls_disable = true', "unix")[1] == []
    with pytest.raises(ConfigError, match=r'^w.hcl:2: listener "unix": address: is missing'):
        listener(read, "", "unix")
    with pytest.raises(ConfigError, match="socket_mode: must be octal"):
        listener(read, 'address = "s"\nsocket_mode = "rw"', "unix")


def test_what_is_not_in_effect_yet_is_warned_about(read: Read) -> None:
    _, warnings = listener(
        read,
        'tls_disable = true\nx_forwarded_for_authorized_addrs = "10.0.0.0/8"\n'
        'custom_response_headers {\n  "default" = {\n    "X" = ["a"]\n  }\n}\n'
        'http_read_timeout = "30s"\ntelemetry { unauthenticated_metrics_access = true }',
    )
    assert [warning.split(" has no effect")[0] for warning in warnings] == [
        'w.hcl:5: listener "tcp": custom_response_headers',
        'w.hcl:11: listener "tcp": telemetry',
        'w.hcl:4: listener "tcp": x_forwarded_for_authorized_addrs',
        'w.hcl:10: listener "tcp": http_read_timeout',
    ]


def test_the_proxy_protocol_is_refused_since_no_request_would_arrive(read: Read) -> None:
    with pytest.raises(ConfigError, match="proxy_protocol_behavior: is not supported yet"):
        listener(read, 'tls_disable = true\nproxy_protocol_behavior = "use_always"')


def test_port_zero_may_be_used_by_several_listeners(read: Read) -> None:
    block = 'listener "tcp" { address = "127.0.0.1:0" tls_disable = true }\n'
    assert len(read('storage "inmem" {}\n' + block * 2)[0].listeners) == 2
    socket = 'listener "unix" { address = "s" }\n'
    with pytest.raises(ConfigError, match="the same address as another listener"):
        read('storage "inmem" {}\n' + socket * 2)
