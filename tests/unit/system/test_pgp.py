"""Keys that are encrypted to PGP keys."""

import asyncio
import base64
from typing import Any

import pytest
from pysequoia import Profile, Tsk, decrypt

from tests.ceremony import give, keys_of, opens, with_shares
from tests.clock import ManualClock
from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.settings import Settings
from wardgate.errors import InvalidRequest
from wardgate.server.node import Node
from wardgate.store.memory import MemoryStore
from wardgate.system.pgp import MOST_BYTES, read_pgp_key, read_pgp_keys

NOW = 1_800_000_000.0


def person(name: str) -> Tsk:
    """Somebody with an OpenPGP key."""
    return Tsk.generate(f"{name} <{name}@example.com>", profile=Profile.RFC4880)


def public(one: Tsk) -> str:
    return base64.b64encode(bytes(one.extract_certificate())).decode()


def fingerprint(one: Tsk) -> str:
    return one.extract_certificate().fingerprint


def read_by(one: Tsk, message: bytes) -> str:
    opened = decrypt(message, decryptor=one.decryptor()).bytes
    assert opened is not None
    return opened.decode()


ADA, BOB = person("ada"), person("bob")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "public PGP key"),
        ("zz", "base64"),
        ("keybase:ada", "base64"),
        ("YWJj", "binary form"),
        (base64.b64encode(b"-----BEGIN PGP PUBLIC KEY BLOCK-----").decode(), "binary form"),
        (base64.b64encode(b"\x99" * 1000).decode(), "not one whole"),
        (base64.b64encode(b"\xc6").decode(), "not one whole"),
        (base64.b64encode(base64.b64decode(public(ADA))[:-5]).decode(), "not one whole"),
        (base64.b64encode(base64.b64decode(public(ADA)) * 2).decode(), "not one whole"),
        (base64.b64encode(bytes(ADA)).decode(), "secret key"),
        ("A" * 4 * MOST_BYTES, "too long"),
        ("é", "base64"),
    ],
)
def test_what_is_no_public_key_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^pgp_key: .*{problem}") as refused:
        read_pgp_key("pgp_key", text, NOW)
    assert "backtrace" not in str(refused.value)


def test_a_key_that_has_expired_or_was_revoked_is_refused() -> None:
    carol = Tsk.generate("carol <carol@example.com>", validity_seconds=3600)
    cert = carol.extract_certificate()
    expires = cert.expiration
    assert expires is not None
    text = base64.b64encode(bytes(cert)).decode()
    assert read_pgp_key("pgp_key", text, expires.timestamp() - 1).fingerprint == cert.fingerprint
    with pytest.raises(InvalidRequest, match="expired"):
        read_pgp_key("pgp_key", text, expires.timestamp())

    revocation = cert.revoke(carol.certifier())
    revoked = bytes(cert) + bytes(revocation)
    with pytest.raises(InvalidRequest, match="revoked"):
        read_pgp_key("pgp_key", base64.b64encode(revoked).decode(), 0)


def test_keys_are_bounded_together_and_named_by_their_number() -> None:
    with pytest.raises(InvalidRequest, match=r"^pgp_keys: too long"):
        asyncio.run(read_pgp_keys("pgp_keys", [public(ADA)] * 20_000, NOW))
    with pytest.raises(InvalidRequest, match=r"^pgp_keys: key 2: "):
        asyncio.run(read_pgp_keys("pgp_keys", [public(ADA), "zz"], NOW))


async def _uninitialised() -> NodeUnderTest:
    store, clock = MemoryStore(), ManualClock(NOW)
    return NodeUnderTest(Node(store, Settings(), clock), store, clock, [])


def test_initialisation_hands_out_what_only_its_people_can_read() -> None:
    async def run() -> None:
        node = await _uninitialised()
        body = {
            "secret_shares": 2,
            "secret_threshold": 2,
            "pgp_keys": [public(ADA), public(BOB)],
            "root_token_pgp_key": public(BOB),
        }
        made = (await node.ok("sys/init", body, token="")).data
        assert [bytes.fromhex(key) for key in made["keys"]] == [
            base64.b64decode(key) for key in made["keys_base64"]
        ]
        messages = keys_of(made)
        for one, message in zip((ADA, BOB), messages, strict=True):
            share = read_by(one, message)
            assert len(bytes.fromhex(share)) == 33
            await node.ok("sys/unseal", {"key": share}, token="")
        with pytest.raises(RuntimeError):
            read_by(BOB, messages[0])
        token = read_by(BOB, base64.b64decode(made["root_token"]))
        assert await node.lives(token)
        await node.node.stop()

    asyncio.run(run())


@pytest.mark.parametrize(
    "body",
    [
        {"pgp_keys": [public(ADA)]},
        {"pgp_keys": [public(ADA), "zz"]},
        {"pgp_keys": [public(ADA), base64.b64encode(bytes(ADA)).decode()]},
        {"root_token_pgp_key": "zz"},
        {"pgp_keys": {"a": 1}},
    ],
)
def test_a_refused_initialisation_has_done_nothing(body: dict[str, Any]) -> None:
    async def run() -> None:
        node = await _uninitialised()
        counts = {"secret_shares": 2, "secret_threshold": 2}
        assert (await node.write("sys/init", {**counts, **body}, token="")).status == 400
        assert (await node.read("sys/init")).data == {"initialized": False}
        assert await node.store.revision() == 0
        await node.node.stop()

    asyncio.run(run())


@with_shares(1, 1)
async def test_new_keys_are_encrypted_and_can_be_kept(node: NodeUnderTest) -> None:
    body = {
        "secret_shares": 3,
        "secret_threshold": 2,
        "pgp_keys": [public(ADA), public(BOB), public(ADA)],
        "backup": True,
    }
    begun = (await node.ok("sys/rekey/init", body)).data
    assert begun["pgp_fingerprints"] == [fingerprint(ADA), fingerprint(BOB), fingerprint(ADA)]
    assert begun["backup"] is True
    done = await give(node, "sys/rekey/update", begun["nonce"], node.keys)
    people = (ADA, BOB, ADA)
    shares = [
        bytes.fromhex(read_by(one, message))
        for one, message in zip(people, keys_of(done), strict=True)
    ]
    assert await opens(node, shares[1:])
    backup = (await node.read("sys/rekey/backup")).data
    assert backup["nonce"] == begun["nonce"]
    assert backup["keys"] == {
        fingerprint(ADA): [done["keys"][0], done["keys"][2]],
        fingerprint(BOB): [done["keys"][1]],
    }
    assert (await node.read("sys/rotate/root/backup")).data == backup
    assert (await node.delete("sys/rotate/root/backup")).status == 204
    assert errors(await node.read("sys/rekey/backup")) == ["no backed-up keys found"]


@with_node
async def test_a_root_token_is_made_for_one_person(node: NodeUnderTest) -> None:
    for attempt, update in (
        ("sys/generate-root/attempt", "sys/generate-root/update"),
        ("sys/generate-root-token/attempt", "sys/generate-root-token/update"),
    ):
        begun = (await node.ok(attempt, {"pgp_key": public(ADA)})).data
        assert begun["pgp_fingerprint"] == fingerprint(ADA)
        assert begun["otp"] == ""
        done = await give(node, update, begun["nonce"], node.keys)
        assert await node.lives(read_by(ADA, base64.b64decode(done["encoded_token"])))
