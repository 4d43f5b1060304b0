"""Keeps the barrier of this process in step with those of others over the same storage."""

import asyncio
import logging

from wardgate.barrier.barrier import Barrier
from wardgate.core.unexpected import log_unexpected
from wardgate.errors import Sealed, WardgateError

INTERVAL = 10.0
"""Seconds between rounds: for so long may a process write under a term that another has replaced,
and that much of the counts may be lost when it is killed."""

_log = logging.getLogger("wardgate.upkeep")


class Upkeep:
    """Takes new terms of the keyring into use and saves how much was encrypted."""

    def __init__(self, barrier: Barrier) -> None:
        self._barrier = barrier

    async def run(self) -> None:
        """Go on for ever; stop it by cancelling the task."""
        while True:
            await asyncio.sleep(INTERVAL)
            await self.round()

    async def round(self) -> None:
        """Do it once, unless the barrier is sealed. What fails is logged; the next round tries it
        again."""
        if self._barrier.sealed:
            return
        try:
            await self._barrier.refresh()
            await self._barrier.save_counts()
        except Sealed:
            return
        except WardgateError as error:
            _log.warning("keeping up with the keyring failed and will be tried again: %s", error)
        except Exception as error:  # the work goes on, whatever one round met
            log_unexpected("keeping up with the keyring", error)
