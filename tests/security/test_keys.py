"""Who replaces the unseal keys and makes root tokens (security cases 46, 48 and 55)."""

import asyncio
import base64
import hmac
import logging
from typing import Any
from unittest.mock import patch

import pytest

from tests.ceremony import OPENED, begin_rekey, give, keys_of, opened, opens, with_shares
from tests.node import NodeUnderTest, errors
from wardgate.barrier.errors import BarrierError
from wardgate.barrier.shares import UNSEAL_SHARES, ShareMarks
from wardgate.core.operation import Operation
from wardgate.store.interface import Put
from wardgate.system.quorum import STRANGERS_LIFETIME, same_text

READ, WRITE, DELETE = Operation.READ, Operation.UPDATE, Operation.DELETE
ATTEMPTS = {
    "sys/rekey/init": {"secret_shares": 1, "secret_threshold": 1},
    "sys/generate-root/attempt": {},
}
STORED = {"sys/rekey/init": "core/rekey", "sys/generate-root/attempt": "core/generate-root"}
BY_ATTEMPT = pytest.mark.parametrize("path", list(ATTEMPTS))


def _update(path: str) -> str:
    return path.rpartition("/")[0] + "/update"


async def _record(node: NodeUnderTest, path: str) -> Any:
    """The attempt as it is stored, with its version."""
    return await node.node.barrier.get(STORED[path])


@BY_ATTEMPT
def test_46_without_a_token_nothing_is_answered_unless_the_listener_says_so(path: str) -> None:
    @with_shares(2, 2)
    async def body(node: NodeUnderTest) -> None:
        nonce = (await node.ok(path, ATTEMPTS[path])).data["nonce"]
        before = await _record(node, path)
        for call in (
            node.read(path, token=""),
            node.write(path, ATTEMPTS[path], token=""),
            node.delete(path, token="", query={"nonce": nonce}),
            node.write(_update(path), {"key": node.keys[0].hex(), "nonce": nonce}, token=""),
            node.read("sys/rekey/verify", token=""),
            node.write("sys/rekey/verify", {"key": "00", "nonce": nonce}, token=""),
            node.delete("sys/rekey/verify", token=""),
        ):
            assert (await call).status == 403
        assert await _record(node, path) == before

    body()


@BY_ATTEMPT
def test_46_a_stranger_cannot_cancel_take_over_or_disturb(path: str) -> None:
    @with_shares(3, 2)
    async def body(node: NodeUnderTest) -> None:
        nonce = (await node.ok(path, ATTEMPTS[path])).data["nonce"]
        await give(node, _update(path), nonce, node.keys[:1])
        before = await _record(node, path)
        told = await opened(node, READ, path)
        assert told.data["started"] is True
        assert told.data["progress"] == 1
        assert nonce not in str(told.data)
        wrong = ("5a" * 33, "5a" * 16, "", "zz", "00" * 33, node.keys[0].hex())
        for refused in (
            await opened(node, DELETE, path),
            await opened(node, DELETE, path, nonce="x"),
            await opened(node, DELETE, path, token="s.bogus"),
            await opened(node, WRITE, path, ATTEMPTS[path]),
            await opened(node, WRITE, path, {**ATTEMPTS[path], "key": "5a" * 33}),
            *[
                await opened(node, WRITE, _update(path), {"key": key, "nonce": given})
                for key in wrong
                for given in (nonce, "", "x")
            ],
            await opened(node, WRITE, _update(path), {"key": node.keys[1].hex(), "nonce": "x"}),
        ):
            assert refused.status == 400
            assert nonce not in str(errors(refused))
        assert await _record(node, path) == before
        done = await give(node, _update(path), nonce, node.keys[1:2])
        assert done["complete"] is True

    body()


@BY_ATTEMPT
def test_46_what_a_stranger_began_keeps_nobody_from_anything(path: str) -> None:
    @with_shares(3, 2)
    async def body(node: NodeUnderTest) -> None:
        def begin(token: str = "", **fields: str) -> Any:
            return opened(node, WRITE, path, {**ATTEMPTS[path], **fields}, token)

        strangers = (await begin()).data["nonce"]
        assert (await begin()).status == 400, "nor is one stranger in the way of another"
        with_a_token = (await begin("root")).data["nonce"]
        assert with_a_token != strangers
        assert (await begin()).status == 400
        assert (await begin("root")).status == 400
        assert (await opened(node, DELETE, path, nonce=strangers)).status == 400
        assert (await opened(node, DELETE, path, nonce=with_a_token)).status == 204

        await begin()
        with_a_key = (await begin(key=node.keys[2].hex())).data["nonce"]
        assert (await begin()).status == 400
        for key in node.keys[:2]:
            share = {"key": key.hex(), "nonce": with_a_key}
            done = await opened(node, WRITE, _update(path), share)
        assert done.data["complete"] is True

    body()


@BY_ATTEMPT
def test_46_a_strangers_attempt_ends_soon_and_a_share_makes_it_everybodys(path: str) -> None:
    @with_shares(3, 2)
    async def body(node: NodeUnderTest) -> None:
        await opened(node, WRITE, path, ATTEMPTS[path])
        node.clock.advance(STRANGERS_LIFETIME)
        nonce = (await opened(node, WRITE, path, ATTEMPTS[path])).data["nonce"]
        share = {"key": node.keys[0].hex(), "nonce": nonce}
        assert (await opened(node, WRITE, _update(path), share)).data["progress"] == 1
        node.clock.advance(STRANGERS_LIFETIME)
        assert (await node.read(path)).data["nonce"] == nonce
        assert (await node.write(path, ATTEMPTS[path])).status == 400, "it does not give way now"

    body()


@BY_ATTEMPT
def test_46_a_thousand_strangers_leave_one_small_record(path: str) -> None:
    @with_shares(1, 1)
    async def body(node: NodeUnderTest) -> None:
        before = await node.keys_below("")
        calls = [opened(node, WRITE, path, ATTEMPTS[path]) for _ in range(1000)]
        statuses = [answer.status for answer in await asyncio.gather(*calls)]
        assert statuses.count(200) == 1
        assert set(await node.keys_below("")) - set(before) == {STORED[path]}

    body()


@with_shares(2, 2)
async def test_46_a_stranger_cannot_disturb_a_verification(node: NodeUnderTest) -> None:
    path = "sys/rekey/verify"
    nonce = await begin_rekey(node, 2, 2, require_verification=True)
    done = await give(node, "sys/rekey/update", nonce, node.keys)
    new, verification = keys_of(done), done["verification_nonce"]
    await give(node, path, verification, new[:1])
    before = await _record(node, "sys/rekey/init")
    told = await opened(node, READ, path)
    assert (told.data["nonce"], told.data["progress"]) == ("", 1)
    assert verification not in str((await opened(node, READ, "sys/rekey/init")).data)
    for refused in (
        await opened(node, DELETE, path),
        await opened(node, DELETE, path, nonce="x"),
        await opened(node, DELETE, "sys/rekey/init", nonce="x"),
        await opened(node, WRITE, path, {"key": "5a" * 33, "nonce": verification}),
        await opened(node, WRITE, path, {"key": node.keys[0].hex(), "nonce": verification}),
        await opened(node, WRITE, path, {"key": new[1].hex(), "nonce": "x"}),
    ):
        assert refused.status == 400
    assert await _record(node, "sys/rekey/init") == before
    await give(node, path, verification, new[1:])
    assert await opens(node, new)


@with_shares(1, 1)
async def test_46_a_token_without_rights_is_a_stranger_and_not_in_the_way(
    node: NodeUnderTest,
) -> None:
    token = (await node.token(policies=["default"]))["client_token"]
    nonce = (await node.ok("sys/rekey/init", {"secret_shares": 1, "secret_threshold": 1})).data[
        "nonce"
    ]
    for useless in (token, "s.revoked", ""):
        told = await opened(node, READ, "sys/rekey/init", token=useless)
        assert (told.data["started"], told.data["nonce"]) == (True, "")
        assert (await opened(node, DELETE, "sys/rekey/init", token=useless)).status == 400
    share = {"key": node.keys[0].hex(), "nonce": nonce}
    done = await opened(node, WRITE, "sys/rekey/update", share, token)
    assert await opens(node, keys_of(done.data))


@with_shares(1, 1)
async def test_46_opening_one_group_opens_nothing_else(node: NodeUnderTest) -> None:
    for path in ("sys/rekey/backup", "sys/rotate/root/init", "sys/mounts", "sys/raw/core/mounts"):
        assert (await opened(node, READ, path)).status == 403
    for path in ("sys/rotate/root", "sys/rotate/root/init", "sys/generate-root-token/attempt"):
        assert (await opened(node, WRITE, path, {})).status == 403
    only = frozenset({"rekey"})
    answer = await node.call(READ, "sys/generate-root/attempt", token="", opened=only)
    assert answer.status == 403
    assert {"rekey", "generate-root"} == OPENED


def test_48_a_share_is_compared_with_every_mark_in_constant_time() -> None:
    shares = [bytes([number]) * 33 for number in range(5)]
    marks = ShareMarks.of(shares, 3)
    compared = []
    digests_agree = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return digests_agree(one, other)

    with patch("wardgate.barrier.shares.hmac.compare_digest", compare):
        assert marks.number(shares[0]) == 0
        assert marks.number(bytes(33)) == 0
        assert marks.number(b"x" * 33) is None
    assert [one for one, _ in compared] == list(marks.marks) * 3


def test_48_nonces_are_compared_in_constant_time() -> None:
    with patch("wardgate.system.quorum.hmac.compare_digest", return_value=True) as compare:
        assert same_text("a", "b")
    compare.assert_called_once_with(b"a", b"b")


@with_shares(2, 2)
async def test_48_marks_written_past_the_barrier_make_nobody_a_holder(node: NodeUnderTest) -> None:
    """Whoever can only write to the storage cannot join the holders."""
    own = b"x" * 33
    forged = ShareMarks.of([own], 1).encode()
    await node.store.commit({}, [Put(UNSEAL_SHARES, forged)])
    answer = await node.write("sys/generate-root/attempt", {})
    assert answer.status == 500
    assert (await node.sealed()).node.barrier.sealed


@with_shares(2, 2)
async def test_55_marks_of_another_server_are_not_taken(node: NodeUnderTest) -> None:
    other = await NodeUnderTest.start(shares=1, threshold=1)
    foreign = await other.store.get(UNSEAL_SHARES)
    assert foreign is not None
    await node.store.commit({}, [Put(UNSEAL_SHARES, foreign.value)])
    with pytest.raises(BarrierError, match=UNSEAL_SHARES):
        await node.node.barrier.get(UNSEAL_SHARES)
    await other.node.stop()


@with_shares(1, 1)
async def test_55_a_damaged_seal_or_keyring_is_named_at_once(node: NodeUnderTest) -> None:
    for key in ("barrier/seal", "barrier/keyring"):
        whole = await node.store.get(key)
        assert whole is not None
        await node.store.commit({}, [Put(key, b"nonsense")])
        fresh = await node.sealed()
        with pytest.raises(BarrierError, match=f"{key}.*restore it from a backup"):
            await fresh.node.seal.submit(node.keys[0])
        assert fresh.node.barrier.sealed
        await node.store.commit({}, [Put(key, whole.value)])
    assert await opens(node, node.keys)


@with_shares(1, 1)
async def test_55_an_encrypted_attempt_is_void_elsewhere(node: NodeUnderTest) -> None:
    nonce = await begin_rekey(node, 1, 1)
    stored = await node.store.get("core/rekey")
    assert stored is not None
    await node.store.commit({}, [Put("core/generate-root", stored.value)])
    assert (await node.read("sys/generate-root/attempt")).status == 500
    done = await give(node, "sys/rekey/update", nonce, node.keys)
    assert len(base64.b64decode(done["keys_base64"][0])) == 32


def test_42_no_log_holds_a_key_a_nonce_or_a_token(caplog: pytest.LogCaptureFixture) -> None:
    @with_shares(2, 2)
    async def body(node: NodeUnderTest) -> None:
        with caplog.at_level(logging.DEBUG):
            nonce = await begin_rekey(node, 1, 1, require_verification=True)
            done = await give(node, "sys/rekey/update", nonce, node.keys)
            (new,) = keys_of(done)
            await give(node, "sys/rekey/verify", done["verification_nonce"], [new])
            begun = (await node.ok("sys/generate-root/attempt", {})).data
            made = await give(node, "sys/generate-root/update", begun["nonce"], [new])
        assert [record.message for record in caplog.records if record.name == "wardgate.seal"] == [
            "new unseal keys were made, and wait for their verification;"
            " the last key came from 127.0.0.1",
            "new unseal keys are in force; the last key came from 127.0.0.1",
            "a root token was made by holders of unseal keys; the last key came from 127.0.0.1",
        ]
        secrets = [key.hex() for key in (*node.keys, new)]
        for secret in (*secrets, nonce, begun["nonce"], begun["otp"], made["encoded_token"]):
            assert secret not in caplog.text

    body()
