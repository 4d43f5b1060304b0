"""What `wardgate server -dev` prints, keeps and leaves behind."""

import base64
import re
import stat
from pathlib import Path

from tests.api import Api, tcp
from tests.server_process import refused, serving
from tests.servers import free_port


def flags(port: int, *more: str) -> list[str]:
    return ["-dev", f"-dev-listen-address=127.0.0.1:{port}", *more]


def printed(output: str, name: str) -> str:
    """What stands behind a name, as harnesses that start a server find it."""
    found = re.findall(rf"^{name}: (\S+)$", output, re.MULTILINE)
    assert len(found) == 1, output
    return str(found[0])


def test_it_prints_how_to_reach_it(tmp_path: Path) -> None:
    port = free_port()
    with serving(*flags(port), folder=tmp_path) as process, Api(tcp(port)) as api:
        assert f"$ export VAULT_ADDR='http://127.0.0.1:{port}'" in process.output.splitlines()
        page = printed(process.output, "  Web page")
        assert page == f"http://localhost:{port}/ui/login"  # passkeys need a name
        api.token = printed(process.output, "Root Token")
        assert re.fullmatch(r"s\.[A-Za-z0-9]{24}", api.token)
        assert api.get("auth/token/lookup-self").data["policies"] == ["root"]
        assert api.get("sys/mounts").data["secret/"]["options"] == {"version": "2"}

        key = printed(process.output, "Unseal Key")
        assert len(base64.b64decode(key)) == 32
        assert api.call("PUT", "sys/seal").status == 204
        assert api.get("sys/health").status == 503
        assert api.call("PUT", "sys/unseal", {"key": key}).body["sealed"] is False
        said = [line.partition(" ")[2] for line in process.log.splitlines()]
        assert [line.partition(" request_id=")[0] for line in said] == [
            "[INFO] wardgate.seal: sealed; requested from 127.0.0.1",
            "[INFO] wardgate.seal: unsealed; the last key came from 127.0.0.1",
        ]


def test_the_command_line_is_given_the_token(tmp_path: Path) -> None:
    file = tmp_path / ".vault-token"
    port = free_port()
    with serving(*flags(port, "-dev-no-store-token"), folder=tmp_path):
        assert not file.exists()
    with serving(*flags(port, "-dev-root-token-id=chosen"), folder=tmp_path):
        assert file.read_text() == "chosen"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_nothing_is_kept_without_a_directory(tmp_path: Path) -> None:
    port = free_port()
    for _ in range(2):
        arguments = flags(port, "-dev-root-token-id=root")
        with serving(*arguments, folder=tmp_path), Api(tcp(port), "root") as api:
            assert api.get("secret/data/a").status == 404
            assert api.post("secret/data/a", {"data": {"a": 1}}).status == 200


def test_a_directory_keeps_data_and_token(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    with serving(*flags(port, f"--data={data}"), folder=tmp_path) as process:
        token = printed(process.output, "Root Token")
        key = printed(process.output, "Unseal Key")
        with Api(tcp(port), token) as api:
            assert api.post("secret/data/a", {"data": {"a": 1}}).status == 200
        assert stat.S_IMODE((data / "dev-unseal-key").stat().st_mode) == 0o600

    with serving(*flags(port, f"--data={data}"), folder=tmp_path) as process:
        assert printed(process.output, "Root Token") == token
        assert printed(process.output, "Unseal Key") == key
        with Api(tcp(port), token) as api:
            assert api.get("secret/data/a").data["data"] == {"a": 1}
            process.kill()

    with serving(*flags(port, f"--data={data}"), folder=tmp_path), Api(tcp(port), token) as api:
        assert api.get("secret/data/a").data["data"] == {"a": 1}


def test_another_token_than_that_of_the_data_is_refused(tmp_path: Path) -> None:
    arguments = flags(free_port(), f"--data={tmp_path / 'data'}")
    for _ in range(2):
        with serving(*arguments, "-dev-root-token-id=first", folder=tmp_path):
            pass

    said = refused(*arguments, "-dev-root-token-id=second", folder=tmp_path)

    assert "the data directory has another root token than -dev-root-token-id" in said


def test_the_log_of_requests_holds_neither_query_nor_token(tmp_path: Path) -> None:
    port = free_port()
    arguments = flags(port, "-dev-root-token-id=chosen-token", "-log-level=debug")
    with serving(*arguments, folder=tmp_path) as process, Api(tcp(port), "chosen-token") as api:
        assert api.get("secret/data/a%20b?version=54321").status == 404
        process.wait_for_log(" request id=")
        assert "method='GET' path='/v1/secret/data/a b' status=404 ms=" in process.log
        assert "54321" not in process.log
        assert "chosen-token" not in process.log


def test_a_directory_whose_server_was_killed_before_it_was_initialised_opens(
    tmp_path: Path,
) -> None:
    """The key is written before the data, so what is left behind is a key, never data without one."""
    data, port = tmp_path / "data", free_port()
    data.mkdir(mode=0o700)
    key = base64.b64encode(bytes(range(32))).decode()
    (data / "dev-unseal-key").write_text(f"{key}\nkept-token\n")
    arguments = flags(port, f"--data={data}")
    with serving(*arguments, folder=tmp_path) as process, Api(tcp(port), "kept-token") as api:
        assert printed(process.output, "Unseal Key") == key
        assert api.get("auth/token/lookup-self").status == 200
    (data / "data.mdb").unlink()
    with serving(*arguments, "-dev-root-token-id=other", folder=tmp_path) as process:
        assert printed(process.output, "Root Token") == "other"
        assert printed(process.output, "Unseal Key") != key


def test_a_damaged_key_file_is_said_to_be_one(tmp_path: Path) -> None:
    data = tmp_path / "data"
    arguments = flags(free_port(), f"--data={data}")
    with serving(*arguments, folder=tmp_path):
        pass
    (data / "dev-unseal-key").write_text("no key\n")
    said = refused(*arguments, folder=tmp_path)
    assert "dev-unseal-key is damaged" in said
    assert [file.name for file in data.iterdir() if file.name.startswith(".dev")] == []
