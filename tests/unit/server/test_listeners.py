"""``listener`` blocks."""

import json
from pathlib import Path

import pytest

from wardgate.http.connection import Times
from wardgate.http.forwarded import ForwardedFor
from wardgate.http.limits import Limits
from wardgate.http.rules import Rules
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
    assert listener(read, "tls_disable = 1")[0].rules.limits == Limits(33554432, 90)
    zero = "tls_disable = 1\nmax_request_size = 0\nmax_request_duration = 0"
    assert listener(read, zero)[0].rules.limits == Limits(33554432, 90)
    given = 'tls_disable = 1\nmax_request_size = "1024"\nmax_request_duration = "2m"'
    assert listener(read, given)[0].rules.limits == Limits(1024, 120, read_timeout=120)
    assert listener(read, "tls_disable = 1\nmax_request_size = -1")[0].rules.limits == Limits(
        None, 90
    )


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


def rules(read: Read, body: str) -> Rules:
    found, warnings = listener(read, "tls_disable = true\n" + body)
    assert warnings == []
    return found.rules


def test_proxies_are_trusted_by_address(read: Read) -> None:
    assert rules(read, "").forwarded_for is None
    assert rules(read, "x_forwarded_for_hop_skips = 1").forwarded_for is None
    for trusted in ('"10.1.2.3/8, 192.0.2.1"', '["10.0.0.0/8", "192.0.2.1"]'):
        found = rules(read, f"x_forwarded_for_authorized_addrs = {trusted}")
        assert found.forwarded_for == ForwardedFor(trusted=("10.0.0.0/8", "192.0.2.1"))
    assert rules(
        read,
        'x_forwarded_for_authorized_addrs = "::1"\nx_forwarded_for_hop_skips = "2"\n'
        "x_forwarded_for_reject_not_present = true\nx_forwarded_for_reject_not_authorized = 1",
    ).forwarded_for == ForwardedFor(
        trusted=("::1",), hop_skips=2, reject_not_present=True, reject_not_authorized=True
    )
    for line, key in (
        ('x_forwarded_for_authorized_addrs = "proxy.example.com"', "authorized_addrs"),
        ('x_forwarded_for_authorized_addrs = [["::1"]]', "authorized_addrs"),
        ('x_forwarded_for_authorized_addrs = "::1"\nx_forwarded_for_hop_skips = -1', "hop_skips"),
    ):
        with pytest.raises(ConfigError, match=f"x_forwarded_for_{key}: must be"):
            rules(read, line)


def test_a_unix_socket_trusts_no_proxy(read: Read) -> None:
    body = 'address = "s"\nx_forwarded_for_authorized_addrs = "127.0.0.1"'
    found, warnings = listener(read, body, "unix")
    assert found.rules.forwarded_for is None
    assert ["a Unix socket does not tell" in warning for warning in warnings] == [True]


HEADERS = """custom_response_headers {
  "default" = { "X-A" = ["a", "b"], "Content-Security-Policy" = ["default-src 'self'"] }
  "4xx"     = { "X-A" = "c, d" }
  "404"     = { "X-B" = [""] }
}"""


def test_headers_are_added_by_status(read: Read) -> None:
    headers = rules(read, HEADERS).response_headers
    common = ("content-security-policy", "default-src 'self'")
    assert headers.of(200) == (("x-a", "a; b"), common)
    assert headers.of(404) == headers.of(400) == (("x-a", "c, d"), common)
    as_json = {
        "storage": {"inmem": {}},
        "listener": {
            "tcp": {
                "tls_disable": True,
                "custom_response_headers": [
                    {"default": [{"X-A": ["a", "b"]}], "4xx": [{"X-A": ["c"]}]},
                ],
            }
        },
    }
    found = read(json.dumps(as_json))[0].listeners[0].rules.response_headers
    assert (found.of(200), found.of(404)) == ((("x-a", "a; b"),), (("x-a", "c"),))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('"6xx" = { "X" = ["a"] }', "has a key that is no status"),
        ('"default" = "X: a"', "must be a block in braces"),
        ('"default" = { "X Y" = ["a"] }', "has a key that is no name of a header"),
        ('"default" = { "X" = ["a\\nX-B: b"] }', "without line ends"),
        ('"default" = { "X" = [{ a = 1 }] }', "must be a list of texts"),
        ('"default" = { "Content-Length" = ["1"] }', "is set by the HTTP server"),
        ('"default" = { "Transfer-Encoding" = ["chunked"] }', "is set by the HTTP server"),
    ],
)
def test_headers_that_would_break_answers_are_refused(body: str, problem: str, read: Read) -> None:
    with pytest.raises(ConfigError, match=problem):
        rules(read, f"custom_response_headers {{\n{body}\n}}")


def test_headers_of_vaults_own_are_not_given(read: Read) -> None:
    body = 'tls_disable = true\ncustom_response_headers {\n"200" = {\n"X-Vault-A" = ["a"]\n}\n}'
    found, warnings = listener(read, body)
    assert found.rules.response_headers.of(200) == ()
    assert [warning.partition(" has no effect")[0] for warning in warnings] == [
        'w.hcl:6: listener "tcp": custom_response_headers: 200: X-Vault-A'
    ]


def test_metrics_may_be_open_to_anybody(read: Read) -> None:
    assert rules(read, "telemetry { unauthenticated_metrics_access = true }").open_metrics
    assert not rules(read, "telemetry { }").open_metrics
    _, warnings = listener(
        read, "tls_disable = 1\nprofiling { unauthenticated_pprof_access = true }"
    )
    assert ["there is nothing to profile with" in warning for warning in warnings] == [True]


def test_the_time_to_read_a_request_is_bounded(read: Read) -> None:
    assert rules(read, 'http_read_timeout = "30s"').limits.read_timeout == 30
    assert rules(read, 'http_read_timeout = "10m"').limits.read_timeout == 90


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("http_read_header_timeout", Times(head=5)),
        ("http_idle_timeout", Times(idle=5)),
        ("http_write_timeout", Times(write=5)),
    ],
)
def test_clients_have_their_times(read: Read, key: str, wanted: Times) -> None:
    assert listener(read, f"tls_disable = 1\n{key} = 5")[0].times == wanted
    assert listener(read, f"tls_disable = 1\n{key} = 0")[0].times == Times()


def test_the_newest_version_of_tls_is_always_offered(read: Read) -> None:
    files = 'tls_cert_file = "c"\ntls_key_file = "k"\n'
    assert listener(read, files + 'tls_max_version = "tls13"')[1] == []
    (warning,) = listener(read, files + 'tls_max_version = "tls12"')[1]
    assert "tls_max_version has no effect: tls13 is always offered" in warning


def test_what_is_not_in_effect_is_warned_about(read: Read) -> None:
    _, warnings = listener(
        read,
        'tls_disable = true\nrole = "metrics_only"\nmax_request_json_memory = 5\n'
        'tls_cipher_suites = "a"\nx_forwarded_for_client_cert_header = "X-Cert"',
    )
    assert [warning.split(" has no effect")[0] for warning in warnings] == [
        'w.hcl:4: listener "tcp": role',
        'w.hcl:7: listener "tcp": x_forwarded_for_client_cert_header',
        'w.hcl:5: listener "tcp": max_request_json_memory',
        'w.hcl:6: listener "tcp": tls_cipher_suites',
    ]


def test_the_proxy_protocol_is_refused_since_no_request_would_arrive(read: Read) -> None:
    with pytest.raises(ConfigError, match=r"proxy_protocol_behavior: is not supported: .* PROXY"):
        listener(read, 'tls_disable = true\nproxy_protocol_behavior = "use_always"')


def test_port_zero_may_be_used_by_several_listeners(read: Read) -> None:
    block = 'listener "tcp" { address = "127.0.0.1:0" tls_disable = true }\n'
    assert len(read('storage "inmem" {}\n' + block * 2)[0].listeners) == 2
    socket = 'listener "unix" { address = "s" }\n'
    with pytest.raises(ConfigError, match="the same address as another listener"):
        read('storage "inmem" {}\n' + socket * 2)


def test_endpoints_are_opened_to_calls_without_a_token_by_a_switch_set_to_false(read: Read) -> None:
    body = "tls_disable = true\n"
    assert listener(read, body)[0].rules.opened == frozenset()
    assert (
        listener(read, f"{body}disable_unauthed_rekey_endpoints = true")[0].rules.opened
        == frozenset()
    )
    both = (
        "disable_unauthed_rekey_endpoints = false\ndisable_unauthed_generate_root_endpoints = false"
    )
    assert listener(read, body + both) == (
        TcpListener(
            host="127.0.0.1",
            port=8200,
            tls=None,
            rules=Rules(opened=frozenset({"rekey", "generate-root"})),
        ),
        [],
    )
    with pytest.raises(ConfigError, match="disable_unauthed_rekey_endpoints"):
        listener(read, f'{body}disable_unauthed_rekey_endpoints = "maybe"')
    unix = 'address = "/run/w.sock"\ndisable_unauthed_rekey_endpoints = false'
    assert listener(read, unix, "unix")[0].rules.opened == {"rekey"}
