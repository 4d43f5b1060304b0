"""The real `bao` command, `hvac` and `gpg` replace unseal keys and make root tokens."""

import base64
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hvac
import pytest

from tests.clients.conftest import Bao
from tests.clients.gpg import Gpg
from tests.servers import Server


@pytest.fixture
def gpg() -> Iterator[Gpg]:
    with tempfile.TemporaryDirectory() as folder:
        made = Gpg(Path(folder))
        yield made
        made.stop()


@pytest.fixture
def keys() -> list[str]:
    """Those of the server, once it is initialised."""
    return []


@pytest.fixture
def bao(new_server: Server, tmp_path: Path, keys: list[str]) -> Bao:
    """The command with the root token of a server with two of three keys."""
    nobody = Bao(new_server, tmp_path)
    made = nobody.json("operator", "init", "-key-shares=3", "-key-threshold=2")
    keys += made["unseal_keys_b64"]
    for key in keys[:2]:
        nobody("operator", "unseal", key)
    return nobody.carrying(made["root_token"])


def reopened(bao: Bao, keys: list[str]) -> bool:
    """Seal the server; whether these keys open it."""
    bao("operator", "seal")
    for key in keys:
        status = bao.json("operator", "unseal", key)
    return status["sealed"] is False


@pytest.mark.parametrize("command", ["rekey", "rotate-keys"])
def test_keys_are_replaced(bao: Bao, keys: list[str], command: str) -> None:
    def run(*arguments: str) -> Any:
        return bao.json("operator", command, *arguments)

    assert run("-status")["started"] is False
    begun = run("-init", "-key-shares=2", "-key-threshold=2", "-verify")
    assert run("-status")["nonce"] == begun["nonce"]
    half = run(f"-nonce={begun['nonce']}", keys[0])
    assert half["progress"] == 1
    done = run(f"-nonce={begun['nonce']}", keys[2])
    assert done["complete"] is True
    new, nonce = done["keys_base64"], f"-nonce={done['verification_nonce']}"
    assert run("-verify", "-status")["started"] is True
    assert run("-verify", nonce, new[0])["progress"] == 1
    bao("operator", command, "-verify", nonce, new[1])
    assert run("-status")["started"] is False
    assert reopened(bao, new)


@pytest.mark.parametrize("command", ["rekey", "rotate-keys"])
def test_an_attempt_is_cancelled(bao: Bao, keys: list[str], command: str) -> None:
    begun = bao.json("operator", command, "-init", "-key-shares=1", "-key-threshold=1")
    bao("operator", command, f"-nonce={begun['nonce']}", keys[0])
    bao("operator", command, "-cancel")
    assert bao.json("operator", command, "-status")["started"] is False
    assert reopened(bao, keys[:2])


def test_keys_are_encrypted_to_people(bao: Bao, keys: list[str], gpg: Gpg) -> None:
    ada, bob = gpg.person("ada"), gpg.person("bob")
    begun = bao.json(
        "operator", "rekey", "-init", "-key-shares=2", "-key-threshold=2",
        f"-pgp-keys={ada},{bob}", "-backup",
    )  # fmt: skip
    assert len(begun["pgp_fingerprints"]) == 2
    for key in keys[:2]:
        done = bao.json("operator", "rekey", f"-nonce={begun['nonce']}", key)
    backup = bao.json("operator", "rekey", "-backup-retrieve")
    kept = backup.get("data", backup)["keys_base64"]
    assert [kept[one] for one in begun["pgp_fingerprints"]] == [
        [key] for key in done["keys_base64"]
    ]
    bao("operator", "rekey", "-backup-delete")
    assert "no backed-up keys" in bao.refused("operator", "rekey", "-backup-retrieve")
    shares = [gpg.read(base64.b64decode(key)) for key in done["keys_base64"]]
    assert reopened(bao, shares)


def test_a_new_server_gives_its_keys_to_people(
    new_server: Server, tmp_path: Path, gpg: Gpg
) -> None:
    bao = Bao(new_server, tmp_path)
    ada, bob = gpg.person("ada"), gpg.person("bob")
    assert bao.run(
        "operator", "init", "-key-shares=2", "-key-threshold=2", f"-pgp-keys={ada}"
    ).returncode
    assert bao.run("operator", "init", "-status").returncode == 2
    made = bao.json(
        "operator", "init", "-key-shares=2", "-key-threshold=2",
        f"-pgp-keys={ada},{bob}", f"-root-token-pgp-key={bob}",
    )  # fmt: skip
    for key in made["unseal_keys_b64"]:
        bao("operator", "unseal", gpg.read(base64.b64decode(key)))
    root = bao.carrying(gpg.read(base64.b64decode(made["root_token"])))
    assert root.json("token", "lookup")["data"]["policies"] == ["root"]


def test_a_root_token_is_made(bao: Bao, keys: list[str], gpg: Gpg) -> None:
    begun = bao.json("operator", "generate-root", "-init")
    assert bao.json("operator", "generate-root", "-status")["started"] is True
    nonce = f"-nonce={begun['nonce']}"
    bao("operator", "generate-root", nonce, keys[0])
    done = bao.json("operator", "generate-root", nonce, "-", stdin=keys[1])
    decode = f"-decode={done['encoded_token']}"
    token = bao.json("operator", "generate-root", decode, f"-otp={begun['otp']}")["token"]
    assert bao.carrying(token).json("token", "lookup")["data"]["path"] == "auth/token/root"

    otp = bao.json("operator", "generate-root", "-generate-otp")["otp"]
    bao("operator", "generate-root", "-init", f"-otp={otp}")
    bao("operator", "generate-root", "-cancel")

    begun = bao.json("operator", "generate-root", "-init", f"-pgp-key={gpg.person('ada')}")
    for key in keys[:2]:
        done = bao.json("operator", "generate-root", f"-nonce={begun['nonce']}", key)
    token = gpg.read(base64.b64decode(done["encoded_token"]))
    assert bao.carrying(token).json("token", "lookup")["data"]["policies"] == ["root"]


def test_hvac_does_it_without_a_token(bao: Bao, keys: list[str]) -> None:
    client: Any = hvac.Client(url=bao.server.address)
    begun = client.sys.start_rekey(secret_shares=1, secret_threshold=1)
    done = client.sys.rekey_multi(keys[:2], nonce=begun["nonce"])
    assert done["complete"] is True
    (key,) = done["keys"]
    otp = "A" * 26
    begun = client.sys.start_root_token_generation(otp=otp)
    done = client.sys.generate_root(key=key, nonce=begun["nonce"])
    hidden = base64.b64decode(done["encoded_root_token"] + "==")
    token = bytes(one ^ other for one, other in zip(hidden, otp.encode(), strict=True)).decode()
    client.token = token
    assert client.lookup_token()["data"]["policies"] == ["root"]
    client.adapter.close()
