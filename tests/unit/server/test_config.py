"""Configuration files of the shapes that people have."""

import json
import os
from pathlib import Path

import pytest

from wardgate.server.config import (
    LmdbStorage,
    LogFormat,
    LogLevel,
    MemoryStorage,
    ServerConfig,
    load_config,
)
from wardgate.server.document import MAX_FILE_BYTES, ConfigError
from wardgate.server.listeners import TcpListener, TlsConfig, TlsVersion
from wardgate.server.seals.config import ShamirSeal
from wardgate.server.telemetry import TelemetryConfig

from .conftest import Read

PRODUCTION = """
# A single node behind a load balancer.
ui            = false
disable_mlock = true
cluster_name  = "prod"

storage "lmdb" {
  path     = "/var/lib/wardgate"
  map_size = 1073741824
}

listener "tcp" {
  address            = "0.0.0.0:8200"
  cluster_address    = "0.0.0.0:8201"
  tls_cert_file      = "/etc/wardgate/tls/tls.crt"
  tls_key_file       = "/etc/wardgate/tls/tls.key"
  tls_min_version    = "tls13"
  tls_client_ca_file = "/etc/wardgate/tls/ca.crt"
  tls_require_and_verify_client_cert = "true"
}

listener "tcp" {
  address     = "127.0.0.1:8300"
  tls_disable = 1
}

seal "shamir" {}

api_addr          = "https://wardgate.example.com:8200"
cluster_addr      = "https://10.0.0.1:8201"
log_level         = "Debug"
log_format        = "json"
default_lease_ttl = "24h"
max_lease_ttl     = 2592000
pid_file          = "/run/wardgate.pid"
workers           = 4
raw_storage_endpoint = "false"
"""

MINIMAL = 'storage "inmem" {}\nlistener "tcp" { tls_disable = true }\n'
LISTENER = TcpListener(host="127.0.0.1", port=8200, tls=None)


def test_a_production_file_is_understood_without_a_warning(read: Read) -> None:
    config, warnings = read(PRODUCTION)
    tls = TlsConfig(
        cert_file=Path("/etc/wardgate/tls/tls.crt"),
        key_file=Path("/etc/wardgate/tls/tls.key"),
        min_version=TlsVersion.TLS13,
        client_ca_file=Path("/etc/wardgate/tls/ca.crt"),
        require_client_certificate=True,
    )
    assert warnings == []
    assert config == ServerConfig(
        storage=LmdbStorage(Path("/var/lib/wardgate"), 1073741824),
        listeners=(
            TcpListener(host="0.0.0.0", port=8200, tls=tls),
            TcpListener(host="127.0.0.1", port=8300, tls=None),
        ),
        seal=ShamirSeal(),
        api_addr="https://wardgate.example.com:8200",
        cluster_addr="https://10.0.0.1:8201",
        cluster_name="prod",
        disable_mlock=True,
        log_level=LogLevel.DEBUG,
        log_format=LogFormat.JSON,
        default_lease_ttl=86400,
        max_lease_ttl=2592000,
        raw_storage_endpoint=False,
        pid_file=Path("/run/wardgate.pid"),
        workers=4,
    )


def test_the_least_file_has_vaults_defaults(read: Read) -> None:
    config, warnings = read(MINIMAL)
    assert warnings == []
    assert config == ServerConfig(storage=MemoryStorage(), listeners=(LISTENER,))
    assert (config.default_lease_ttl, config.max_lease_ttl) == (2764800, 2764800)
    assert (config.log_level, config.log_format) == (LogLevel.INFO, LogFormat.STANDARD)


def test_there_are_as_many_workers_as_cores_where_they_can_share_the_storage(read: Read) -> None:
    lmdb = MINIMAL.replace("inmem", "lmdb").replace("{}", '{ path = "d" }', 1)
    assert read(lmdb)[0].workers == len(os.sched_getaffinity(0))
    assert read(MINIMAL)[0].workers == 1


@pytest.mark.parametrize(
    "document",
    [
        {"storage": {"inmem": {}}, "listener": {"tcp": {"tls_disable": True}}},
        {"backend": {"inmem": {}}, "listener": [{"tcp": {"tls_disable": "1"}}]},
        {"storage": [{"inmem": [{}]}], "listener": {"tcp": [{"tls_disable": 1}]}, "ui": None},
        {"storage": {"type": "inmem"}, "listener": {"type": "tcp", "tls_disable": "true"}},
    ],
)
def test_json_says_the_same_in_several_ways(document: object, read: Read) -> None:
    """The container images of Vault and OpenBao are configured in such JSON."""
    for text in (json.dumps(document), "\ufeff\n" + json.dumps(document, indent=2)):
        assert read(text) == (ServerConfig(storage=MemoryStorage(), listeners=(LISTENER,)), [])


def test_a_directory_is_its_hcl_and_json_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "10-storage.hcl").write_text(
        'storage "inmem" {}\ndisable_mlock = true\nlog_level = "warn"'
    )
    (tmp_path / "20-listener.json").write_text('{"listener": {"tcp": {"tls_disable": true}}}')
    (tmp_path / "30-more.hcl").write_text('log_level = "error"')
    (tmp_path / "30-more.hcl~").write_text("what an editor left")
    (tmp_path / ".#30-more.hcl").symlink_to("someone@somewhere:1")
    (tmp_path / "notes.txt").write_text("not a configuration")
    config, warnings = load_config([tmp_path])
    assert warnings == []
    assert (config.disable_mlock, config.log_level) == (True, LogLevel.ERROR)
    assert config.listeners == (LISTENER,)


def test_a_later_file_overrides_and_listeners_add_up(tmp_path: Path) -> None:
    first, second = tmp_path / "a.hcl", tmp_path / "b.hcl"
    first.write_text(MINIMAL + 'cluster_name = "first"')
    second.write_text(
        'cluster_name = "second"\nstorage "lmdb" { path = "d" }\n'
        'listener "tcp" { address = ":8300" tls_disable = true }'
    )
    config, warnings = load_config([first, second])
    assert warnings == []
    assert (config.cluster_name, config.storage) == ("second", LmdbStorage(Path("d")))
    assert [each.port for each in config.listeners if isinstance(each, TcpListener)] == [8200, 8300]


def test_what_a_dev_server_brings_holds_where_the_files_are_silent(tmp_path: Path) -> None:
    brought = TcpListener(host="127.0.0.1", port=8100, tls=None)
    config, _ = load_config([], storage=MemoryStorage(), listeners=(brought,))
    assert config == ServerConfig(storage=MemoryStorage(), listeners=(brought,))
    (tmp_path / "w.hcl").write_text(MINIMAL.replace('"inmem" {}', '"lmdb" { path = "d" }'))
    config, _ = load_config([tmp_path], storage=MemoryStorage(), listeners=(brought,))
    assert config.storage == LmdbStorage(Path("d"))
    assert config.listeners == (brought, LISTENER)


def test_what_is_not_in_effect_is_warned_about(read: Read) -> None:
    _, warnings = read(MINIMAL + 'telemetry {\n  statsd_address = "x"\n}\n\n\ncache_size = 5')
    assert warnings == [
        "w.hcl:4: telemetry: statsd_address has no effect: Wardgate has nothing like it",
        "w.hcl:8: cache_size has no effect: Wardgate has nothing like it",
    ]


def test_whoever_turns_on_what_is_not_there_is_warned(read: Read) -> None:
    on = 'plugin_directory = "/opt/plugins"'
    assert read(MINIMAL + on)[1] == [
        "w.hcl:3: plugin_directory has no effect: not supported yet",
    ]
    off = 'plugin_directory = ""'
    assert read(MINIMAL + off)[1] == []


def test_unknown_keys_are_warned_about_by_file_line_and_key(read: Read) -> None:
    text = MINIMAL + 'defualt_lease_ttl = "1h"\n\nzzz { a = 1 }'
    assert read(text)[1] == [
        "w.hcl:3: defualt_lease_ttl is not known and has no effect; "
        "did you mean default_lease_ttl?",
        "w.hcl:5: zzz is not known and has no effect",
    ]
    _, warnings = read('storage "lmdb" {\n path = "d"\n pth = "e"\n}\n' + MINIMAL.split("\n")[1])
    assert warnings == [
        'w.hcl:3: storage "lmdb": pth is not known and has no effect; did you mean path?'
    ]


def test_a_key_that_is_given_twice_in_a_file_is_warned_about(read: Read) -> None:
    config, warnings = read(MINIMAL + "disable_mlock = false\ndisable_mlock = true")
    assert (config.disable_mlock, warnings) == (
        True,
        ["w.hcl:4: disable_mlock is given more than once; the last one counts"],
    )


def test_json_keys_have_a_line_where_it_is_certain(read: Read) -> None:
    text = (
        '{"storage": {"inmem": {"a\\"b": 1}},\n'
        '"listener": {"tcp": {"tls_disable": true,\n "odd": 1}},\n"nothing": ": {}",\n'
        '"twice": {"twice": 1}, "again": 2,\n"again": 3}'
    )
    assert read(text)[1] == [
        'w.hcl: storage "inmem": a"b is not known and has no effect',
        'w.hcl:3: listener "tcp": odd is not known and has no effect',
        "w.hcl:4: nothing is not known and has no effect",
        "w.hcl:5: twice is not known and has no effect",
        "w.hcl: again is not known and has no effect",
        "w.hcl: again is not known and has no effect",
    ]


def test_the_default_time_to_live_does_not_exceed_a_given_maximum(read: Read) -> None:
    config, _ = read(MINIMAL + 'max_lease_ttl = "1h"')
    assert (config.default_lease_ttl, config.max_lease_ttl) == (3600, 3600)
    with pytest.raises(ConfigError, match=r"^w.hcl:3: default_lease_ttl: must not be greater"):
        read(MINIMAL + 'default_lease_ttl = "2h"\nmax_lease_ttl = "1h"')


@pytest.mark.parametrize("written", ["1", '"1"', "true", '"true"', '"T"', "2"])
def test_truth_values_may_be_written_as_in_vault(written: str, read: Read) -> None:
    assert read(MINIMAL + f"ui = {written}")[0].ui is True


def test_numbers_may_be_written_in_every_way_of_hcl(read: Read) -> None:
    config, _ = read(MINIMAL + "max_lease_ttl = 0x1000\ndefault_lease_ttl = 1e3\nui = 01")
    assert (config.max_lease_ttl, config.default_lease_ttl, config.ui) == (4096, 1000, True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('ui = "yes"', "ui: must be true or false"),
        ("ui = []", "ui: must be true or false"),
        ('default_lease_ttl = "soon"', 'default_lease_ttl: must be a duration such as "30s"'),
        ("default_lease_ttl = -1", "default_lease_ttl: must be a duration"),
        ("max_lease_ttl = true", "max_lease_ttl: must be a duration"),
        ("cluster_name = true", "cluster_name: must be a text in quotation marks"),
        ("pid_file = {}", "pid_file: must be a text"),
        ('pid_file = "a\\x00b"', "pid_file: must be a text"),
        ("workers = 0", "workers: must be a number from 1 to 64"),
        ("workers = 65", "workers: must be a number from 1 to 64"),
        ('workers = "many"', "workers: must be a whole number"),
        ("workers = 2", "workers: several need a storage that they can share; use lmdb"),
        ('log_level = "loud"', "log_level: must be one of trace, debug, info, warn, error"),
        ('log_format = "xml"', "log_format: must be one of standard, json"),
        ('api_addr = "127.0.0.1"', "api_addr: must be a URL such as"),
        ('api_addr = "https://[::1"', "api_addr: must be a URL such as"),
        ('cluster_addr = "ftp://x"', "cluster_addr: must be a URL such as"),
        ('storage "inmem" {}', 'storage "inmem": is one storage block too many'),
        ('seal "awskms" {}', 'seal: is not supported; the kinds are "shamir", "static" and'),
        ('seal { type = "pkcs11" }', "seal: is not supported; the kinds are"),
        ("seal { }", "seal: must be a block with its type before the brace"),
        ('seal = "shamir"', "seal: must be a block with its type"),
        ('listener "tcp" { tls_disable = 1 }', 'listener "tcp": has the same address as'),
        ('listener "quic" { }', 'listener "quic": is not supported; the types are "tcp" and'),
    ],
)
def test_an_error_names_file_line_and_key(text: str, problem: str, read: Read) -> None:
    with pytest.raises(ConfigError) as error:
        read(MINIMAL + text)
    assert str(error.value).startswith(f"w.hcl:3: {problem}")
    assert (error.value.file, error.value.line) == ("w.hcl", 3)
    assert error.value.key == problem.partition(":")[0]


@pytest.mark.parametrize("kind", ["file", "raft", "consul", "postgresql"])
def test_other_storage_is_refused_with_what_to_write_instead(kind: str, read: Read) -> None:
    fix = r'is not supported; write storage "lmdb" \{ path = "DIRECTORY" \}, or storage "inmem"'
    with pytest.raises(ConfigError, match=f'^w.hcl:1: storage "{kind}": {fix}'):
        read(f'storage "{kind}" {{ path = "/data" }}')


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "w.hcl: storage: is missing; add storage"),
        ('storage "inmem" {}', "w.hcl: listener: is missing; add listener"),
        ('\nstorage "lmdb" {}', 'w.hcl:2: storage "lmdb": path: is missing'),
        ('storage "lmdb" { path = "" }', 'w.hcl:1: storage "lmdb": path: is missing'),
        (
            'storage "lmdb" {\n path = "d"\n map_size = 0 }',
            'w.hcl:3: storage "lmdb": map_size: must be a number of bytes',
        ),
        (
            'storage "lmdb" {\n path = "d"\n map_size = "1GB" }',
            'w.hcl:3: storage "lmdb": map_size: must be a whole number',
        ),
        ('{"storage": ', "w.hcl:1: is no valid JSON: "),
        ('{"a": 1}\n{}', "w.hcl:2: is no valid JSON: "),
        ('{"a": "\\ud800"}', "w.hcl: half of a surrogate pair"),
        ('{"a": ' + "[" * 100_000, "w.hcl: nested deeper than"),
        ('{"a": ' + "[" * 100 + "]" * 100 + "}", "w.hcl: nested deeper than"),
    ],
)
def test_what_is_missing_or_damaged_is_an_error(text: str, problem: str, read: Read) -> None:
    with pytest.raises(ConfigError) as error:
        read(text)
    assert str(error.value).startswith(problem)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.hcl: cannot be read: No such file"):
        load_config([tmp_path / "nothing.hcl"])
    with pytest.raises(ConfigError, match=r"has no \*\.hcl or \*\.json file in it"):
        load_config([tmp_path])
    large, binary = tmp_path / "large.hcl", tmp_path / "binary.hcl"
    large.write_text("#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(ConfigError, match=r"large\.hcl: the file is larger than"):
        load_config([large])
    binary.write_bytes(b"a = 1\nb = \xff")
    with pytest.raises(ConfigError, match=r"binary\.hcl:2: the file is not UTF-8"):
        load_config([binary])


def test_a_flood_of_unknown_keys_is_warned_about_in_short(read: Read) -> None:
    _, warnings = read(MINIMAL + "\n".join(f"unknown{n} = 1" for n in range(5000)))
    assert len(warnings) == 51
    assert warnings[-1] == "w.hcl:53: from here on 4950 more keys are not known and have no effect"


def test_keys_in_messages_stay_on_one_short_line(read: Read) -> None:
    _, (warning,) = read(MINIMAL + '"a\\nb\\x1b' + "c" * 100 + '" = 1')
    assert warning.isprintable()
    assert len(warning) < 150


def test_the_log_is_described_by_several_keys(read: Read) -> None:
    config, warnings = read(
        MINIMAL + 'log_level = "WARNING"\nlog_file = "/var/log/w/"\nlog_rotate_bytes = "1000"\n'
        'log_rotate_duration = "1h"\nlog_rotate_max_files = -1\nlog_requests_level = "err"'
    )
    assert warnings == []
    assert (config.log_level, config.log_requests_level) == (LogLevel.WARN, LogLevel.ERROR)
    assert config.log_file == Path("/var/log/w")
    rotation = (config.log_rotate_bytes, config.log_rotate_duration, config.log_rotate_max_files)
    assert rotation == (1000, 3600, -1)
    assert read(MINIMAL + 'log_requests_level = "off"')[0].log_requests_level is None
    for line in ('log_level = "loud"', "log_rotate_bytes = -1", "log_rotate_max_files = -2"):
        with pytest.raises(ConfigError, match=f"^w.hcl:3: {line.split()[0]}: must be"):
            read(MINIMAL + line)


def test_telemetry_is_metrics_and_traces(read: Read) -> None:
    assert read(MINIMAL + "telemetry { }") == read(MINIMAL)
    config, warnings = read(
        MINIMAL + 'telemetry {\n prometheus_retention_time = "0s"\n metrics_prefix = "bao"\n'
        ' usage_gauge_period = 0\n otlp_endpoint = "http://127.0.0.1:4318"\n'
        " disable_hostname = true\n colour = 1\n}"
    )
    assert warnings == ["w.hcl:9: telemetry: colour is not known and has no effect"]
    assert config.telemetry == TelemetryConfig(
        prometheus=False,
        metrics_prefix="bao",
        gauge_period=0,
        otlp_endpoint="http://127.0.0.1:4318",
    )
    for line, problem in (
        ('otlp_endpoint = "collector"', "must be a URL"),
        ('metrics_prefix = "a b"', "must be made of letters"),
        ('usage_gauge_period = "soon"', "must be a duration"),
    ):
        with pytest.raises(ConfigError, match=f"^w.hcl:3: telemetry: {line.split()[0]}: {problem}"):
            read(MINIMAL + f"telemetry {{ {line} }}")
    with pytest.raises(ConfigError, match=r"^w.hcl:3: telemetry: must be a block"):
        read(MINIMAL + 'telemetry = "on"')
