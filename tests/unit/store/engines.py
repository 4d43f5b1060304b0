"""The engines under test, and how a test about a store is written."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from wardgate.store.interface import Store
from wardgate.store.lmdb import LmdbStore
from wardgate.store.memory import MemoryStore

ENGINES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    # A map this small has to grow in the midst of almost any test.
    "lmdb": lambda path: LmdbStore.open(path / "data", map_size=16 * 4096),
}
"""Opens each engine, given a directory for its data."""

MakeStore = Callable[[], Store]


def on_every_engine(body: Callable[[Store], Awaitable[None]]) -> Callable[[MakeStore], None]:
    """Make a test out of a coroutine function that is given an open, empty store."""

    def test(make_store: MakeStore) -> None:
        async def run() -> None:
            store = make_store()
            try:
                await body(store)
            finally:
                await store.close()

        asyncio.run(run())

    test.__doc__ = body.__doc__
    return test
