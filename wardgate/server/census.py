"""Counts what is stored, page by page in the background, for gauges that nobody waits for.

A count begins some time after the start and takes at most a twentieth of this process's time, so
neither the start nor any request takes longer the more is stored. Until the first one is done, its
gauge is not shown. Of several processes of one server, the first one counts for all.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from wardgate.core.core import Core
from wardgate.core.identity import ENTITIES
from wardgate.core.metrics import Reading
from wardgate.core.mounts import MountTable
from wardgate.core.tokens.store import ACCESSORS
from wardgate.core.unexpected import log_unexpected
from wardgate.errors import Sealed, WardgateError

PAGE = 500  # names that are listed at once; that takes less than a millisecond
FIRST = 60.0  # seconds from the start to the first count
_REST = 19  # times as long as a page took is waited before the next one
_log = logging.getLogger("wardgate.census")

Pause = Callable[[float], Awaitable[None]]
"""Waits so many seconds."""


class Census:
    """Counts all `period` seconds; 0 is never."""

    def __init__(self, core: Core, period: float, pause: Pause = asyncio.sleep) -> None:
        self._core = core
        self._period = period
        self._pause = pause
        self._found: dict[str, list[Reading]] = {}
        self._prefixes: dict[str, str] = {}
        self.add("token.count", "Service tokens that are stored.", ACCESSORS)
        self.add("identity.num_entities", "Entities.", ENTITIES)
        for name, text in (
            ("secret.kv.count", "Secrets of a key-value store."),
            ("core.mount_table.num_entries", "Mounts."),
        ):
            core.metrics.collected(name, "gauge", text, partial(self._readings, name), "server")

    def add(self, name: str, help: str, prefix: str) -> None:
        """Count the keys below a prefix of the storage, folders and all, for the gauge `name`."""
        self._prefixes[name] = prefix
        read = partial(self._readings, name)
        self._core.metrics.collected(name, "gauge", help, read, "server")

    async def run(self) -> None:
        """Go on for ever; stop it by cancelling the task."""
        if self._period <= 0 or self._core.peers.number != 0:
            return
        await self._pause(FIRST)
        while True:
            await self.round()
            await self._pause(self._period)

    async def round(self) -> None:
        """Count everything once. What fails is logged, and its gauge keeps what it had."""
        try:
            for name, prefix in self._prefixes.items():
                self._found[name] = [Reading((), await self._below(prefix))]
            await self._mounts()
        except Sealed:
            self._found.clear()
        except WardgateError as error:
            _log.warning("counting for the metrics failed and will be tried again: %s", error)
        except Exception as error:  # the work goes on, whatever one round met
            log_unexpected("counting for the metrics", error)

    def _readings(self, name: str) -> list[Reading]:
        return self._found.get(name, [])

    async def _mounts(self) -> None:
        transaction = await self._core.storage.begin()
        table = await self._core.mounts.table(transaction)
        self._found["core.mount_table.num_entries"] = _entries(table)
        self._found["secret.kv.count"] = [
            Reading((("mount_point", mount.path),), await self._below(f"{mount.storage_prefix}s/"))
            for mount in table.mounts
            if mount.type == "kv"
        ]

    async def _below(self, prefix: str) -> int:
        folders, count = [prefix], 0
        while folders:
            folder, after = folders.pop(), ""
            while True:
                began = time.monotonic()
                names = await self._core.storage.blobs.list(folder, after, PAGE)
                below = [folder + name for name in names if name.endswith("/")]
                folders += below
                count += len(names) - len(below)
                await self._pause(_REST * (time.monotonic() - began))
                if len(names) < PAGE:
                    break
                after = names[-1]
        return count


def _entries(table: MountTable) -> list[Reading]:
    found: dict[tuple[tuple[str, str], ...], int] = {}
    for mount in table.mounts:
        labels = (
            ("local", "true" if mount.local else "false"),
            ("type", "auth" if mount.is_auth else "logical"),
        )
        found[labels] = found.get(labels, 0) + 1
    return [Reading(labels, count) for labels, count in sorted(found.items())]
