"""New unseal keys in place of old ones, by `sys/rekey` and by `sys/rotate/root`."""

import pytest

from tests.ceremony import begin_rekey, give, keys_of, opens, with_shares
from tests.node import NodeUnderTest, errors, with_node
from wardgate.barrier.shares import UNSEAL_SHARES
from wardgate.core.operation import Operation
from wardgate.system.quorum import LIFETIME

INIT, UPDATE, VERIFY = "sys/rekey/init", "sys/rekey/update", "sys/rekey/verify"


@with_shares(3, 2)
async def test_holders_of_old_keys_make_new_ones(node: NodeUnderTest) -> None:
    assert (await node.read(INIT)).data == {
        "nonce": "",
        "started": False,
        "t": 0,
        "n": 0,
        "progress": 0,
        "required": 2,
        "pgp_fingerprints": None,
        "backup": False,
        "verification_required": False,
    }
    nonce = await begin_rekey(node, 5, 3)
    first = await give(node, UPDATE, nonce, node.keys[2:])
    assert (first["progress"], first["started"], first["t"], first["n"]) == (1, True, 3, 5)
    done = await give(node, UPDATE, nonce, node.keys[:1])
    assert (done["complete"], done["nonce"], done["verification_required"]) == (True, nonce, False)
    new = keys_of(done)
    assert len({key[-1] for key in new}) == 5
    assert not await opens(node, node.keys)
    assert not await opens(node, new[:2])
    assert await opens(node, new[1:4])
    assert (await node.read(INIT)).data["required"] == 3
    assert not (await node.read(INIT)).data["started"]


@with_shares(1, 1)
async def test_a_single_key_is_replaced_by_a_single_key(node: NodeUnderTest) -> None:
    nonce = await begin_rekey(node, 1, 1)
    new = keys_of(await give(node, UPDATE, nonce, node.keys))
    assert [len(key) for key in new] == [32]
    assert await opens(node, new)
    assert not await opens(node, node.keys)


@with_shares(3, 2)
async def test_old_keys_stay_in_force_until_the_new_ones_were_verified(node: NodeUnderTest) -> None:
    nonce = await begin_rekey(node, 2, 2, require_verification=True)
    done = await give(node, UPDATE, nonce, node.keys[:2])
    new, verification = keys_of(done), done["verification_nonce"]
    assert await opens(node, node.keys)
    assert not await opens(node, new)
    refused = await node.write(UPDATE, {"key": node.keys[0].hex(), "nonce": nonce})
    assert "verification must be performed" in errors(refused)[0]

    told = await give(node, VERIFY, verification, new[:1])
    assert told == {"nonce": verification, "started": True, "t": 2, "n": 2, "progress": 1}
    assert await opens(node, node.keys)
    done = await give(node, VERIFY, verification, new[1:])
    assert done == {"nonce": verification, "complete": True}
    assert await opens(node, new)
    assert not await opens(node, node.keys)
    assert errors(await node.read(VERIFY)) == ["no rekey configuration found"]


@with_shares(1, 1)
async def test_a_verification_can_begin_again_with_the_same_keys(node: NodeUnderTest) -> None:
    nonce = await begin_rekey(node, 2, 2, require_verification=True)
    assert (await node.read(VERIFY)).data["started"] is False
    done = await give(node, UPDATE, nonce, node.keys)
    new, first = keys_of(done), done["verification_nonce"]
    await give(node, VERIFY, first, new[:1])
    second = (await node.delete(VERIFY)).data["nonce"]
    assert second != first
    assert (await node.read(VERIFY)).data["progress"] == 0
    assert (await node.write(VERIFY, {"key": new[0].hex(), "nonce": first})).status == 400
    await give(node, VERIFY, second, new)
    assert await opens(node, new)


@with_shares(1, 1)
async def test_a_cancelled_verification_leaves_the_old_keys(node: NodeUnderTest) -> None:
    nonce = await begin_rekey(node, 1, 1, require_verification=True)
    done = await give(node, UPDATE, nonce, node.keys)
    assert (await node.delete(INIT)).status == 204
    body = {"key": done["keys"][0], "nonce": done["verification_nonce"]}
    assert errors(await node.write(VERIFY, body)) == ["no rekey in progress"]
    assert await opens(node, node.keys)


@with_shares(3, 2)
async def test_what_is_no_key_changes_nothing(node: NodeUnderTest) -> None:
    nonce = await begin_rekey(node, 1, 1)
    await give(node, UPDATE, nonce, node.keys[:1])
    wrong = bytearray(node.keys[1])
    wrong[3] ^= 1
    for key in (bytes(wrong).hex(), "5a" * 33, "5a" * 32, "5a" * 15, "zz", "é", node.keys[0].hex()):
        refused = await node.write(UPDATE, {"key": key, "nonce": nonce})
        assert refused.status == 400
        assert key not in errors(refused)[0]
        assert nonce not in errors(refused)[0]
        assert (await node.read(INIT)).data["progress"] == 1
    for bad in ("", "x", nonce[:-1], nonce.upper() + "é"):
        refused = await node.write(UPDATE, {"key": node.keys[1].hex(), "nonce": bad})
        assert nonce not in errors(refused)[0]
    assert (await give(node, UPDATE, nonce, node.keys[1:2]))["complete"] is True


@with_shares(2, 2)
async def test_there_is_one_attempt_however_it_is_called(node: NodeUnderTest) -> None:
    nonce = await begin_rekey(node, 1, 1)
    told = (await node.read("sys/rotate/root/init")).data
    assert (told["nonce"], told["started"]) == (nonce, True)
    body = {"secret_shares": 1, "secret_threshold": 1}
    assert errors(await node.write(INIT, body)) == ["rekey already in progress"]
    refused = await node.write("sys/rotate/root/init", body)
    assert errors(refused) == ["rotation already in progress"]
    await give(node, UPDATE, nonce, node.keys[:1])
    done = await give(node, "sys/rotate/root/update", nonce, node.keys[1:])
    assert done["verification_nonce"] == ""
    assert await opens(node, keys_of(done))


@with_shares(1, 1)
async def test_the_newer_calls_verify_and_begin_again_too(node: NodeUnderTest) -> None:
    path = "sys/rotate/root"
    body = {"secret_shares": 2, "secret_threshold": 2, "require_verification": True}
    nonce = (await node.ok(f"{path}/init", body)).data["nonce"]
    done = await give(node, f"{path}/update", nonce, node.keys)
    again = (await node.delete(f"{path}/verify")).data["nonce"]
    assert (await node.read(f"{path}/verify")).data["nonce"] == again
    new = keys_of(done)
    assert (await give(node, f"{path}/verify", again, new[:1]))["progress"] == 1
    assert (await give(node, f"{path}/verify", again, new[1:]))["complete"] is True
    assert await opens(node, new)
    assert (await node.delete(f"{path}/init")).status == 204


@with_shares(2, 2)
async def test_an_attempt_ends_by_itself(node: NodeUnderTest) -> None:
    nonce = await begin_rekey(node, 1, 1)
    node.clock.advance(LIFETIME - 1)
    await give(node, UPDATE, nonce, node.keys[:1])
    node.clock.advance(LIFETIME - 1)
    assert (await node.read(INIT)).data["progress"] == 1
    node.clock.advance(1)
    assert (await node.read(INIT)).data["started"] is False
    refused = await node.write(UPDATE, {"key": node.keys[1].hex(), "nonce": nonce})
    assert errors(refused) == ["no barrier rekey in progress"]
    assert await begin_rekey(node, 1, 1) != nonce


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "shares"),
        ({"secret_shares": 3}, "threshold"),
        ({"secret_shares": 3, "secret_threshold": 4}, "threshold"),
        ({"secret_shares": 3, "secret_threshold": 1}, "threshold"),
        ({"secret_shares": 256, "secret_threshold": 3}, "shares"),
        ({"secret_shares": -1, "secret_threshold": -1}, "shares"),
        ({"secret_shares": "x", "secret_threshold": 1}, "secret_shares"),
        ({"secret_shares": 1, "secret_threshold": 1, "backup": True}, "backup"),
        ({"secret_shares": 1, "secret_threshold": 1, "pgp_keys": ["a", "b"]}, "pgp_keys"),
        ({"secret_shares": 1, "secret_threshold": 1, "pgp_keys": ["a"]}, "pgp_keys"),
        ({"secret_shares": 1, "secret_threshold": 1, "pgp_keys": [5]}, "pgp_keys"),
        ({"secret_shares": 1, "secret_threshold": 1, "key": "zz"}, "key"),
        ({"secret_shares": 1, "secret_threshold": 1, "key": "5a" * 33}, "key"),
    ],
)
@pytest.mark.parametrize("path", [INIT, "sys/rotate/root/init"])
def test_impossible_wishes_are_refused(body: dict[str, object], field: str, path: str) -> None:
    @with_node
    async def run(node: NodeUnderTest) -> None:
        assert field in errors(await node.write(path, body))[0]
        assert (await node.read(path)).data["started"] is False

    run()


@with_shares(3, 2)
async def test_other_processes_go_on_and_take_part(node: NodeUnderTest) -> None:
    other = await node.another()
    nonce = await begin_rekey(node, 2, 2)
    await give(other, UPDATE, nonce, node.keys[:1])
    assert (await node.read(INIT)).data["progress"] == 1
    new = keys_of(await give(other, UPDATE, nonce, node.keys[1:2]))
    await node.ok("sys/rotate")
    await node.policy("p", {"a": "read"})
    assert (await other.read("sys/policies/acl/p")).status == 200
    await other.ok("sys/rotate")
    await other.policy("q", {"a": "read"})
    assert (await node.read("sys/policies/acl/q")).status == 200
    assert await opens(node, new)
    nonce = await begin_rekey(node, 1, 1)
    assert await opens(node, keys_of(await give(node, UPDATE, nonce, new)))
    await other.ok("sys/rotate")


@with_shares(3, 2)
async def test_no_key_is_ever_stored(node: NodeUnderTest) -> None:
    nonce = await begin_rekey(node, 3, 2, require_verification=True)
    done = await give(node, UPDATE, nonce, node.keys[:1])
    stored = [await _decrypted(node, key) for key in ("core/rekey", UNSEAL_SHARES)]
    done = await give(node, UPDATE, nonce, node.keys[1:2])
    stored += [await _decrypted(node, key) for key in ("core/rekey", UNSEAL_SHARES)]
    for key in (*node.keys, *keys_of(done)):
        assert all(key[:32] not in value for value in stored)


async def _decrypted(node: NodeUnderTest, key: str) -> bytes:
    entry = await node.node.barrier.get(key)
    assert entry is not None
    return entry.value


@with_shares(3, 2)
async def test_shares_given_before_another_set_was_in_force_do_not_count(
    node: NodeUnderTest,
) -> None:
    started = (await node.ok("sys/generate-root/attempt", {})).data
    await give(node, "sys/generate-root/update", started["nonce"], node.keys[:1])
    new = keys_of(await give(node, UPDATE, await begin_rekey(node, 3, 2), node.keys[:2]))
    assert (await node.read("sys/generate-root/attempt")).data["progress"] == 0
    told = await give(node, "sys/generate-root/update", started["nonce"], new[:1])
    assert (told["progress"], told["complete"]) == (1, False)


@with_shares(3, 2)
async def test_the_root_key_can_be_replaced_alone(node: NodeUnderTest) -> None:
    other = await node.another()
    before = node.node.barrier._opened().root_key
    assert (await node.write("sys/rotate/root")).status == 204
    assert (await other.write("sys/rotate/root")).status == 204
    await node.node.upkeep.round()
    after = node.node.barrier._opened().root_key
    assert after == other.node.barrier._opened().root_key != before
    assert await opens(node, node.keys)
    done = await give(node, UPDATE, await begin_rekey(node, 1, 1), node.keys[:2])
    await other.ok("sys/rotate/root")
    assert await opens(node, keys_of(done))


@with_shares(1, 1)
async def test_the_root_key_waits_for_new_keys_that_are_being_verified(node: NodeUnderTest) -> None:
    nonce = await begin_rekey(node, 1, 1, require_verification=True)
    done = await give(node, UPDATE, nonce, node.keys)
    refused = await node.write("sys/rotate/root")
    assert "wait for their verification" in errors(refused)[0]
    await give(node, VERIFY, done["verification_nonce"], keys_of(done))
    await node.ok("sys/rotate/root")
    assert await opens(node, keys_of(done))


@with_shares(1, 1)
async def test_new_keys_are_void_when_the_root_key_was_replaced_meanwhile(
    node: NodeUnderTest,
) -> None:
    nonce = await begin_rekey(node, 1, 1, require_verification=True)
    done = await give(node, UPDATE, nonce, node.keys)
    await node.node.seal.rotate_root()
    body = {"key": done["keys"][0], "nonce": done["verification_nonce"]}
    assert "start again" in errors(await node.write(VERIFY, body))[0]
    assert await opens(node, node.keys)


@with_shares(1, 1)
async def test_it_takes_rights(node: NodeUnderTest) -> None:
    await node.policy("ops", {"sys/rekey/*": "read,update", "sys/rotate/*": "update"})
    token = (await node.token(policies=["ops"]))["client_token"]
    body = {"secret_shares": 1, "secret_threshold": 1}
    for path in (INIT, UPDATE, VERIFY, "sys/rotate/root/init", "sys/generate-root/attempt"):
        assert (await node.write(path, body, token="")).status == 403
    assert (await node.ok(INIT, body, token=token)).data["started"]
    assert (await node.delete(INIT, token=token)).status == 403
    assert (await node.write("sys/rotate/root", token=token)).status == 403
    assert (await node.write("sys/generate-root/attempt", token=token)).status == 403


@with_shares(2, 2)
async def test_a_last_key_given_twice_at_once_makes_one_set(node: NodeUnderTest) -> None:
    import asyncio

    other = await node.another()
    nonce = await begin_rekey(node, 1, 1)
    await give(node, UPDATE, nonce, node.keys[:1])
    body = {"key": node.keys[1].hex(), "nonce": nonce}
    answers = await asyncio.gather(
        *(one.call(Operation.UPDATE, UPDATE, body) for one in (node, other) * 4)
    )
    (done,) = [answer.data for answer in answers if answer.status == 200]
    assert await opens(node, keys_of(done))


@with_shares(2, 2)
async def test_a_token_whose_last_use_it_is_finishes(node: NodeUnderTest) -> None:
    """The use is counted in the same commit as the new keys come into force."""
    nonce = await begin_rekey(node, 1, 1)
    await give(node, UPDATE, nonce, node.keys[:1])
    token = (await node.token(policies=["root"], num_uses=1, ttl="1h"))["client_token"]
    done = await give(node, UPDATE, nonce, node.keys[1:], token=token)
    assert await opens(node, keys_of(done))
    assert not await node.lives(token)
