"""A listener on a Unix socket."""

import os
import stat
from pathlib import Path

from tests.api import Api, unix
from tests.server_process import MEMORY_STORAGE, initialise, refused, serving, unseal, write_config


def configured(folder: Path, *lines: str) -> str:
    settings = "\n".join([f'address = "{folder / "socket"}"', *lines])
    return write_config(folder, MEMORY_STORAGE, f'listener "unix" {{\n{settings}\n}}')


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_answers_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with serving(configured(tmp_path), folder=tmp_path), Api(unix(path)) as api:
        assert mode(path) == 0o600
        unseal(api, initialise(api))
        assert api.get("auth/token/lookup-self").status == 200
    assert not path.exists()


def test_mode_and_owner_are_as_configured(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    lines = (
        'socket_mode = "0660"',
        f'socket_user = "{os.getuid()}"',
        f'socket_group = "{os.getgid()}"',
    )
    with serving(configured(tmp_path, *lines), folder=tmp_path), Api(unix(path)) as api:
        assert mode(path) == 0o660
        assert (path.stat().st_uid, path.stat().st_gid) == (os.getuid(), os.getgid())
        assert api.get("sys/seal-status").status == 200


def test_an_owner_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    said = refused(configured(tmp_path, 'socket_user = "nobody-of-that-name"'), folder=tmp_path)

    assert "Error: cannot set owner and mode of" in said
    assert not (tmp_path / "socket").exists()


def test_the_socket_of_a_killed_server_is_replaced(tmp_path: Path) -> None:
    config = configured(tmp_path)
    with serving(config, folder=tmp_path) as process:
        process.kill()
    assert (tmp_path / "socket").is_socket()

    with serving(config, folder=tmp_path), Api(unix(tmp_path / "socket")) as api:
        assert api.get("sys/seal-status").status == 200


def test_the_socket_of_a_living_server_is_not(tmp_path: Path) -> None:
    config = configured(tmp_path)
    with serving(config, folder=tmp_path), Api(unix(tmp_path / "socket")) as api:
        assert "another server listens there" in refused(config, folder=tmp_path)
        assert api.get("sys/seal-status").status == 200


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    path.write_text("a letter")

    assert "a file that is no socket is there" in refused(configured(tmp_path), folder=tmp_path)
    assert path.read_text() == "a letter"


def test_a_path_that_is_too_long_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()

    assert "Error: cannot listen on" in refused(configured(folder), folder=tmp_path)
