"""The server's configuration: files in Vault's own words, read into types.

An existing Vault or OpenBao file mostly works. What is not in effect here is accepted with a
warning; what would change the meaning of the rest if it were left out (a storage engine, a seal)
is refused with an error that says what to write instead. `docs/configuration.md` has the table.

Reading is all that happens here: no file but the configuration is opened, nothing is started.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from wardgate.core.lockout_config import LockoutTuning
from wardgate.core.log_levels import level_name
from wardgate.http.limits import DEFAULT_MAX_REQUEST_DURATION
from wardgate.server.addresses import is_http_url
from wardgate.server.audit import AuditConfig, read_audit
from wardgate.server.files import read_files
from wardgate.server.listeners import ListenerConfig, read_listener, same_address
from wardgate.server.lockouts import read_user_lockout
from wardgate.server.seals.config import SealConfig, ShamirSeal, read_seal
from wardgate.server.section import Section
from wardgate.server.self_init.blocks import InitRequest, read_initialize
from wardgate.server.telemetry import DEFAULT_TELEMETRY, TelemetryConfig, read_telemetry

DEFAULT_LEASE_TTL = 768 * 3600
"""Seconds; Vault's default for both the default and the greatest time to live."""
DEFAULT_LOG_ROTATE_DURATION = 24 * 3600
"""Seconds after which a new log file is begun."""


class LogLevel(StrEnum):
    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class LogFormat(StrEnum):
    STANDARD = "standard"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class MemoryStorage:
    """``storage "inmem"``: gone when the process ends."""


@dataclass(frozen=True, slots=True)
class LmdbStorage:
    """``storage "lmdb"``: durable, in the directory `path`. `map_size` is in bytes; None means
    the engine's own beginning, and it grows by itself.
    """

    path: Path
    map_size: int | None = None


StorageConfig: TypeAlias = MemoryStorage | LmdbStorage


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Everything that the configuration says. Times to live are in seconds.

    What `WITHOUT_EFFECT` and `WARNED_WHEN_SET` name is checked and then not used.
    """

    storage: StorageConfig
    listeners: tuple[ListenerConfig, ...]
    seal: SealConfig = field(default_factory=ShamirSeal)
    initialize: tuple[InitRequest, ...] = ()
    audit: AuditConfig = field(default_factory=AuditConfig)
    api_addr: str | None = None
    cluster_addr: str | None = None
    cluster_name: str | None = None
    disable_mlock: bool = False
    ui: bool = False
    log_level: LogLevel = LogLevel.INFO
    log_format: LogFormat = LogFormat.STANDARD
    log_file: Path | None = None
    log_rotate_bytes: int = 0
    log_rotate_duration: int = DEFAULT_LOG_ROTATE_DURATION
    log_rotate_max_files: int = 0
    log_requests_level: LogLevel | None = None
    enable_response_header_hostname: bool = False
    introspection_endpoint: bool = False
    telemetry: TelemetryConfig = DEFAULT_TELEMETRY
    default_lease_ttl: int = DEFAULT_LEASE_TTL
    max_lease_ttl: int = DEFAULT_LEASE_TTL
    raw_storage_endpoint: bool = False
    plugin_directory: Path | None = None
    pid_file: Path | None = None
    workers: int = 1
    user_lockout: Mapping[str, LockoutTuning] = field(default_factory=dict)


MOST_WORKERS = 64
"""Far above what one data file can use."""

WITHOUT_EFFECT = ("cluster_addr", "disable_mlock")
"""Keys whose values are checked and then do nothing, without misleading anybody."""
WARNED_WHEN_SET = ("plugin_directory",)
"""The same, but who asks for what they give is told that it is not there."""
NOTHING_LIKE_IT = (
    "cache_size", "cluster_cipher_suites", "detect_deadlocks", "disable_cache",
    "disable_clustering", "disable_performance_standby", "disable_printable_check",
    "disable_sealwrap", "disable_sentinel_trace", "disable_standby_reads",
    "enable_response_header_raft_node_id", "experiments", "ha_backend", "ha_storage", "hsm",
    "imprecise_lease_role_tracking", "kms", "kms_library", "license_path", "plugin",
    "plugin_auto_download", "plugin_auto_register", "plugin_download_behavior",
    "plugin_download_max_size", "plugin_file_permissions", "plugin_file_uid", "plugin_tmpdir",
    "service_registration", "unsafe_cross_namespace_identity",
)  # fmt: skip
"""Keys that are accepted with a warning for good."""


def load_config(
    paths: Sequence[Path],
    *,
    storage: StorageConfig | None = None,
    listeners: tuple[ListenerConfig, ...] = (),
    environ: Mapping[str, str] = os.environ,
) -> tuple[ServerConfig, list[str]]:
    """The configuration that the files in `paths` say together, and warnings about it.

    Of a key that several files give, the last one counts; listeners add up. A directory stands for
    all ``*.hcl`` and ``*.json`` files in it, sorted by name. A dev server brings its own `storage`,
    which a file may replace, and its own `listeners`, which come first; with both, `paths` may be
    empty. `environ` is asked about the seal. Raises `ConfigError`.
    """
    warnings: list[str] = []
    section = Section(read_files(paths), warnings)
    storage = _storage(section) or storage
    if storage is None:
        raise section.missing("storage", f"add {_STORAGE_FIX}")
    default_ttl, max_ttl = _lease_ttls(section)
    config = ServerConfig(
        storage=storage,
        listeners=_listeners(section, listeners),
        seal=read_seal(section, environ),
        initialize=read_initialize(section, warnings),
        audit=read_audit(section),
        api_addr=_url(section, "api_addr"),
        cluster_addr=_url(section, "cluster_addr"),
        cluster_name=section.text("cluster_name"),
        disable_mlock=section.flag("disable_mlock") or False,
        ui=section.flag("ui") or False,
        log_level=_log_level(section, "log_level") or LogLevel.INFO,
        log_format=section.choice("log_format", LogFormat) or LogFormat.STANDARD,
        log_file=_path(section, "log_file"),
        log_rotate_bytes=_at_least(section, "log_rotate_bytes", 0),
        log_rotate_duration=section.seconds("log_rotate_duration") or DEFAULT_LOG_ROTATE_DURATION,
        log_rotate_max_files=_at_least(section, "log_rotate_max_files", -1),
        log_requests_level=_log_level(section, "log_requests_level"),
        enable_response_header_hostname=section.flag("enable_response_header_hostname") or False,
        introspection_endpoint=section.flag("introspection_endpoint") or False,
        telemetry=read_telemetry(section),
        default_lease_ttl=default_ttl,
        max_lease_ttl=max_ttl,
        raw_storage_endpoint=section.flag("raw_storage_endpoint") or False,
        plugin_directory=_path(section, "plugin_directory"),
        pid_file=_path(section, "pid_file"),
        workers=_workers(section, storage),
        user_lockout=read_user_lockout(section),
    )
    if config.initialize and isinstance(config.seal, ShamirSeal):
        problem = 'needs a server that unseals by itself; add a seal "static" or "transit" block'
        raise section.error("initialize", problem)
    for key in WARNED_WHEN_SET:
        if getattr(config, key):
            section.warn(key, "has no effect: not supported yet")
    section.without_effect(NOTHING_LIKE_IT, "Wardgate has nothing like it")
    section.finish()
    return config, warnings


def _workers(section: Section, storage: StorageConfig) -> int:
    """How many processes answer requests: where nothing is said, one on each core that this one may
    use, if the storage and the system let them share it."""
    count = section.integer("workers")
    if count is None:
        shared = isinstance(storage, LmdbStorage) and sys.platform == "linux"
        return min(len(os.sched_getaffinity(0)), MOST_WORKERS) if shared else 1
    if not 1 <= count <= MOST_WORKERS:
        raise section.error("workers", f"must be a number from 1 to {MOST_WORKERS}")
    if count > 1 and isinstance(storage, MemoryStorage):
        raise section.error("workers", "several need a storage that they can share; use lmdb")
    return count


_STORAGE_FIX = 'storage "lmdb" { path = "DIRECTORY" }, or storage "inmem" { } to keep nothing'


def _storage(section: Section) -> StorageConfig | None:
    found = list(section.labelled("storage", "backend"))
    if not found:
        return None
    kind, block = found[-1]
    if sum(each.place.file == block.place.file for _, each in found) > 1:
        raise block.refused("is one storage block too many; keep one")
    match kind:
        case "inmem":
            storage: StorageConfig = MemoryStorage()
        case "lmdb":
            storage = _lmdb(block)
        case _:
            raise block.refused(f"is not supported; write {_STORAGE_FIX}")
    block.finish()
    return storage


def _lmdb(section: Section) -> LmdbStorage:
    path = _path(section, "path")
    if path is None:
        raise section.missing("path", "set it to the directory for the data")
    size = section.integer("map_size")
    if size is not None and size <= 0:
        raise section.error("map_size", "must be a number of bytes greater than zero")
    return LmdbStorage(path, size)


def _listeners(section: Section, first: tuple[ListenerConfig, ...]) -> tuple[ListenerConfig, ...]:
    longest = section.seconds("default_max_request_duration") or DEFAULT_MAX_REQUEST_DURATION
    listeners = list(first)
    for kind, block in section.labelled("listener"):
        listener = read_listener(kind, block, longest)
        if any(same_address(listener, other) for other in listeners):
            raise block.refused("has the same address as another listener")
        listeners.append(listener)
    if not listeners:
        fix = 'add listener "tcp" { } with tls_cert_file and tls_key_file'
        raise section.missing("listener", fix)
    return tuple(listeners)


def _lease_ttls(section: Section) -> tuple[int, int]:
    """Default and greatest time to live. Zero means Vault's default, as in Vault; unlike there, a
    default that nobody gave never exceeds a maximum that somebody did.
    """
    greatest = section.seconds("max_lease_ttl") or DEFAULT_LEASE_TTL
    default = section.seconds("default_lease_ttl")
    if default and default > greatest:
        raise section.error(
            "default_lease_ttl", "must not be greater than max_lease_ttl (768h if not set)"
        )
    return default or min(DEFAULT_LEASE_TTL, greatest), greatest


def _log_level(section: Section, key: str) -> LogLevel | None:
    """Requests are logged at no level by "off"."""
    text = section.text(key)
    if text is None or (key == "log_requests_level" and text.strip().lower() == "off"):
        return None
    name = level_name(text)
    if name is None:
        raise section.error(key, "must be one of " + ", ".join(LogLevel))
    return LogLevel(name)


def _at_least(section: Section, key: str, least: int) -> int:
    number = section.integer(key) or 0
    if number < least:
        raise section.error(key, f"must be a number not below {least}")
    return number


def _url(section: Section, key: str) -> str | None:
    text = section.text(key)
    if text is not None and not is_http_url(text):
        raise section.error(key, 'must be a URL such as "https://wardgate.example.com:8200"')
    return text


def _path(section: Section, key: str) -> Path | None:
    text = section.text(key)
    return None if text is None else Path(text)
