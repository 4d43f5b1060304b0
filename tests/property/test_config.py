"""Configuration files of any shape: what is written is read, and nothing breaks the reader."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.http.connection import Times
from wardgate.http.forwarded import ForwardedFor
from wardgate.http.limits import Limits
from wardgate.http.response_headers import ResponseHeaders
from wardgate.http.rules import Rules
from wardgate.server.config import (
    WARNED_WHEN_SET,
    LmdbStorage,
    LogFormat,
    LogLevel,
    MemoryStorage,
    ServerConfig,
    load_config,
)
from wardgate.server.document import ConfigError
from wardgate.server.listeners import (
    ListenerConfig,
    TcpListener,
    TlsConfig,
    TlsVersion,
    UnixListener,
)
from wardgate.server.telemetry import TelemetryConfig

Scalar: TypeAlias = str | int | bool
Body: TypeAlias = Mapping[str, "Scalar | list[str] | Body | None"]

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
PATHS = TEXTS.map(Path)
URLS = st.sampled_from(["http://127.0.0.1:8200", "https://vault.example.com", "https://[::1]:1"])


def tls_configs() -> st.SearchStrategy[TlsConfig]:
    common = {
        "cert_file": PATHS,
        "key_file": PATHS,
        "min_version": st.sampled_from(TlsVersion),
    }
    return st.builds(TlsConfig, **common, client_ca_file=st.none() | PATHS) | st.builds(
        TlsConfig, **common, client_ca_file=PATHS, require_client_certificate=st.just(True)
    )


HEADER_VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
HEADERS = st.dictionaries(
    st.sampled_from(["default", "2xx", "5xx", "200", "404"]),
    st.dictionaries(st.sampled_from(["X-A", "x-b", "Vary"]), HEADER_VALUES, min_size=1).map(
        lambda headers: tuple(headers.items())
    ),
).map(lambda given: ResponseHeaders(tuple(given.items())))
FORWARDED = st.builds(
    ForwardedFor,
    trusted=st.lists(
        st.sampled_from(["10.0.0.0/8", "127.0.0.1", "::1", "2001:db8::/32"]), min_size=1
    ).map(tuple),
    hop_skips=st.integers(0, 99),
    reject_not_present=st.booleans(),
    reject_not_authorized=st.booleans(),
)
LIMITS = st.builds(
    lambda size, seconds, reading: Limits(size, seconds, read_timeout=min(seconds, reading)),
    st.none() | st.integers(1, 10**12),
    st.integers(1, 10**6),
    st.integers(1, 10**6),
)
RULES = st.builds(
    Rules,
    limits=LIMITS,
    response_headers=HEADERS,
    forwarded_for=st.none() | FORWARDED,
    open_metrics=st.booleans(),
)
UNIX_RULES = st.builds(Rules, limits=LIMITS, response_headers=HEADERS, open_metrics=st.booleans())
TELEMETRY = st.builds(
    TelemetryConfig,
    prometheus=st.booleans(),
    metrics_prefix=st.sampled_from(["vault", "bao_2"]),
    gauge_period=st.integers(0, 10**6),
    otlp_endpoint=st.none() | URLS,
)
TIMES = st.builds(
    Times, head=st.integers(1, 10**6), idle=st.integers(1, 10**6), write=st.integers(1, 10**6)
)
LISTENERS: st.SearchStrategy[ListenerConfig] = st.builds(
    TcpListener,
    host=st.sampled_from(["", "127.0.0.1", "::1", "vault.example.com"]),
    port=st.integers(0, 65535),
    tls=st.none() | tls_configs(),
    rules=RULES,
    times=TIMES,
) | st.builds(
    UnixListener,
    path=PATHS,
    mode=st.none() | st.integers(0, 0o777),
    user=st.none() | TEXTS,
    group=st.none() | TEXTS,
    rules=UNIX_RULES,
    times=TIMES,
)


def address(listener: ListenerConfig) -> object:
    if isinstance(listener, TcpListener):
        return (listener.host, listener.port)
    return listener.path


@st.composite
def configs(draw: st.DrawFn) -> ServerConfig:
    default_ttl, max_ttl = sorted(draw(st.tuples(*[st.integers(1, 10**9)] * 2)))
    listeners = draw(st.lists(LISTENERS, min_size=1, max_size=3, unique_by=address))
    storage = draw(
        st.builds(MemoryStorage) | st.builds(LmdbStorage, PATHS, st.none() | st.integers(1, 10**15))
    )
    return ServerConfig(
        storage=storage,
        listeners=tuple(listeners),
        api_addr=draw(st.none() | URLS),
        cluster_addr=draw(st.none() | URLS),
        cluster_name=draw(st.none() | TEXTS),
        disable_mlock=draw(st.booleans()),
        ui=draw(st.booleans()),
        log_level=draw(st.sampled_from(LogLevel)),
        log_format=draw(st.sampled_from(LogFormat)),
        log_file=draw(st.none() | PATHS),
        log_rotate_bytes=draw(st.integers(0, 10**12)),
        log_rotate_duration=draw(st.integers(1, 10**8)),
        log_rotate_max_files=draw(st.integers(-1, 10**4)),
        log_requests_level=draw(st.none() | st.sampled_from(LogLevel)),
        enable_response_header_hostname=draw(st.booleans()),
        introspection_endpoint=draw(st.booleans()),
        telemetry=draw(TELEMETRY),
        default_lease_ttl=default_ttl,
        max_lease_ttl=max_ttl,
        raw_storage_endpoint=draw(st.booleans()),
        plugin_directory=draw(st.none() | PATHS),
        pid_file=draw(st.none() | PATHS),
        workers=draw(st.integers(1, 64)) if isinstance(storage, LmdbStorage) else 1,
    )


def optional(path: Path | None) -> str | None:
    return None if path is None else str(path)


def top_level(config: ServerConfig) -> Body:
    return {
        "api_addr": config.api_addr,
        "cluster_addr": config.cluster_addr,
        "cluster_name": config.cluster_name,
        "disable_mlock": config.disable_mlock,
        "ui": config.ui,
        "log_level": config.log_level.value,
        "log_format": config.log_format.value,
        "log_file": optional(config.log_file),
        "log_rotate_bytes": config.log_rotate_bytes,
        "log_rotate_duration": config.log_rotate_duration,
        "log_rotate_max_files": config.log_rotate_max_files,
        "log_requests_level": config.log_requests_level and config.log_requests_level.value,
        "enable_response_header_hostname": config.enable_response_header_hostname,
        "introspection_endpoint": config.introspection_endpoint,
        "telemetry": {
            "prometheus_retention_time": "24h" if config.telemetry.prometheus else 0,
            "metrics_prefix": config.telemetry.metrics_prefix,
            "usage_gauge_period": config.telemetry.gauge_period,
            "otlp_endpoint": config.telemetry.otlp_endpoint,
        },
        "default_lease_ttl": config.default_lease_ttl,
        "max_lease_ttl": f"{config.max_lease_ttl}s",
        "raw_storage_endpoint": config.raw_storage_endpoint,
        "plugin_directory": optional(config.plugin_directory),
        "pid_file": optional(config.pid_file),
        "workers": config.workers,
    }


def blocks(config: ServerConfig) -> Iterator[tuple[str, str, Body]]:
    if isinstance(config.storage, LmdbStorage):
        body: Body = {"path": str(config.storage.path), "map_size": config.storage.map_size}
        yield "storage", "lmdb", body
    else:
        yield "storage", "inmem", {}
    for listener in config.listeners:
        size = listener.rules.limits.max_request_size
        limits: Body = {
            "max_request_size": -1 if size is None else size,
            "max_request_duration": listener.rules.limits.max_request_duration,
            "http_read_timeout": listener.rules.limits.read_timeout,
            **rules_body(listener.rules),
            "http_read_header_timeout": listener.times.head,
            "http_idle_timeout": listener.times.idle,
            "http_write_timeout": listener.times.write,
        }
        if isinstance(listener, TcpListener):
            host = f"[{listener.host}]" if ":" in listener.host else listener.host
            where: Body = {"address": f"{host}:{listener.port}", **tls_body(listener.tls)}
            yield "listener", "tcp", {**where, **limits}
        else:
            file: Body = {
                "address": str(listener.path),
                "socket_mode": None if listener.mode is None else f"{listener.mode:04o}",
                "socket_user": listener.user,
                "socket_group": listener.group,
            }
            yield "listener", "unix", {**file, **limits}


def rules_body(rules: Rules) -> Body:
    body: dict[str, Scalar | list[str] | Body | None] = {
        "custom_response_headers": {
            status: {name: [value] for name, value in headers}
            for status, headers in rules.response_headers.given
        },
        "telemetry": {"unauthenticated_metrics_access": rules.open_metrics},
    }
    if rules.forwarded_for is not None:
        body |= {
            "x_forwarded_for_authorized_addrs": list(rules.forwarded_for.trusted),
            "x_forwarded_for_hop_skips": rules.forwarded_for.hop_skips,
            "x_forwarded_for_reject_not_present": rules.forwarded_for.reject_not_present,
            "x_forwarded_for_reject_not_authorized": rules.forwarded_for.reject_not_authorized,
        }
    return body


def tls_body(tls: TlsConfig | None) -> Body:
    if tls is None:
        return {"tls_disable": True}
    return {
        "tls_cert_file": str(tls.cert_file),
        "tls_key_file": str(tls.key_file),
        "tls_min_version": tls.min_version.value,
        "tls_client_ca_file": optional(tls.client_ca_file),
        "tls_require_and_verify_client_cert": tls.require_client_certificate,
    }


def hcl_value(value: Scalar | list[str] | Body) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            return f'"{escaped}"'
        case list():
            return f"[{', '.join(map(hcl_value, value))}]"
    return f"{{\n{hcl_body(value)}}}"


def hcl_body(body: Body) -> str:
    return "".join(f'"{key}" = {hcl_value(v)}\n' for key, v in body.items() if v is not None)


def as_hcl(config: ServerConfig) -> str:
    parts = (f'{kind} "{label}" {{\n{hcl_body(body)}}}\n' for kind, label, body in blocks(config))
    return hcl_body(top_level(config)) + "".join(parts)


def as_json(config: ServerConfig) -> str:
    document: dict[str, object] = dict(top_level(config))
    for kind, label, body in blocks(config):
        listed = document.setdefault(kind, [])
        assert isinstance(listed, list)
        listed.append({label: body})
    return json.dumps(document)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config") / "w.hcl"


def load(file: Path, content: bytes) -> tuple[ServerConfig, list[str]]:
    file.write_bytes(content)
    return load_config([file])


@given(configs())
def test_a_configuration_that_is_written_is_read_again(file: Path, config: ServerConfig) -> None:
    warned = sum(bool(getattr(config, key)) for key in WARNED_WHEN_SET)
    for written in (as_hcl(config), as_json(config)):
        found, warnings = load(file, written.encode())
        assert (found, len(warnings)) == (config, warned)


SYNTAX = st.lists(
    st.sampled_from([*'{}[]=,"\\\n #<-/*:', "<<E\n", "/*", "${", "1", "0x", "true", "tcp", "a"])
    | st.sampled_from(["storage", "listener", "seal", "ui", "inmem", "lmdb", "type", "address"])
).map("".join)


@given(
    st.binary() | st.text().map(lambda text: text.encode(errors="ignore")) | SYNTAX.map(str.encode)
)
def test_any_content_is_understood_or_a_configuration_error(file: Path, content: bytes) -> None:
    """Nothing else escapes, and the message fits on one line."""
    message = ""
    try:
        load(file, content)
    except ConfigError as error:
        message = str(error)
    assert message.isprintable()


@given(configs(), st.data())
def test_a_damaged_file_is_understood_or_a_configuration_error(
    file: Path, config: ServerConfig, data: st.DataObject
) -> None:
    text = data.draw(st.sampled_from([as_hcl, as_json]))(config)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    damaged = text[:start] + data.draw(SYNTAX) + text[end:]
    named = str(file)
    try:
        load(file, damaged.encode())
    except ConfigError as error:
        named = error.file
    assert named == str(file)


KEYS = {
    "storage": ["path", "map_size", "type"],
    "tcp": [
        *("address", "max_request_size", "max_request_duration", "proxy_protocol_behavior", "type"),
        *(
            "role",
            "tls_cert_file",
            "tls_key_file",
            "tls_disable_client_certs",
            "tls_client_ca_file",
        ),
        *("tls_disable", "tls_min_version", "tls_require_and_verify_client_cert", "telemetry"),
        *("custom_response_headers", "profiling", "http_read_timeout", "tls_max_version"),
        *("x_forwarded_for_authorized_addrs", "http_read_header_timeout"),
    ],
    "unix": ["address", "socket_mode", "socket_user", "max_request_size", "tls_cert_file"],
    "": [
        *top_level(ServerConfig(storage=MemoryStorage(), listeners=())),
        *("storage", "listener", "seal", "telemetry", "odd"),
    ],
}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just("hunter2"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*KEYS, "tcp", "unix", "inmem", "lmdb"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


SECRETS = st.sampled_from(
    ["hunter2", ["hunter2"], {"odd": "hunter2"}, {"type": "hunter2"}, [{"inmem": "hunter2"}]]
)


@pytest.mark.parametrize(("where", "key"), [(where, key) for where in KEYS for key in KEYS[where]])
@settings(max_examples=30)
@given(value=SECRETS | JSON_VALUES)
def test_no_message_repeats_a_value(file: Path, where: str, key: str, value: object) -> None:
    parts: dict[str, dict[str, object]] = {
        "storage": {"path": "d"},
        "tcp": {"tls_disable": True},
        "unix": {"address": "s"},
        "": {},
    }
    if key.startswith("tls_"):
        parts["tcp"] = {"tls_cert_file": "c", "tls_key_file": "k"}
    parts[where][key] = value
    listeners = [{"tcp": parts["tcp"]}, {"unix": parts["unix"]}]
    document = {"storage": {"lmdb": parts["storage"]}, "listener": listeners, **parts[""]}
    try:
        _, messages = load(file, json.dumps(document).encode())
    except ConfigError as error:
        messages = [str(error)]
    assert "hunter2" not in "".join(messages)


@pytest.mark.parametrize(
    "unit", ["[", "{", "a {", 'a = "x" ', "/*", "<<E\n", "a ", '"', "\\", "{ "]
)
def test_large_files_of_one_kind_of_thing_do_not_break_the_reader(file: Path, unit: str) -> None:
    for start in ("", "a = ", '{"a":', "{"):
        with pytest.raises(ConfigError):
            load(file, (start + unit * 100_000).encode())
