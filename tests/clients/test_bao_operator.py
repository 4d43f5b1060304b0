"""The real `bao` command opens, closes and inspects a server.

Unseal keys are arguments here: `bao operator unseal` takes them only so or from a terminal.
"""

import json
from pathlib import Path

import pytest

from tests.clients.conftest import Bao
from tests.servers import Server


def test_status_and_key_status_of_a_running_server(bao: Bao) -> None:
    status = bao.json("status")
    assert status["initialized"] is True
    assert status["sealed"] is False
    assert (status["type"], status["t"], status["n"]) == ("shamir", 1, 1)
    before = bao.json("operator", "key-status")
    assert before["install_time"]
    bao("operator", "rotate")
    assert bao.json("operator", "key-status")["term"] == before["term"] + 1


class TestOpening:
    @pytest.fixture
    def bao(self, new_server: Server, tmp_path: Path) -> Bao:
        """The command for a server that nobody has initialised."""
        return Bao(new_server, tmp_path)

    def test_shares_open_the_server_and_sealing_closes_it(self, bao: Bao) -> None:
        # `bao status` ends with 2 while the server is sealed
        assert json.loads(bao.run("status", output="json").stdout)["initialized"] is False
        made = bao.json("operator", "init", "-key-shares=3", "-key-threshold=2")
        assert made["unseal_threshold"] == 2
        keys = made["unseal_keys_b64"]
        assert len(keys) == len(made["unseal_keys_hex"]) == 3
        bao("operator", "init", "-status")
        bao.refused("operator", "init")

        first = bao.json("operator", "unseal", keys[2])
        assert (first["sealed"], first["progress"]) == (True, 1)
        assert bao.json("operator", "unseal", "-reset")["progress"] == 0
        bao("operator", "unseal", keys[0])
        last = bao.json("operator", "unseal", made["unseal_keys_hex"][2])
        assert last["sealed"] is False

        root = bao.carrying(made["root_token"])
        root("secrets", "enable", "-version=1", "-path=shelf", "kv")
        root("kv", "put", "shelf/one", "a=b")
        assert "sealed" in root("operator", "seal").lower()
        assert json.loads(root.run("status", output="json").stdout)["sealed"] is True
        assert "Code: 503" in root.refused("kv", "get", "shelf/one")

        for key in keys[:2]:
            bao("operator", "unseal", key)
        assert root("kv", "get", "-field=a", "shelf/one").strip() == "b"

    def test_sealing_takes_a_privileged_token(self, bao: Bao) -> None:
        made = bao.json("operator", "init", "-key-shares=1", "-key-threshold=1")
        bao("operator", "unseal", made["unseal_keys_b64"][0])
        root = bao.carrying(made["root_token"])
        token = root("token", "create", "-policy=default", "-field=token").strip()
        assert "permission denied" in bao.carrying(token).refused("operator", "seal")
        assert bao.json("status")["sealed"] is False
