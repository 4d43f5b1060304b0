"""`wardgate operator` replaces unseal keys and makes root tokens, and prints the JSON of `bao`."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.shell import Shell
from tests.servers import Server


@pytest.fixture
def keys() -> list[str]:
    return []


@pytest.fixture
def shell(new_server: Server, tmp_path: Path, keys: list[str]) -> Shell:
    """Root at a server with two of two keys."""
    shell = Shell(tmp_path, new_server.address)
    made = json.loads(shell.ok("operator", "init", "-n=2", "-t=2", "-format=json"))
    keys += made["unseal_keys_b64"]
    for key in keys:
        shell.ok("operator", "unseal", key)
    shell.variables["VAULT_TOKEN"] = made["root_token"]
    return shell


def _json(shell: Shell, *words: str, program: str = "wardgate") -> Any:
    done = shell.start(*words[:2], "-format=json", *words[2:], program=program)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _shape(value: Any) -> Any:
    return {name: type(member).__name__ for name, member in value.items()}


@pytest.mark.parametrize("command", ["rekey", "rotate-keys"])
def test_keys_are_replaced(shell: Shell, keys: list[str], command: str) -> None:
    def turns(*words: str) -> Any:
        """The same question from both; the answer."""
        ours = _json(shell, "operator", command, *words)
        theirs = _json(shell, "operator", command, *words, program="bao")
        assert ours == theirs
        return ours

    shell.ok("operator", command, "-init", "-n=1", "-t=1", "-verify")
    nonce = f"-nonce={turns('-status')['nonce']}"
    assert "1/2" in shell.ok("operator", command, nonce, "-", stdin=keys[0])
    assert turns("-status")["progress"] == 1
    assert shell.run("operator", command, keys[1]).returncode == 1, "a nonce is missing"
    done = _json(shell, "operator", command, nonce, keys[1])
    assert turns("-verify", "-status")["started"] is True
    verification = f"-nonce={done['verification_nonce']}"
    told = shell.ok("operator", command, "-verify", verification, done["keys_base64"][0])
    assert "in force" in told
    assert turns("-status")["required"] == 1

    shell.ok("operator", command, "-init", "-n=1", "-t=1")
    code, screen = shell.at_terminal(["operator", command], {"hidden": done["keys_base64"][0]})
    assert code == 0
    assert "shown only now" in screen


def test_what_is_finished_has_the_shape_of_baos(shell: Shell, keys: list[str]) -> None:
    answers = []
    for program in ("bao", "wardgate"):
        begun = _json(shell, "operator", "rotate-keys", "-init", "-n=2", "-t=2", program=program)
        nonce = f"-nonce={begun['nonce']}"
        half = _json(shell, "operator", "rotate-keys", nonce, keys[0], program=program)
        done = _json(shell, "operator", "rotate-keys", nonce, keys[1], program=program)
        keys = done["keys_base64"]
        answers.append([_shape(begun), _shape(half), _shape(done)])
    assert answers[0] == answers[1]


def test_a_root_token_is_made(shell: Shell, keys: list[str]) -> None:
    answers = []
    for program in ("bao", "wardgate"):
        begun = _json(shell, "operator", "generate-root", "-init", program=program)
        nonce = f"-nonce={begun['nonce']}"
        half = _json(shell, "operator", "generate-root", nonce, keys[0], program=program)
        done = _json(shell, "operator", "generate-root", nonce, keys[1], program=program)
        decoding = (f"-decode={done['encoded_token']}", f"-otp={begun['otp']}")
        token = shell.ok("operator", "generate-root", *decoding).strip()
        looked = json.loads(shell.ok("token", "lookup", "-format=json", token))
        assert looked["data"]["policies"] == ["root"]
        answers.append([_shape(begun), _shape(half), _shape(done)])
    assert answers[0] == answers[1]
    otp = shell.ok("operator", "generate-root", "-generate-otp").strip()
    assert len(otp) == 26
    assert otp not in shell.ok("operator", "generate-root", "-init", f"-otp={otp}")
    shell.ok("operator", "generate-root", "-cancel")
    assert shell.run("operator", "generate-root", keys[0]).returncode == 1
