"""Where the server listens, as ``listener`` blocks say it. Nothing is opened here."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from wardgate.http.connection import DEFAULT_TIMES, Times
from wardgate.http.rules import DEFAULT_RULES, Rules
from wardgate.server.addresses import parse_address
from wardgate.server.listener_rules import read_rules
from wardgate.server.section import Section

DEFAULT_ADDRESS = "127.0.0.1:8200"


class TlsVersion(StrEnum):
    """The protocol versions that the HTTP server speaks, in Vault's words."""

    TLS12 = "tls12"
    TLS13 = "tls13"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    """Certificate and key of a listener; `wardgate.server.tls` loads and checks them."""

    cert_file: Path
    key_file: Path
    min_version: TlsVersion = TlsVersion.TLS12
    client_ca_file: Path | None = None
    require_client_certificate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpListener:
    """A TCP port. An empty `host` means all addresses; without `tls` it serves plain HTTP."""

    host: str
    port: int
    tls: TlsConfig | None
    rules: Rules = DEFAULT_RULES
    times: Times = DEFAULT_TIMES


@dataclass(frozen=True, slots=True, kw_only=True)
class UnixListener:
    """A Unix socket, plain HTTP. `mode` is that of the file; user and group are names or ids."""

    path: Path
    mode: int | None = None
    user: str | None = None
    group: str | None = None
    rules: Rules = DEFAULT_RULES
    times: Times = DEFAULT_TIMES


ListenerConfig: TypeAlias = TcpListener | UnixListener


def uses_tls(config: ListenerConfig) -> bool:
    """Whether clients have to speak TLS."""
    return isinstance(config, TcpListener) and config.tls is not None


def same_address(one: ListenerConfig, other: ListenerConfig) -> bool:
    """Whether both want the same port or socket. Port 0 is any free port, so never the same."""
    match one, other:
        case TcpListener(host=host, port=port), TcpListener():
            return port != 0 and (host, port) == (other.host, other.port)
        case UnixListener(path=path), UnixListener():
            return path == other.path
    return False


NOT_YET = (
    "agent_api", "cors_allowed_headers", "cors_allowed_origins", "cors_enabled",
    "inflight_requests_logging", "purpose",
    "require_request_header", "role", "x_forwarded_for_client_cert_header",
    "x_forwarded_for_client_cert_header_decoders",
)  # fmt: skip
"""Keys that are accepted with a warning."""
JSON_MEMORY = ("max_request_json_memory",)
CIPHERS = ("tls_cipher_suites", "tls_prefer_server_cipher_suites")
TLS_KEYS = (
    "tls_cert_file", "tls_key_file", "tls_min_version", "tls_client_ca_file",
    "tls_require_and_verify_client_cert", "tls_disable_client_certs",
)  # fmt: skip


def read_listener(kind: str, section: Section, longest: int) -> ListenerConfig:
    """The listener that a block of type `kind` describes; its requests take at most `longest`
    seconds where it says nothing else. Raises `ConfigError`."""
    reader = _READERS.get(kind)
    if reader is None:
        raise section.refused('is not supported; the types are "tcp" and "unix"')
    listener = reader(section, longest)
    section.without_effect(NOT_YET, "not supported yet")
    section.without_effect(JSON_MEMORY, "max_request_size and max_request_json_strings bound it")
    section.without_effect(CIPHERS, "only suites without a known weakness are offered")
    section.finish()
    return listener


def _tcp(section: Section, longest: int) -> TcpListener:
    section.harmless("cluster_address")
    if section.text("proxy_protocol_behavior"):
        problem = (
            "is not supported: the HTTP server does not speak the PROXY protocol; remove it here and"
            " in the load balancer, and let that send X-Forwarded-For"
            " (x_forwarded_for_authorized_addrs)"
        )
        raise section.error("proxy_protocol_behavior", problem)
    section.harmless("proxy_protocol_authorized_addrs")
    try:
        host, port = parse_address(section.text("address") or DEFAULT_ADDRESS)
    except ValueError:
        problem = 'must be "host:port", "[IPv6]:port" or ":port"; templates are not supported'
        raise section.error("address", problem) from None
    return TcpListener(
        host=host,
        port=port,
        tls=_tls(section),
        rules=read_rules(section, longest, proxies=True),
        times=_times(section),
    )


def _unix(section: Section, longest: int) -> UnixListener:
    section.harmless("tls_disable")
    section.without_effect(TLS_KEYS, "a Unix socket speaks plain HTTP")
    path = section.text("address")
    if path is None:
        raise section.missing("address", "set it to the path of the socket")
    mode = section.text("socket_mode")
    if mode is not None and not re.fullmatch(r"0?[0-7]{3}", mode):
        raise section.error("socket_mode", 'must be octal, such as "600" or "0660"')
    return UnixListener(
        path=Path(path),
        mode=None if mode is None else int(mode, 8),
        user=section.text("socket_user"),
        group=section.text("socket_group"),
        rules=read_rules(section, longest, proxies=False),
        times=_times(section),
    )


_READERS: dict[str, Callable[[Section, int], ListenerConfig]] = {"tcp": _tcp, "unix": _unix}


def _times(section: Section) -> Times:
    """As in Vault, zero means the default."""
    return Times(
        head=section.seconds("http_read_header_timeout") or DEFAULT_TIMES.head,
        idle=section.seconds("http_idle_timeout") or DEFAULT_TIMES.idle,
        write=section.seconds("http_write_timeout") or DEFAULT_TIMES.write,
    )


def _tls(section: Section) -> TlsConfig | None:
    if section.flag("tls_disable"):
        section.harmless(*TLS_KEYS, "tls_max_version")
        return None
    cert, key = section.text("tls_cert_file"), section.text("tls_key_file")
    if cert is None:
        raise section.missing(
            "tls_cert_file",
            "set it and tls_key_file to PEM files, or set tls_disable = true to serve plain HTTP",
        )
    if key is None:
        raise section.missing("tls_key_file", "set it to the PEM file of the certificate's key")
    if (section.text("tls_max_version") or "tls13").strip().lower() != "tls13":
        section.warn("tls_max_version", "has no effect: tls13 is always offered")
    ca = section.text("tls_client_ca_file")
    require = section.flag("tls_require_and_verify_client_cert") or False
    if section.flag("tls_disable_client_certs"):
        if require:
            raise section.error(
                "tls_disable_client_certs",
                "contradicts tls_require_and_verify_client_cert; remove one of them",
            )
        ca = None
    if require and ca is None:
        raise section.missing(
            "tls_client_ca_file",
            "tls_require_and_verify_client_cert needs the authorities to verify with",
        )
    return TlsConfig(
        cert_file=Path(cert),
        key_file=Path(key),
        min_version=_min_version(section),
        client_ca_file=None if ca is None else Path(ca),
        require_client_certificate=require,
    )


def _min_version(section: Section) -> TlsVersion:
    version = section.text("tls_min_version")
    if version in ("tls10", "tls11"):
        section.warn("tls_min_version", "is raised to tls12; older versions are not served")
        return TlsVersion.TLS12
    return section.choice("tls_min_version", TlsVersion) or TlsVersion.TLS12
