"""What a server runs with, after files, environment and command line."""

from pathlib import Path

import pytest

from wardgate.server.config import LmdbStorage, LogLevel, MemoryStorage, ServerConfig
from wardgate.server.effective import effective_config
from wardgate.server.listeners import TcpListener, TlsConfig
from wardgate.server.options import parse_server_arguments

DEV_LISTENER = TcpListener(host="127.0.0.1", port=8200, tls=None)


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
    assert config == ServerConfig(storage=MemoryStorage(), listeners=(DEV_LISTENER,))
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
    assert config.listeners == (TcpListener(host="127.0.0.1", port=8200, tls=tls),)


def test_command_line_and_environment_go_over_the_file(file: Path) -> None:
    argv = [f"-config={file}", "-ns=x"]
    config, warnings = effective_config(parse_server_arguments(argv, {}))
    assert (config.log_level, config.api_addr) == (LogLevel.WARN, "http://file:8200")
    assert len(warnings) == 2  # of the command line and of the file
    env = {"VAULT_API_ADDR": "http://env:8200", "VAULT_LOG_LEVEL": "info"}
    config, _ = effective_config(parse_server_arguments([*argv, "-log-level=trace"], env))
    assert (config.log_level, config.api_addr) == (LogLevel.TRACE, "http://env:8200")
