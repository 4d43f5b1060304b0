"""The command line of ``wardgate server``."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from wardgate.server.config import LogFormat, LogLevel
from wardgate.server.flags import FLAGS, Fate
from wardgate.server.options import (
    DevOptions,
    HelpRequested,
    ServerOptions,
    UsageError,
    parse_server_arguments,
)

BAO = Path(sys.executable).with_name("bao")


def parse(*argv: str, env: Mapping[str, str] | None = None) -> ServerOptions:
    return parse_server_arguments(argv, env or {})


def dev(*argv: str, env: Mapping[str, str] | None = None) -> DevOptions:
    options = parse("-dev", *argv, env=env).dev
    assert options is not None
    return options


@pytest.mark.parametrize(
    "argv",
    [
        ("-config=a.hcl", "-config=b", "-log-level=debug", "-log-format=json"),
        ("--config=a.hcl", "--config", "b", "--log-level", "DEBUG", "-log-format", "json"),
        ("-config", "a.hcl", "-config", "b", "-dev=false", "-log-level=debug", "-log-format=json"),
    ],
)
def test_flags_are_spelled_in_vaults_ways(argv: tuple[str, ...]) -> None:
    assert parse(*argv) == ServerOptions(
        config_paths=(Path("a.hcl"), Path("b")),
        log_level=LogLevel.DEBUG,
        log_format=LogFormat.JSON,
    )


def test_a_dev_server_has_vaults_defaults() -> None:
    assert parse("-dev") == parse("--dev") == parse("-dev=true")
    assert parse("-dev") == ServerOptions(dev=DevOptions(host="127.0.0.1", port=8200))
    assert dev().data is None
    assert dev().store_token
    assert dev().kv_version == 2


def test_a_dev_server_takes_its_flags() -> None:
    assert dev(
        "-dev-root-token-id=root",
        "-dev-listen-address=0.0.0.0:1234",
        "-dev-no-store-token",
        "-dev-kv-v1",
        "--data=d",
        "-dev-tls",
        "-dev-tls-cert-dir=c",
    ) == DevOptions(
        host="0.0.0.0",
        port=1234,
        root_token_id="root",
        store_token=False,
        data=Path("d"),
        tls=True,
        tls_cert_dir=Path("c"),
        kv_version=1,
    )
    assert dev("-dev-no-kv").kv_version is None
    assert parse("-dev-tls").dev == dev("-dev-tls")


@pytest.mark.parametrize("prefix", ["WARDGATE_", "BAO_", "VAULT_"])
def test_the_environment_stands_behind_the_flags(prefix: str) -> None:
    env = {
        f"{prefix}DEV_ROOT_TOKEN_ID": "root",
        f"{prefix}DEV_LISTEN_ADDRESS": "127.0.0.1:1234",
        f"{prefix}LOG_LEVEL": "trace",
        f"{prefix}LOG_FORMAT": "json",
        f"{prefix}API_ADDR": "https://vault.example.com:8200",
        f"{prefix}CLUSTER_ADDR": "https://10.0.0.1:8201",
    }
    options = parse("-dev", env=env)
    assert options == ServerOptions(
        dev=DevOptions(host="127.0.0.1", port=1234, root_token_id="root"),
        log_level=LogLevel.TRACE,
        log_format=LogFormat.JSON,
        api_addr="https://vault.example.com:8200",
        cluster_addr="https://10.0.0.1:8201",
    )
    assert dev("-dev-root-token-id=other", env=env).root_token_id == "other"
    assert parse(env={f"{prefix}CONFIG_PATH": "a.hcl"}).config_paths == (Path("a.hcl"),)


def test_the_nearer_name_goes_first_and_empty_variables_do_not_count() -> None:
    env = {"VAULT_DEV_ROOT_TOKEN_ID": "v", "BAO_DEV_ROOT_TOKEN_ID": "b"}
    assert dev(env=env).root_token_id == "b"
    assert dev(env={**env, "WARDGATE_DEV_ROOT_TOKEN_ID": "w"}).root_token_id == "w"
    assert dev(env={**env, "BAO_DEV_ROOT_TOKEN_ID": ""}).root_token_id == "v"


def test_the_root_token_is_not_shown() -> None:
    assert "hunter2" not in repr(dev("-dev-root-token-id=hunter2"))


def test_without_dev_a_root_token_is_ignored_with_a_warning_as_in_bao() -> None:
    options = parse("-config=a", env={"VAULT_DEV_ROOT_TOKEN_ID": "root"})
    assert options.warnings == ("-dev-root-token-id has no effect without -dev",)


def test_the_log_file_is_chosen_by_flags() -> None:
    options = parse(
        "-config=a",
        "-log-file=/var/log/w.log",
        "-log-rotate-bytes=1000",
        "-log-rotate-duration=12h",
        "-log-rotate-max-files=-1",
        "-log-level=warning",
    )
    assert options == ServerOptions(
        config_paths=(Path("a"),),
        log_file=Path("/var/log/w.log"),
        log_rotate_bytes=1000,
        log_rotate_duration=43200,
        log_rotate_max_files=-1,
        log_level=LogLevel.WARN,
    )


def test_the_old_name_of_the_api_address_is_known() -> None:
    assert parse("-dev", env={"VAULT_REDIRECT_ADDR": "http://a:1"}).api_addr == "http://a:1"
    both = {"BAO_REDIRECT_ADDR": "http://a:1", "BAO_API_ADDR": "http://b:1"}
    assert parse("-dev", env=both).api_addr == "http://b:1"


def test_flags_that_mean_nothing_here_are_accepted() -> None:
    options = parse(
        "-dev", "-exit-on-core-shutdown", "-address=http://x", "-non-interactive", "-dev-ha"
    )
    assert options.warnings == tuple(
        f"-{name} has no effect on a Wardgate server"
        for name in ("address", "non-interactive", "dev-ha")
    )


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        ((), "nothing to start: give -config=PATH, or -dev"),
        (("--data=d", "-config=a"), "-data is for a dev server"),
        (("-dev", "-dev-rot-token-id=x"), "argument 2 .* the nearest is -dev-root-token-id"),
        (("-config=a", "-log-level=loud"), "-log-level must be one of trace, debug"),
        (("-config=a", "-log-rotate-bytes=1k"), "-log-rotate-bytes must be a whole number"),
        (("-config=a", "-log-rotate-max-files=-2"), "-log-rotate-max-files must be .* below -1"),
        (("-config=a", "-log-rotate-duration=0"), "-log-rotate-duration must be a duration"),
        (("-dev", "-check-config"), "-check-config is for configuration files"),
        (("-dve",), "argument 1 is no known flag; the nearest is -dev$"),
        (("-dev", "--", "x"), "argument 2 is no flag"),
        (("-dev", "root"), "argument 2 is no flag; wardgate server takes nothing else"),
        (("---dev",), "argument 1 is no known flag"),
        (("-",), "argument 1 is no flag"),
        (("-config",), "-config needs a value"),
        (("-dev=maybe",), "-dev takes no value but true or false"),
        (("-dev", "-dev-listen-address=8200"), "-dev-listen-address must be"),
        (("-dev", "-log-level=loud"), "-log-level must be one of trace, debug, info, warn, error"),
        (("-dev", "-log-format=xml"), "-log-format must be one of standard, json"),
        (("-dev", "-dev-no-kv", "-dev-kv-v1"), "contradict each other"),
        (("-recovery", "-config=a"), "-recovery is not supported by Wardgate"),
        (("-dev-three-node",), "-dev-three-node is not supported by Wardgate"),
    ],
)
def test_what_cannot_be_done_is_a_usage_error(argv: tuple[str, ...], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        parse(*argv)


@pytest.mark.parametrize(
    "argv",
    [
        ("-dev", "hunter2"),
        ("-dev", "-hunter2"),
        ("-dev=hunter2",),
        ("-dev", "-log-level=hunter2"),
        ("-dev", "-dev-listen-address=hunter2"),
        ("-dev", "-dev-no-store-token=hunter2"),
    ],
)
def test_usage_errors_do_not_repeat_what_was_typed(argv: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as error:
        parse(*argv)
    assert "hunter2" not in str(error.value)


def test_a_wrong_address_in_the_environment_is_named() -> None:
    with pytest.raises(UsageError, match="VAULT_API_ADDR must be a URL"):
        parse("-dev", env={"VAULT_API_ADDR": "localhost"})


@pytest.mark.parametrize("flag", ["-h", "-help", "--help"])
def test_help_shows_every_flag_that_does_something(flag: str) -> None:
    with pytest.raises(HelpRequested) as requested:
        parse("-dev", flag)
    text = str(requested.value)
    assert max(map(len, text.splitlines())) <= 88
    for name, known in FLAGS.items():
        assert (f"-{name}" in text) == (known.fate is not Fate.REFUSED), name


def test_every_flag_that_bao_lists_is_known() -> None:
    command = [str(BAO), "server", "-h"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    names = re.findall(r"^  -([a-z-]+)(=?)", said.stdout + said.stderr, re.MULTILINE)
    assert len(names) > 30
    for name, equals in names:
        assert name in FLAGS
        assert bool(FLAGS[name].value) == bool(equals), name
