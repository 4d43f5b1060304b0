"""Initialising, unsealing, sealing, and what is told of the state meanwhile."""

import asyncio
import base64
from typing import Any

import pytest

from tests.clock import ManualClock
from tests.node import NodeUnderTest, errors, share, with_node
from wardgate.core.settings import Settings
from wardgate.server.node import Node
from wardgate.store.memory import MemoryStore


def _new() -> NodeUnderTest:
    """A node over an empty storage, neither initialised nor unsealed."""
    store, clock = MemoryStore(), ManualClock()
    return NodeUnderTest(Node(store, Settings(), clock), store, clock, [])


async def _sealed(node: NodeUnderTest) -> bool:
    sealed: bool = (await node.read("sys/seal-status")).data["sealed"]
    return sealed


def test_a_server_goes_from_new_to_sealed_to_active_and_back() -> None:
    async def run() -> None:
        node = _new()
        assert (await node.http("GET", "/v1/sys/health", token=None)).status == 501
        assert (await node.read("sys/init")).data == {"initialized": False}

        made = await node.ok("sys/init", {"secret_shares": 3, "secret_threshold": 2}, token="")
        keys, root = made.data["keys_base64"], made.data["root_token"]
        assert [bytes.fromhex(key) for key in made.data["keys"]] == [
            base64.b64decode(key) for key in keys
        ]
        health = await node.http("GET", "/v1/sys/health", token=None)
        assert (health.status, health.json()["sealed"]) == (503, True)

        status = await node.ok("sys/unseal", {"key": keys[0]}, token="")
        assert (status.data["progress"], status.data["sealed"]) == (1, True)
        status = await node.ok("sys/unseal", {"key": made.data["keys"][2]}, token="")
        assert (status.data["progress"], status.data["sealed"]) == (0, False)
        health = await node.http("GET", "/v1/sys/health", token=None)
        assert (health.status, health.json()["initialized"]) == (200, True)
        assert await node.lives(root)

        await node.ok("sys/seal", token=root)
        assert (await node.http("GET", "/v1/sys/health", token=None)).status == 503
        answer = await node.http("GET", "/v1/auth/token/lookup-self", token=root)
        assert (answer.status, answer.json()) == (503, {"errors": ["Vault is sealed"]})
        await node.ok("sys/unseal", {"key": keys[1]}, token="")
        await node.ok("sys/unseal", {"key": keys[2]}, token="")
        assert await node.lives(root)

    asyncio.run(run())


def test_a_new_server_has_one_root_token_and_no_other() -> None:
    async def run() -> None:
        node = _new()
        made = await node.ok("sys/init", {"secret_shares": 1, "secret_threshold": 1})
        await node.ok("sys/unseal", {"key": made.data["keys"][0]})
        token = made.data["root_token"]
        looked = await node.read("auth/token/lookup-self", token=token)
        assert looked.data["policies"] == ("root",)
        assert looked.data["expire_time"] is None
        assert len((await node.listing("auth/token/accessors", token=token)).data["keys"]) == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"secret_shares": 1},
        {"secret_shares": 0, "secret_threshold": 0},
        {"secret_shares": 3, "secret_threshold": 1},
        {"secret_shares": 2, "secret_threshold": 3},
        {"secret_shares": 256, "secret_threshold": 2},
        {"secret_shares": -1, "secret_threshold": -1},
        {"secret_shares": 1, "secret_threshold": 1, "recovery_shares": 1},
        {"secret_shares": 1, "secret_threshold": 1, "pgp_keys": ["x"]},
        {"secret_shares": 1, "secret_threshold": 1, "root_token_pgp_key": "x"},
    ],
)
def test_impossible_counts_leave_the_server_new(body: dict[str, Any]) -> None:
    async def run() -> None:
        node = _new()
        assert (await node.write("sys/init", body, token="")).status == 400
        assert (await node.read("sys/init")).data == {"initialized": False}
        assert await node.keys_below("") == []

    asyncio.run(run())


@with_node
async def test_a_server_is_initialised_once(node: NodeUnderTest) -> None:
    before = await node.keys_below("")
    again = await node.write("sys/init", {"secret_shares": 1, "secret_threshold": 1}, token="")
    assert again.status == 400
    assert await node.keys_below("") == before


@with_node
async def test_of_twenty_that_initialise_at_once_one_does(node: NodeUnderTest) -> None:
    new = _new()
    body = {"secret_shares": 1, "secret_threshold": 1}
    answers = await asyncio.gather(*(new.write("sys/init", body, token="") for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 19
    (made,) = (answer for answer in answers if answer.status == 200)
    await new.ok("sys/unseal", {"key": made.data["keys"][0]})
    assert await new.lives(made.data["root_token"])


@with_node
async def test_a_wrong_key_is_refused_and_not_repeated(node: NodeUnderTest) -> None:
    await node.ok("sys/seal")
    right, wrong = share(node.keys[0]), share(bytes(32))
    for key in (wrong, "not a key!", "ab", right[:-4], "0" * 63):
        message = errors(await node.write("sys/unseal", {"key": key}, token=""))[0]
        assert key not in message
    assert (await node.read("sys/seal-status")).data["sealed"]
    assert not (await node.ok("sys/unseal", {"key": right}, token="")).data["sealed"]


@with_node
async def test_unsealing_needs_a_key_or_reset(node: NodeUnderTest) -> None:
    assert "'key' must be specified" in errors(await node.write("sys/unseal", {}))[0]
    migrate = {"migrate": True, "key": share(node.keys[0])}
    assert "seal migration" in errors(await node.write("sys/unseal", migrate))[0]
    await node.ok("sys/seal")
    await node.ok("sys/unseal", {"reset": True})


@with_node
async def test_only_sudo_may_seal_and_it_is_done_when_it_is_answered(node: NodeUnderTest) -> None:
    await node.policy("sealer", {"sys/seal": "update"})
    token = (await node.token(policies=["sealer"]))["client_token"]
    assert (await node.write("sys/seal", token=token)).status == 403
    assert not await _sealed(node)
    await node.policy("sealer", {"sys/seal": "update,sudo"})
    assert (await node.write("sys/seal", token=token)).status == 204
    assert await _sealed(node)
    assert node.core.storage.cache == {}


@with_node
async def test_health_answers_with_the_status_that_is_asked_for(node: NodeUnderTest) -> None:
    answer = await node.http("GET", "/v1/sys/health", query="activecode=299&sealedcode=503")
    assert answer.status == 299
    assert (await node.http("HEAD", "/v1/sys/health")).body == b""
    await node.ok("sys/seal")
    assert (await node.http("HEAD", "/v1/sys/health", query="sealedcode=234")).status == 234


@pytest.mark.parametrize(
    "code",
    ["", "abc", "99", "199", "2000", "02001", "+200", "2\u00b20", "0200" + "0" * 5000],
)
def test_health_refuses_what_is_no_status(code: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        assert (await node.read("sys/health", query={"activecode": code})).status == 400

    body()


@with_node
async def test_rotating_keeps_everything_readable(node: NodeUnderTest) -> None:
    token = (await node.token(policies=["default"]))["client_token"]
    batch = (await node.token(policies=["default"], type="batch"))["client_token"]
    assert (await node.read("sys/key-status")).data["term"] == 1
    await node.ok("sys/rotate")
    await node.ok("sys/rotate/keyring")
    assert (await node.read("sys/key-status")).data["term"] == 3
    other = await node.another()
    for each in (node, other):
        assert await each.lives(token)
        assert await each.lives(batch)


@with_node
async def test_there_is_no_leader(node: NodeUnderTest) -> None:
    assert (await node.read("sys/leader", token="")).data == {"ha_enabled": False}


@with_node
async def test_all_nodes_belong_to_the_same_cluster(node: NodeUnderTest) -> None:
    other = await node.another()
    ids = {(await each.read("sys/seal-status")).data["cluster_id"] for each in (node, other)}
    assert len(ids) == 1
