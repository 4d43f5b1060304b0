"""How many versions of keys are kept between commits."""

import asyncio
from pathlib import Path

import pytest

from wardgate.store.interface import Conflict, Put
from wardgate.store.lmdb import LmdbStore


def test_the_versions_that_are_kept_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As every token that ever asks for something is expected by a commit."""
    monkeypatch.setattr("wardgate.store.lmdb_versions.MOST", 10)

    async def run() -> None:
        store = LmdbStore.open(tmp_path)
        version = await store.commit({}, [Put(f"k{number}", b"") for number in range(100)])
        for number in range(100):
            await store.commit({f"k{number}": version}, [Put("n", b"")])
            assert len(store._versions._known) <= 12
        newest = await store.commit({"k0": version}, [Put("k0", b"")])
        with pytest.raises(Conflict):
            await store.commit({"k0": version}, [Put("n", b"")])
        assert await store.commit({"k0": newest}, [Put("n", b"")]) > newest
        await store.close()

    asyncio.run(run())
