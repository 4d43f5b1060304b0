"""Which keys are taken, the same on every engine."""

import asyncio

import pytest

from tests.unit.store.engines import MakeStore, on_every_engine
from wardgate.store.interface import MAX_KEY_BYTES, Delete, Entry, Put, Store, StoreError
from wardgate.store.keys import InvalidKey

INVALID = {
    "empty": "",
    "only a slash": "/",
    "leading slash": "/secret",
    "trailing slash": "secret/",
    "empty segment": "secret//secret",
    "NUL": "secret\0",
    "lone surrogate": "secret\ud800",
    "too long": "s" * (MAX_KEY_BYTES + 1),
    "too long for the engine as well": "s" * 5000,
    "too long in bytes": "é" * (MAX_KEY_BYTES // 2) + "s",
}

VALID = [
    "a",
    "a/b",
    "\x01",
    "..",
    "a b",
    "ÿ",
    "\U0010ffff",
    "é/ü/漢字/𝄞",
    "s" * MAX_KEY_BYTES,
    "é" * (MAX_KEY_BYTES // 2),
    "/".join("s" * (MAX_KEY_BYTES // 2)),
]


@pytest.mark.parametrize("key", INVALID.values(), ids=INVALID.keys())
def test_an_invalid_key_is_refused_everywhere_and_never_repeated(
    make_store: MakeStore, key: str
) -> None:
    async def run() -> None:
        store = make_store()
        for call in (
            store.get(key),
            store.commit({}, [Put("valid", b"1"), Put(key, b"1")]),
            store.commit({}, [Put("valid", b"1"), Delete(key)]),
            store.commit({key: 0}, [Put("valid", b"1")]),
        ):
            with pytest.raises(InvalidKey) as refusal:
                await call
            assert "secret" not in str(refusal.value)
            assert refusal.value.__cause__ is None
        assert await store.get("valid") is None
        assert await store.revision() == 0
        await store.close()

    asyncio.run(run())


def test_an_invalid_key_is_a_store_error_and_a_value_error() -> None:
    assert issubclass(InvalidKey, StoreError)
    assert issubclass(InvalidKey, ValueError)


@on_every_engine
async def test_valid_keys_of_every_kind_are_stored(store: Store) -> None:
    revision = await store.commit({}, [Put(key, key.encode()) for key in VALID])
    for key in VALID:
        assert await store.get(key) == Entry(key.encode(), revision)
    assert set(await store.list("")) == {
        key if "/" not in key else key.partition("/")[0] + "/" for key in VALID
    }


@on_every_engine
async def test_a_prefix_ends_in_a_slash(store: Store) -> None:
    with pytest.raises(InvalidKey):
        await store.list("a")
    with pytest.raises(InvalidKey):
        await store.list("\ud800/")
    with pytest.raises(InvalidKey):
        await store.list("", after="\ud800")
