"""``wardgate server -check-config``."""

import datetime
from pathlib import Path

import pytest

from tests.server.certificates import Authority
from wardgate.server.checking import check_config
from wardgate.server.options import ServerOptions


def checked(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    file = tmp_path / "w.hcl"
    file.write_text(text)
    code = check_config(ServerOptions(config_paths=(file,)))
    said = capsys.readouterr()
    assert said.err == ""
    return code, said.out.replace(str(tmp_path), "DIR").splitlines()


def test_a_good_configuration_is_described(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = Authority(tmp_path).issue("server")
    text = f"""
    storage "lmdb" {{ path = "{tmp_path}/data" }}
    {certificate.listener(8200)}
    listener "tcp" {{ address = "[::1]:8300" tls_disable = true }}
    listener "unix" {{ address = "{tmp_path}/socket" }}
    log_file = "{tmp_path}/w.log"
    telemetry {{ otlp_endpoint = "http://127.0.0.1:4318" }}
    colour = "hunter2"
    """
    code, lines = checked(tmp_path, text, capsys)
    until = lines[0].rpartition(" ")[2]
    assert datetime.datetime.fromisoformat(until) > datetime.datetime.now(datetime.UTC)
    assert code == 0
    assert [lines[0].replace(until, "..."), *lines[1:]] == [
        "listener tcp 127.0.0.1:8200, TLS from tls12, certificate until ...",
        "listener tcp [::1]:8300, without TLS",
        "listener unix DIR/socket, mode 0600",
        "storage  lmdb in DIR/data",
        "seal     shamir",
        "log      info, standard, to standard error and DIR/w.log",
        "traces   to otlp_endpoint",
        f"warning  DIR/w.hcl:{text[: text.index('colour')].count(chr(10)) + 1}: colour is not known"
        " and has no effect",
        "The configuration can be used; warnings: 1.",
    ]
    assert {each.name for each in tmp_path.iterdir()}.isdisjoint({"data", "socket", "w.log"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("storage {", "DIR/w.hcl:1: "),
        ('storage "inmem" {}', "DIR/w.hcl: listener: is missing"),
        ('storage "inmem" {}\nlistener "tcp" { tls_disable = "x" }', "DIR/w.hcl:2: listener"),
    ],
)
def test_what_cannot_be_used_is_said(
    text: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = checked(tmp_path, text, capsys)
    assert code == 1
    assert lines[0].startswith(f"error    {problem}")
    assert lines[1:] == ["The configuration cannot be used."]


def test_files_and_directories_are_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    text = f"""
    storage "lmdb" {{ path = "{tmp_path}/file" }}
    listener "tcp" {{ tls_cert_file = "{tmp_path}/none" tls_key_file = "{tmp_path}/none" }}
    listener "unix" {{ address = "{tmp_path}/none/socket" }}
    log_file = "{tmp_path}/none/w.log"
    """
    code, lines = checked(tmp_path, text, capsys)
    errors = [line for line in lines if line.startswith("error ")]
    assert code == 1
    assert len(errors) == 4
    assert "error    storage path: DIR/file is no directory" in errors
    assert "error    log_file: there is no directory DIR/none" in errors
    assert any("tls_cert_file" in each for each in errors)


def test_an_audit_device_that_would_stop_everything_is_warned_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "foreign").write_text("something else\n")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "empty").touch(0o600)
    (tmp_path / "program").touch(0o700)
    names = ("new/one", "empty", "foreign", "link", "program")
    text = 'storage "inmem" {}\nlistener "tcp" { tls_disable = true }\n' + "".join(
        f'audit "file" "{name}" {{ options {{ file_path = "{tmp_path}/{name}" }} }}\n'
        for name in names
    )
    text += 'audit "socket" "s" { options { address = "127.0.0.1:1" } }\n'
    text += 'audit "file" "none" { options { file_path = "discard" } }\n'
    code, lines = checked(tmp_path, text, capsys)
    assert code == 0
    assert [line for line in lines if line.startswith(("audit", "warning"))] == [
        *(f"audit    {name}/ (file) to DIR/{name}" for name in names),
        "audit    s/ (socket)",
        "audit    none/ (file) to discard",
        "warning  audit device foreign/ cannot write to DIR/foreign: the file holds something else"
        " than audit records",
        "warning  audit device link/ cannot write to DIR/link: the path is a symbolic link",
        "warning  audit device program/ cannot write to DIR/program: the file is executable",
    ]
    assert {each.name for each in tmp_path.iterdir()}.isdisjoint({"new", "elsewhere"})


def test_a_seal_is_named_and_its_key_looked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "seal.key"
    text = (
        f'storage "inmem" {{}}\nlistener "unix" {{ address = "{tmp_path}/socket" }}\n'
        f'seal "static" {{ current_key_id = "a" current_key = "file://{key}" }}'
    )
    code, lines = checked(tmp_path, text, capsys)
    assert (code, "seal     static" in lines) == (1, True)
    assert any(line.startswith("error    ") and "current_key" in line for line in lines)
    key.write_bytes(bytes(range(32)))
    key.chmod(0o400)
    code, lines = checked(tmp_path, text, capsys)
    assert (code, lines[-1]) == (0, "The configuration can be used; warnings: 0.")
