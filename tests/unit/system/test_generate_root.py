"""A root token, made by holders of unseal keys."""

import base64
from typing import Any

import pytest

from tests.ceremony import give, with_shares
from tests.node import NodeUnderTest, errors, with_node
from wardgate.system.quorum import LIFETIME

ATTEMPT, UPDATE = "sys/generate-root/attempt", "sys/generate-root/update"
TOKEN_ATTEMPT, TOKEN_UPDATE = "sys/generate-root-token/attempt", "sys/generate-root-token/update"


def decoded(data: dict[str, Any], otp: str) -> str:
    hidden = base64.b64decode(data["encoded_token"] + "==")
    return bytes(a ^ b for a, b in zip(hidden, otp.encode(), strict=True)).decode()


@with_shares(3, 2)
async def test_holders_of_keys_make_a_root_token(node: NodeUnderTest) -> None:
    idle = (await node.read(ATTEMPT)).data
    assert (idle["started"], idle["required"], idle["otp_length"]) == (False, 2, 26)
    begun = (await node.ok(ATTEMPT, {})).data
    assert len(begun["otp"]) == begun["otp_length"] == 26
    assert (await node.read(ATTEMPT)).data["otp"] == ""
    told = await give(node, UPDATE, begun["nonce"], node.keys[:1])
    assert (told["progress"], told["complete"], told["encoded_token"]) == (1, False, "")
    done = await give(node, UPDATE, begun["nonce"], node.keys[2:])
    assert (done["progress"], done["complete"]) == (2, True)
    assert done["encoded_root_token"] == done["encoded_token"]
    token = decoded(done, begun["otp"])
    looked = (await node.read("auth/token/lookup-self", token=token)).data
    assert (looked["policies"], looked["path"]) == (("root",), "auth/token/root")
    assert looked["expire_time"] is None
    assert (await node.read(ATTEMPT)).data["started"] is False
    assert await node.store.get("core/generate-root") is None

    body = {"encoded_token": done["encoded_token"], "otp": begun["otp"]}
    answer = await node.write("sys/decode-token", body, token="")
    assert answer.data == {"token": token}


@with_shares(1, 1)
async def test_the_newer_calls_do_the_same(node: NodeUnderTest) -> None:
    otp = "A" * 26
    begun = (await node.ok(TOKEN_ATTEMPT, {"otp": otp, "pgp_key": ""})).data
    assert begun["otp"] == ""
    done = await give(node, TOKEN_UPDATE, begun["nonce"], node.keys)
    assert await node.lives(decoded(done, otp))
    assert (await node.delete(TOKEN_ATTEMPT)).status == 204


@with_shares(2, 2)
async def test_one_attempt_at_a_time_which_ends_when_cancelled_or_left(node: NodeUnderTest) -> None:
    await node.ok(ATTEMPT, {})
    for path in (ATTEMPT, TOKEN_ATTEMPT, "sys/generate-root"):
        assert "already in progress" in errors(await node.write(path, {}))[0]
    assert (await node.delete("sys/generate-root")).status == 204
    begun = (await node.ok("sys/generate-root", {})).data
    assert (await node.read("sys/generate-root")).data["nonce"] == begun["nonce"]
    node.clock.advance(LIFETIME)
    body = {"key": node.keys[0].hex(), "nonce": begun["nonce"]}
    assert errors(await node.write(UPDATE, body)) == ["no root generation in progress"]


@with_shares(2, 2)
async def test_what_is_no_key_changes_nothing(node: NodeUnderTest) -> None:
    nonce = (await node.ok(ATTEMPT, {})).data["nonce"]
    await give(node, UPDATE, nonce, node.keys[:1])
    for key in ("5a" * 33, "5a" * 15, "zz", node.keys[0].hex()):
        assert (await node.write(UPDATE, {"key": key, "nonce": nonce})).status == 400
        assert (await node.read(ATTEMPT)).data["progress"] == 1
    refused = await node.write(UPDATE, {"key": node.keys[1].hex(), "nonce": "x"})
    assert nonce not in errors(refused)[0]
    for missing in ("key", "nonce"):
        body = {"key": node.keys[1].hex(), "nonce": nonce}
        del body[missing]
        assert missing in errors(await node.write(TOKEN_UPDATE, body))[0]


@pytest.mark.parametrize(
    "body",
    [
        {"otp": "short"},
        {"otp": "é" * 26},
        {"otp": "A" * 26, "pgp_key": "zz"},
        {"pgp_key": "zz"},
        {"otp": {"a": 1}},
    ],
)
def test_unusable_secrets_are_refused(body: dict[str, object]) -> None:
    @with_node
    async def run(node: NodeUnderTest) -> None:
        for path in (ATTEMPT, TOKEN_ATTEMPT):
            assert (await node.write(path, body)).status == 400
            assert (await node.read(path)).data["started"] is False

    run()


@with_shares(3, 2)
async def test_every_process_sees_the_same_attempt(node: NodeUnderTest) -> None:
    other = await node.another()
    begun = (await node.ok(ATTEMPT, {})).data
    await give(node, UPDATE, begun["nonce"], node.keys[:1])
    done = await give(other, UPDATE, begun["nonce"], node.keys[1:2])
    assert await node.lives(decoded(done, begun["otp"]))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "encoded_token"),
        ({"encoded_token": "YWJj"}, "otp"),
        ({"encoded_token": "YWJj", "otp": "ab"}, "otp"),
        ({"encoded_token": "!!", "otp": "ab"}, "encoded_token"),
        ({"encoded_token": "YWJj", "otp": [1]}, "otp"),
        ({"encoded_token": "YWJj" * 257, "otp": "abc" * 257}, "encoded_token: must be at most"),
        ({"encoded_token": "YWJj", "otp": "a" * 1025}, "otp: must be at most"),
    ],
)
def test_what_cannot_be_decoded_is_refused(body: dict[str, object], field: str) -> None:
    @with_node
    async def run(node: NodeUnderTest) -> None:
        assert field in errors(await node.write("sys/decode-token", body, token=""))[0]

    run()


@with_node
async def test_what_is_no_token_is_decoded_all_the_same(node: NodeUnderTest) -> None:
    body = {"encoded_token": "/w", "otp": "a"}
    assert (await node.ok("sys/decode-token", body, token="")).data == {"token": "\ufffd"}
