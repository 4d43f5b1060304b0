"""What a running server shows to others on its machine (security cases 42 and 49)."""

import os
import stat
from pathlib import Path

import pytest

from tests.api import Api, tcp, unix
from tests.server_process import (
    initialise,
    lmdb_storage,
    plain_listener,
    serving,
    unseal,
    write_config,
)
from tests.servers import free_port

SECRET = "hunter2-Zq9"


def test_42_neither_logs_nor_metrics_nor_the_process_list_hold_a_secret(tmp_path: Path) -> None:
    """With every request logged, while secrets pass through all of its parts."""
    port = free_port()
    config = write_config(
        tmp_path,
        lmdb_storage(tmp_path / "data"),
        plain_listener(port),
        f'log_level = "trace"\nlog_file = "{tmp_path}/w.log"\nlog_format = "json"',
    )
    with serving(config, folder=tmp_path) as process, Api(tcp(port)) as api:
        keys = initialise(api)
        unseal(api, keys)
        secrets = [SECRET, api.token, *keys]
        assert api.post("sys/auth/userpass", {"type": "userpass"}).status == 204
        assert api.post("auth/userpass/users/ada", {"password": SECRET}).status == 204
        for password in (SECRET, f"{SECRET}-wrong"):
            login = api.post("auth/userpass/login/ada", {"password": password}, token="")
            secrets += [login.auth["client_token"]] if login.status == 200 else []
        assert api.post("cubbyhole/a", {"password": SECRET}).status == 204
        assert api.get(f"cubbyhole/a?query={SECRET}").data == {"password": SECRET}
        assert api.get("auth/token/lookup-self", token=SECRET).status == 403
        assert api.get(f"auth/token/lookup/{api.token}").status in (404, 405)
        assert api.post("auth/token/create", {"ttl": SECRET, "meta": SECRET}).status == 400
        assert api.post("sys/unseal", {"key": SECRET}).status == 400
        metrics = str(api.get("sys/metrics").body)
        shown = {
            "standard error": process.log,
            "log file": (tmp_path / "w.log").read_text(),
            "metrics": metrics,
            "process list": Path(f"/proc/{process.pid}/cmdline").read_text(),
            "state": str(api.get("sys/config/state/sanitized").body),
        }
    assert "path='/v1/auth/userpass/login/ada'" in shown["log file"]
    assert "vault.route.update.auth-userpass-" in metrics
    for place, text in shown.items():
        for secret in secrets:
            assert secret not in text, place


def test_42_a_dev_servers_token_need_not_stand_in_the_process_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    # the test's servers get no variable of this program from outside but those that it sets here
    monkeypatch.setattr(
        "tests.server_process._environment",
        lambda home: {**os.environ, "HOME": str(home), "WARDGATE_DEV_ROOT_TOKEN_ID": SECRET},
    )
    flags = ["-dev", f"-dev-listen-address=127.0.0.1:{port}", "-dev-no-store-token"]
    with serving(*flags, folder=tmp_path) as process, Api(tcp(port), SECRET) as api:
        assert api.get("auth/token/lookup-self").status == 200
        assert SECRET not in Path(f"/proc/{process.pid}/cmdline").read_text()
        assert SECRET not in process.log


def test_49_everything_that_a_server_makes_is_its_owners_alone(tmp_path: Path) -> None:
    """Data, log, the file with its process id and Unix sockets, whatever the umask was."""
    folder = tmp_path / "made"
    folder.mkdir()
    socket = folder / "socket"
    config = write_config(
        tmp_path,
        lmdb_storage(folder / "data"),
        f'listener "unix" {{ address = "{socket}" }}',
        f'log_file = "{folder}/w.log"\npid_file = "{folder}/pid"\nlog_rotate_bytes = 100',
    )
    old = os.umask(0)
    try:
        with serving(config, folder=tmp_path), Api(unix(socket)) as api:
            unseal(api, initialise(api))
            assert api.get("auth/token/lookup-self").status == 200
            modes = {
                path.relative_to(folder): stat.S_IMODE(path.stat().st_mode)
                for path in folder.rglob("*")
            }
    finally:
        os.umask(old)
    assert {Path("socket"), Path("w.log"), Path("pid"), Path("data")} <= set(modes)
    assert len([path for path in modes if path.name.startswith("w-")]) >= 1
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}
