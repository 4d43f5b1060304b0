"""Looks into a data directory from outside, so that watching costs its server nothing."""

import asyncio
import time
from pathlib import Path

from wardgate.store.lmdb import LmdbStore


class Watch:
    """Waits for folders of the storage to be empty, for `patience` seconds from now on."""

    def __init__(self, data: Path, patience: float) -> None:
        self._loop = asyncio.new_event_loop()
        self._store = LmdbStore.open(data)
        self._deadline = time.monotonic() + patience

    def empty(self, *folders: str) -> bool:
        """Whether nothing is left below any of `folders`. Raises `TimeoutError`."""
        if time.monotonic() > self._deadline:
            raise TimeoutError(f"{folders[0]} is not swept yet")
        return not any(
            self._loop.run_until_complete(self._store.list(folder, limit=1)) for folder in folders
        )

    def close(self) -> None:
        self._loop.run_until_complete(self._store.close())
        self._loop.close()
