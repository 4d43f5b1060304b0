"""A server that was started in a wrong way says what is wrong, in one line, and exits with 1."""

from pathlib import Path

import pytest

from tests.server_process import (
    MEMORY_STORAGE,
    lmdb_storage,
    plain_listener,
    refused,
    serving,
    write_config,
)
from tests.servers import free_port


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to start: give -config=PATH, or -dev for a dev server"),
        (["-dve"], "argument 1 is no known flag; the nearest is -dev"),
        (["start"], "argument 1 is no flag"),
        (["-config"], "-config needs a value"),
        (["-config=/nowhere/at/all.hcl"], "cannot be read: No such file or directory"),
        (["-dev", "-dev-listen-address=nonsense"], "-dev-listen-address must be"),
        (["-dev", "-dev-listen-address=127.0.0.1:1:1"], "-dev-listen-address must be"),
        (["-dev", "-dev-listen-address=203.0.113.1:8200"], "cannot listen on 203.0.113.1:8200"),
        (["-dev", "-log-level=loud"], "-log-level must be one of"),
        (["-data=x"], "-data is for a dev server"),
        (["-dev", "--data=/dev/null/x"], "cannot open the data file in"),
    ],
)
def test_a_wrong_command_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    said = refused(*arguments, folder=tmp_path)

    assert said.startswith("Error: ")
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([""], "storage"),
        ([MEMORY_STORAGE], "listener"),
        (['storage "raft" {}'], "is not supported"),
        ([MEMORY_STORAGE, 'listener "tcp" {}'], "tls_cert_file"),
        (['storage "inmem" {'], "server.hcl"),
        ([lmdb_storage(Path("/proc/nowhere")), plain_listener(1)], "cannot open the data file in"),
    ],
)
def test_a_wrong_configuration(tmp_path: Path, blocks: list[str], message: str) -> None:
    said = refused(write_config(tmp_path, *blocks), folder=tmp_path)

    assert said.startswith("Error: ")
    assert message in said
    assert said.count("\n") == 1


def test_a_pid_file_that_cannot_be_written(tmp_path: Path) -> None:
    setting = f'pid_file = "{tmp_path}/nowhere/file"'
    config = write_config(tmp_path, MEMORY_STORAGE, plain_listener(free_port()), setting)

    said = refused(config, folder=tmp_path)

    assert said == "Error: pid_file: cannot be written: No such file or directory\n"


def test_the_pid_file_is_there_while_the_server_is(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    setting = f'pid_file = "{file}"'
    config = write_config(tmp_path, MEMORY_STORAGE, plain_listener(free_port()), setting)

    with serving(config, folder=tmp_path) as process:
        assert file.read_text() == f"{process.pid}\n"
    assert not file.exists()
