"""What lies in the data files (security cases 48, 49 and 55)."""

import asyncio
import inspect
import os
import re
import stat
from pathlib import Path

import pytest

import wardgate
from tests.node import ROOT_TOKEN, NodeUnderTest
from wardgate.barrier import shamir
from wardgate.errors import WardgateError
from wardgate.store.interface import Put, StoreError
from wardgate.store.lmdb import LmdbStore
from wardgate.store.memory import MemoryStore

SECRET = "hunter2-Zq9"
_COMPARED = re.compile(
    r"(?:==|!=)[^\n]*\b(?:secret|password|client_token|token_id|share|hashed)\b"
    r"|\b(?:secret|password|client_token|token_id|share|hashed)\b *(?:==|!=)"
)

# a length; and two tokens that the same caller sent
_HARMLESS = re.compile(r"len\(share\)|request\.client_token != token_id")


def test_48_no_code_compares_a_secret_with_equals() -> None:
    """Tokens are found by a keyed hash, passwords by bcrypt, shares by `hmac.compare_digest`."""
    folder = Path(wardgate.__file__).parent
    found = [
        f"{path.relative_to(folder)}: {line.strip()}"
        for part in ("core", "auth", "barrier", "system", "http")
        for path in sorted((folder / part).rglob("*.py"))
        for line in path.read_text().splitlines()
        if _COMPARED.search(line) and not _HARMLESS.search(line)
    ]
    assert found == []


def test_48_shares_are_combined_without_tables() -> None:
    """An index that depends on a secret shows in the cache what the secret is."""
    source = inspect.getsource(shamir)
    assert not re.search(r"_(?:LOG|EXP|TABLE)\w*\[", source)


def test_49_data_files_are_for_the_owner_only(tmp_path: Path) -> None:
    async def run() -> None:
        node = await NodeUnderTest.start(LmdbStore.open(tmp_path / "data"))
        await node.node.stop()

    old = os.umask(0)
    try:
        asyncio.run(run())
    finally:
        os.umask(old)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_49_no_secret_lies_in_the_data_files_in_clear(tmp_path: Path) -> None:
    async def run() -> list[bytes]:
        node = await NodeUnderTest.start(LmdbStore.open(tmp_path / "data"))
        await node.ok("sys/mounts/kv", {"type": "kv"})
        await node.ok("kv/a", {"b": SECRET})
        await node.user("ada", SECRET)
        made = await node.token(policies=["default"], meta={"a": SECRET})
        await node.node.stop()
        return [SECRET.encode(), made["client_token"].encode(), *node.keys]

    secrets = asyncio.run(run())
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [secret for secret in secrets if secret in content]


def test_55_a_file_that_is_no_data_file_is_refused_with_its_reason(tmp_path: Path) -> None:
    folder = tmp_path / "data"

    async def close() -> None:
        await (await NodeUnderTest.start(LmdbStore.open(folder))).node.stop()

    asyncio.run(close())
    (data,) = (path for path in tmp_path.rglob("*") if path.is_file() and "lock" not in path.name)
    data.write_bytes(b"something else altogether " * 1000)
    with pytest.raises(StoreError) as refused:
        LmdbStore.open(folder)
    assert str(refused.value)


def test_55_a_value_moved_to_another_key_is_not_read() -> None:
    async def run() -> None:
        store = MemoryStore()
        node = await NodeUnderTest.start(store)
        await node.ok("sys/mounts/kv", {"type": "kv"})
        for name in ("a", "b"):
            await node.ok(f"kv/{name}", {"x": SECRET + name})
        first, second = await node.keys_below("mount/")
        entry = await store.get(first)
        assert entry is not None
        await store.commit({}, [Put(second, entry.value)])
        answer = await node.http("GET", "/v1/kv/b")
        assert answer.status >= 500
        assert SECRET.encode() not in answer.body
        assert (await node.read("kv/a")).status == 200

    asyncio.run(run())


def test_55_a_changed_bit_of_a_value_is_not_read() -> None:
    async def run() -> None:
        store = MemoryStore()
        node = await NodeUnderTest.start(store)
        (key,) = await node.keys_below("token/id/")
        entry = await store.get(key)
        assert entry is not None
        for position in (0, len(entry.value) // 2, len(entry.value) - 1):
            changed = bytearray(entry.value)
            changed[position] ^= 1
            await store.commit({}, [Put(key, bytes(changed))])
            answer = await node.http("GET", "/v1/auth/token/lookup-self")
            assert answer.status >= 500
            assert ROOT_TOKEN not in "".join(answer.json()["errors"])
        await store.commit({}, [Put(key, entry.value)])
        assert await node.lives(ROOT_TOKEN)

    asyncio.run(run())


def test_55_the_keys_of_another_server_do_not_open_this_one() -> None:
    async def run() -> None:
        node, stranger = await NodeUnderTest.start(), await NodeUnderTest.start()
        await node.ok("sys/seal")
        with pytest.raises(WardgateError):
            await node.node.seal.submit(stranger.keys[0])
        assert (await node.read("sys/seal-status")).data["sealed"]

    asyncio.run(run())
