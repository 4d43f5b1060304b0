"""Unseals a server that can do that by itself, and watches over what it does it with."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from wardgate.barrier.auto_seal import AutoSeal
from wardgate.barrier.barrier import Barrier
from wardgate.barrier.errors import BarrierError, SealFailed
from wardgate.core.unexpected import log_unexpected
from wardgate.errors import WardgateError
from wardgate.store.interface import StoreError

FIRST_SECONDS = 3.0
"""How long a start waits for the first attempt before it goes on without it."""
POLL_SECONDS = 1.0
"""How often a server looks whether another process has initialised the storage."""
LONGEST_WAIT = 60.0
"""Seconds between two attempts at most."""
CHECK_SECONDS = 600.0
UNHEALTHY_CHECK_SECONDS = 60.0

_log = logging.getLogger("wardgate.seal")


class AutoUnseal:
    """The work in the background of a server with an auto-unseal seal."""

    def __init__(
        self,
        seal: AutoSeal,
        barrier: Barrier,
        initialise: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`initialise` makes a server of a new storage; without it somebody calls `sys/init`."""
        self._seal = seal
        self._barrier = barrier
        self._initialise = initialise
        self._tasks: list[asyncio.Task[None]] = []
        self._tried = asyncio.Event()
        self.failure: WardgateError | None = None
        """Why the server could not initialise itself: a reason to end it."""

    async def start(self, give_up: Callable[[], None]) -> None:
        """Unseal, and go on in the background with what does not work at once.

        `give_up` is called when `failure` is set later on. Raises it when it is set right away.
        """
        self._tasks = [
            asyncio.create_task(self._open(give_up)),
            asyncio.create_task(self._seal.maintain()),
            asyncio.create_task(self._watch()),
        ]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._tried.wait(), FIRST_SECONDS)
        if self.failure is not None:
            raise self.failure

    async def stop(self) -> None:
        """End the work, and let go of the seal."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._seal.close()

    async def _open(self, give_up: Callable[[], None]) -> None:
        delay = POLL_SECONDS
        while not self._seal.opened:
            try:
                delay = await self._attempt(delay)
            except WardgateError as error:
                self.failure = error
                give_up()
                return
            finally:
                self._tried.set()
            await asyncio.sleep(delay)
        # another worker may have unsealed for all, so that there was nothing to try
        self._tried.set()

    async def _attempt(self, delay: float) -> float:
        """Try once; the seconds to wait before the next time, given how many it were last time."""
        following = min(delay * 2, LONGEST_WAIT)
        try:
            if self._initialise is not None and not await self._barrier.initialized():
                await self._initialise()
            if await self._seal.open():
                _log.info("unsealed by the %s seal", self._seal.type)
            return POLL_SECONDS
        except SealFailed as error:
            _log.error("still sealed, tried again in %g s: %s", following, error.reason)
        except (BarrierError, StoreError) as error:
            _log.error("still sealed, tried again in %g s: %s", following, error)
        except WardgateError:
            raise
        except Exception as error:  # it is tried again, whatever one attempt met
            log_unexpected("unsealing", error)
        return following

    async def _watch(self) -> None:
        while True:
            healthy = self._seal.health.healthy
            await asyncio.sleep(CHECK_SECONDS if healthy else UNHEALTHY_CHECK_SECONDS)
            if not self._seal.opened:
                continue
            try:
                await self._seal.check()
            except SealFailed as error:
                _log.error("the seal does not work, a restart would stay sealed: %s", error.reason)
            except Exception as error:  # the next round tries it again
                log_unexpected("checking the seal", error)
            else:
                if not healthy:
                    _log.info("the seal works again")
