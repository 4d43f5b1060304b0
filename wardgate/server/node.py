"""One node: storage, barrier, seal, core and pipeline, put together."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from wardgate.auth.approle import SecretIdSweeping
from wardgate.barrier.auto_seal import AutoSeal, Wrapper
from wardgate.barrier.barrier import Barrier
from wardgate.barrier.shamir_seal import ShamirSeal
from wardgate.barrier.shared import SharedSecrets
from wardgate.clock import Clock, SystemClock
from wardgate.core.audit.table import Device
from wardgate.core.backend import Backend, Endpoint
from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.core.operation import Operation
from wardgate.core.pipeline import Pipeline
from wardgate.core.quotas import Counters
from wardgate.core.settings import Settings
from wardgate.core.tracing import Tracer
from wardgate.errors import WardgateError
from wardgate.framework.endpoints import BoundEndpoint, declarations_of
from wardgate.http.app import Application
from wardgate.http.rules import Rules
from wardgate.http.timing import Timing
from wardgate.identity import KeyRotation
from wardgate.server.catalog import Build, BuiltinCatalog
from wardgate.server.census import Census
from wardgate.server.gauges import register_gauges
from wardgate.server.peers import Peers
from wardgate.server.upkeep import Upkeep
from wardgate.store.interface import Store
from wardgate.system import OpenSealEndpoints, SealEndpoints, System, VersionNotes
from wardgate.system.answering_peers import serve_peers
from wardgate.system.host import Host
from wardgate.system.loggers import take_levels
from wardgate.system.metrics import MetricsEndpoints
from wardgate.ui import WebPage

_log = logging.getLogger("wardgate.server")


class Node:
    """Everything behind the listeners. Use it from one event loop."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock: Clock | None = None,
        *,
        more_engines: Mapping[str, Build] | None = None,
        wrapper: Wrapper | None = None,
        audit_devices: Sequence[Device] = (),
        shared: SharedSecrets | None = None,
        counters: Counters | None = None,
    ) -> None:
        """`more_engines` are kinds of secret engines beside the built-in ones, `audit_devices`
        those that the configuration has. With `wrapper` the server can unseal by itself; without,
        people have shares of the unseal key. `shared` is what the processes of one server have
        together, and `counters` count the requests of each client at all of them."""
        self.store = store
        clock = clock or SystemClock()
        self.barrier = Barrier(store, clock, shared)
        self.seal = (
            AutoSeal(store, self.barrier, wrapper, clock, shared)
            if wrapper is not None
            else ShamirSeal(store, self.barrier, shared)
        )
        catalog = BuiltinCatalog(self._system, more_engines)
        self.core = Core(self.barrier, clock, settings, catalog, counters)
        self.barrier.on_sealed = self.core.forget
        self.core.audit.configure(audit_devices, settings.audit)
        self.core.sweeper.also(KeyRotation(self.core).step)
        self.core.sweeper.also(SecretIdSweeping(self.core).step)
        self.host = Host()
        self._metrics = MetricsEndpoints(self.core)
        self.core.sweeper.also(VersionNotes(self.core).step)
        self._sealing = SealEndpoints(self.core, self.barrier)
        self._opening = OpenSealEndpoints(self.core, self.barrier, self.seal)
        self.pipeline = Pipeline(self.core, _open_endpoints(self._opening, "sys/"))
        self.upkeep = Upkeep(self.barrier, self.core.storage, clock)
        register_gauges(self.core.metrics, self.barrier, self.core.storage)
        self.census = Census(self.core, settings.gauge_period)
        self._timing = Timing(self.core.metrics)
        self._applications: list[Application] = []
        self._web_page: WebPage | None = None
        self._peers: Peers | None = None
        self._tasks: list[asyncio.Task[Any]] = []

    def _system(self, core: Core, mount: Mount) -> Backend:
        return System(
            core,
            mount,
            self.barrier,
            self.seal,
            self._sealing,
            self._opening,
            self._metrics,
            self.host,
        )

    def application(
        self,
        rules: Rules,
        *,
        log_level: int = logging.DEBUG,
        hostname: str = "",
        tracer: Tracer | None = None,
        ui: bool = False,
    ) -> Application:
        """What answers a listener's requests; see there. `ui` is whether the web page is there. Ask
        for it before `start`."""
        if ui and self._web_page is None:
            self._web_page = WebPage(self.core.storage)
        made = Application(
            self.core,
            self.pipeline,
            self._timing,
            rules,
            open_metrics=_open_endpoints(self._metrics, "sys/"),
            log_level=log_level,
            hostname=hostname,
            tracer=tracer,
            pages=self._web_page if ui else None,
        )
        self._applications.append(made)
        return made

    async def join(self, peers: Peers) -> None:
        """Be one of several worker processes: answer the others, and ask them. Do it once, before
        anybody is answered and before `start`. Raises `PeersError`."""
        serve_peers(peers, self.core, self._metrics, self.host)
        await peers.start()
        self._peers = self.core.peers = peers
        await take_levels(peers)

    def start(self) -> None:
        """Begin the work in the background. Of several workers, the first does what concerns the
        storage."""
        if self.core.peers.number == 0:
            self._tasks.append(asyncio.create_task(self.core.sweeper.run()))
        self._tasks.append(asyncio.create_task(self.census.run()))
        self._tasks.append(asyncio.create_task(self.upkeep.run()))
        self._tasks.append(asyncio.create_task(self.core.in_flight.run(self.core.clock)))
        for application in self._applications:
            self._tasks.append(asyncio.create_task(application.arrivals.run()))

    async def stop(self) -> None:
        """End the work in the background, finish pending writes and close the store."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._peers is not None:
            await self._peers.stop()
        await self.core.outgoing.close()
        await self.core.audit.stop()
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
