"""Keeps the barrier of this process in step with those of others over the same storage."""

import asyncio
import logging

from wardgate.barrier.barrier import Barrier
from wardgate.clock import Clock
from wardgate.core.rotation import rotation_config
from wardgate.core.storage import Storage
from wardgate.core.unexpected import log_unexpected
from wardgate.errors import Sealed, WardgateError

INTERVAL = 10.0
"""Seconds between rounds: for so long may a process write under a term that another has replaced,
and that much of the counts may be lost when it is killed."""

_log = logging.getLogger("wardgate.upkeep")


class Upkeep:
    """Takes new keys into use, saves how much was encrypted, and rotates the key that is due."""

    def __init__(self, barrier: Barrier, storage: Storage, clock: Clock) -> None:
        self._barrier = barrier
        self._storage = storage
        self._clock = clock

    async def run(self) -> None:
        """Go on for ever; stop it by cancelling the task."""
        while True:
            await asyncio.sleep(INTERVAL)
            await self.round()

    async def round(self) -> None:
        """Do it once, unless the barrier is sealed. What fails is logged; the next round tries it
        again."""
        try:
            await self._barrier.follow()
            if self._barrier.sealed:
                return
            await self._barrier.refresh()
            await self._barrier.save_counts()
            await self._barrier.forget_old_keys()
            await self._rotate_if_due()
        except Sealed:
            return
        except WardgateError as error:
            _log.warning("keeping up with the keyring failed and will be tried again: %s", error)
        except Exception as error:  # the work goes on, whatever one round met
            log_unexpected("keeping up with the keyring", error)

    async def _rotate_if_due(self) -> None:
        config = await rotation_config(await self._storage.begin())
        status = self._barrier.key_status()
        if config.due(status.install_time, status.encryptions, self._clock.now()):
            term = await self._barrier.rotate(after=status.term)
            _log.info("keyring rotated: the key was due, term %d is in use now", term)
