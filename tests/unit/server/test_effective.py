"""What a server runs with, after files, environment and command line."""

from pathlib import Path

import pytest

from wardgate.http.rules import Rules
from wardgate.server.config import LmdbStorage, LogLevel, MemoryStorage, ServerConfig
from wardgate.server.effective import effective_config
from wardgate.server.listeners import TcpListener, TlsConfig
from wardgate.server.options import ServerOptions, parse_server_arguments

OPEN = Rules(open_metrics=True)
DEV_LISTENER = TcpListener(host="127.0.0.1", port=8200, tls=None, rules=OPEN)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "w.hcl"
    path.write_text(
        'storage "lmdb" { path = "file" }\nlistener "tcp" { address = ":1" tls_disable = 1 }\n'
        'log_level = "warn"\napi_addr = "http://file:8200"\nodd = 1'
    )
    return path


def test_a_dev_server_needs_no_file() -> None:
    config, warnings = effective_config(parse_server_arguments(["-dev"], {}))
    assert config == ServerConfig(
        storage=MemoryStorage(),
        listeners=(DEV_LISTENER,),
        introspection_endpoint=True,
        raw_storage_endpoint=True,
        ui=True,
    )
    assert warnings == []


def test_a_dev_server_keeps_its_data_where_it_is_told(file: Path) -> None:
    options = parse_server_arguments(["-dev", "--data=d", f"-config={file}"], {})
    assert effective_config(options)[0].storage == LmdbStorage(Path("d"))


def test_a_dev_server_with_a_file_listens_on_both_addresses(file: Path) -> None:
    config, _ = effective_config(parse_server_arguments(["-dev", f"-config={file}"], {}))
    assert config.storage == LmdbStorage(Path("file"))
    assert config.listeners == (DEV_LISTENER, TcpListener(host="", port=1, tls=None))


def test_a_tls_dev_server_listens_with_its_certificate() -> None:
    tls = TlsConfig(cert_file=Path("c"), key_file=Path("k"))
    config, _ = effective_config(parse_server_arguments(["-dev-tls"], {}), tls)
    assert config.listeners == (TcpListener(host="127.0.0.1", port=8200, tls=tls, rules=OPEN),)


def test_command_line_and_environment_go_over_the_file(file: Path) -> None:
    argv = [f"-config={file}", "-ns=x"]
    config, warnings = effective_config(parse_server_arguments(argv, {}))
    assert (config.log_level, config.api_addr) == (LogLevel.WARN, "http://file:8200")
    assert len(warnings) == 2  # of the command line and of the file
    env = {"VAULT_API_ADDR": "http://env:8200", "VAULT_LOG_LEVEL": "info"}
    config, _ = effective_config(parse_server_arguments([*argv, "-log-level=trace"], env))
    assert (config.log_level, config.api_addr) == (LogLevel.TRACE, "http://env:8200")


def test_flags_go_before_the_log_files_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "w.hcl"
    file.write_text(
        'storage "inmem" {}\nlistener "tcp" { tls_disable = true }\nlog_file = "a.log"\n'
        "log_rotate_bytes = 5\nlog_rotate_max_files = 3"
    )
    config, _ = effective_config(
        ServerOptions(config_paths=(file,), log_rotate_bytes=0, log_rotate_duration=60)
    )
    assert (config.log_file, config.log_rotate_bytes) == (Path("a.log"), 0)
    assert (config.log_rotate_duration, config.log_rotate_max_files) == (60, 3)
