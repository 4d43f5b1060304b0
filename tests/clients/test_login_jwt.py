"""`wardgate login -method=jwt`: a token of somebody else's is the proof."""

import time
from pathlib import Path

import pytest

from tests.api import Api, tcp
from tests.clients.shell import Shell
from tests.issuer import pem, signed
from tests.servers import Server


@pytest.fixture
def token(server: Server) -> str:
    """A token that the role "builds" takes."""
    with Api(tcp(server.port), server.root_token) as api:
        if api.get("sys/auth/jwt").status != 200:
            api.post("sys/auth/jwt", {"type": "jwt"})
            api.post("auth/jwt/config", {"jwt_validation_pubkeys": [pem("rsa")]})
            role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": "us"}
            assert api.post("auth/jwt/role/builds", role).status == 204
    now = int(time.time())
    return signed({"sub": "build-7", "aud": "us", "iat": now, "exp": now + 300})


@pytest.fixture
def shell(server: Server, tmp_path: Path) -> Shell:
    return Shell(tmp_path, server.address)


def test_it_comes_by_stdin_or_from_a_file(shell: Shell, token: str) -> None:
    login = ("login", "-method=jwt", "-field=token_meta_role", "role=builds")
    assert shell.ok(*login, "jwt=-", stdin=f"{token}\n") == "builds"
    assert (shell.home / ".vault-token").read_text()
    (shell.home / "token").write_text(f"{token}\n")
    assert shell.ok(*login, "jwt=@token") == "builds"


def test_it_is_asked_for_and_not_shown(shell: Shell, token: str) -> None:
    words = ["login", "-method=jwt", "role=builds"]
    code, screen = shell.at_terminal(words, {"JWT (will be hidden): ": token})
    assert (code, "Success!" in screen) == (0, True)
    assert token not in screen


def test_what_is_wrong_is_said_without_the_token(shell: Shell, token: str) -> None:
    done = shell.run("login", "-method=jwt", "role=builds", f"jwt={token[:-5]}AAAAA")
    assert done.returncode == 2
    assert "signature" in done.stderr
    assert token[:20] not in done.stderr
    done = shell.run("login", "-method=jwt", "name=builds", f"jwt={token}")
    assert done.returncode == 1
    assert token not in done.stderr
    done = shell.run("login", "-method=jwt", "role=builds")
    assert done.returncode == 1
    assert "JWT cannot be asked for" in done.stderr


def test_the_mount_may_be_another_one(shell: Shell, token: str) -> None:
    done = shell.run("login", "-method=jwt", "-path=nowhere", "role=builds", "jwt=-", stdin=token)
    assert done.returncode == 2
    assert "auth/nowhere/login" in done.stderr
