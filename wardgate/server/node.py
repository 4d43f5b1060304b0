"""One node: storage, barrier, seal, core and pipeline, put together."""

import asyncio
import logging
from typing import Any

from wardgate.barrier.barrier import Barrier
from wardgate.barrier.shamir_seal import ShamirSeal
from wardgate.clock import Clock, SystemClock
from wardgate.core.backend import Backend, Endpoint
from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.core.operation import Operation
from wardgate.core.pipeline import Pipeline
from wardgate.core.settings import Settings
from wardgate.errors import WardgateError
from wardgate.framework.endpoints import BoundEndpoint, declarations_of
from wardgate.http.app import Application
from wardgate.http.limits import Limits
from wardgate.server.catalog import BuiltinCatalog
from wardgate.server.upkeep import Upkeep
from wardgate.store.interface import Store
from wardgate.system import OpenSealEndpoints, SealEndpoints, System

_log = logging.getLogger("wardgate.server")


class Node:
    """Everything behind the listeners. Use it from one event loop."""

    def __init__(self, store: Store, settings: Settings, clock: Clock | None = None) -> None:
        self.store = store
        clock = clock or SystemClock()
        self.barrier = Barrier(store, clock)
        self.seal = ShamirSeal(store, self.barrier)
        self.core = Core(self.barrier, clock, settings, BuiltinCatalog(self._system))
        self._sealing = SealEndpoints(self.core, self.barrier)
        self._opening = OpenSealEndpoints(self.core, self.barrier, self.seal)
        self.pipeline = Pipeline(self.core, _open_endpoints(self._opening, "sys/"))
        self.upkeep = Upkeep(self.barrier)
        self._applications: list[Application] = []
        self._tasks: list[asyncio.Task[Any]] = []

    def _system(self, core: Core, mount: Mount) -> Backend:
        return System(core, mount, self._sealing, self._opening)

    def application(self, limits: Limits) -> Application:
        """What answers a listener's requests. Ask for it before `start`."""
        made = Application(self.core, self.pipeline, limits)
        self._applications.append(made)
        return made

    def start(self) -> None:
        """Begin the work in the background."""
        self._tasks.append(asyncio.create_task(self.core.sweeper.run()))
        self._tasks.append(asyncio.create_task(self.upkeep.run()))
        for application in self._applications:
            self._tasks.append(asyncio.create_task(application.arrivals.run()))

    async def stop(self) -> None:
        """End the work in the background, finish pending writes and close the store."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            if not self.barrier.sealed:
                await self.barrier.save_counts()
        except WardgateError as error:  # a full disk, or sealed meanwhile: no reason to stay
            _log.warning("how much was encrypted is not saved: %s", error)
        finally:
            await self.barrier.close()


def _open_endpoints(group: object, prefix: str) -> dict[str, dict[Operation, Endpoint]]:
    found: dict[str, dict[Operation, Endpoint]] = {}
    for declaration in declarations_of(type(group)):
        by_operation = found.setdefault(prefix + declaration.pattern, {})
        for operation in declaration.operations:
            by_operation[operation] = BoundEndpoint(declaration, group)
    return found
