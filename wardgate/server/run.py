"""Runs a node until it is told to stop: ``wardgate server``."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec
import uvloop

from wardgate.barrier.auto_seal import AutoSeal
from wardgate.clock import SystemClock
from wardgate.core.lockout_config import UserLockout
from wardgate.core.log_levels import LEVELS
from wardgate.core.settings import Settings
from wardgate.core.unexpected import log_unexpected
from wardgate.server.addresses import own_url
from wardgate.server.audit import AuditConfig
from wardgate.server.auto_unseal import AutoUnseal
from wardgate.server.config import LmdbStorage, LogLevel, ServerConfig
from wardgate.server.dev import open_dev
from wardgate.server.devtls import DevTls, dev_tls
from wardgate.server.effective import effective_config
from wardgate.server.limits import most_connections
from wardgate.server.listeners import TcpListener
from wardgate.server.listening import Listener, start_all
from wardgate.server.log_file import LogFile
from wardgate.server.logs import open_log_file, set_up_logs
from wardgate.server.node import Node
from wardgate.server.notify import notify, notify_reloading
from wardgate.server.options import ServerOptions
from wardgate.server.places import ALONE, Place, in_workers
from wardgate.server.reloading import Reloading
from wardgate.server.seals import open_wrapper
from wardgate.server.self_init.run import initialise
from wardgate.server.state import sanitized
from wardgate.server.tracing import Tracing, start_tracing
from wardgate.store.interface import Store
from wardgate.store.lmdb import LmdbStore
from wardgate.store.memory import MemoryStore

_log = logging.getLogger("wardgate.server")


def run_server(options: ServerOptions) -> None:
    """Run until SIGTERM or SIGINT. Raises a `WardgateError` when it cannot start."""
    os.umask(0o077)
    with contextlib.ExitStack() as made:
        tls: DevTls | None = None
        if options.dev is not None and options.dev.tls:
            now = SystemClock.now()
            tls = made.enter_context(dev_tls(options.dev.host, now, options.dev.tls_cert_dir))
        config, warnings = effective_config(options, tls.config if tls else None)
        log_file = open_log_file(config)
        set_up_logs(config.log_level, config.log_format, log_file)
        for warning in warnings:
            _log.warning("%s", warning)
        place = ALONE
        if config.workers > 1 and options.dev is None:
            forked = in_workers(config, log_file)
            if forked is None:
                return  # the parent of workers that have all ended
            place = forked
        tracing = start_tracing(config.telemetry.otlp_endpoint, os.environ)
        if tracing is not None:
            made.callback(tracing.close)
        uvloop.run(_serve(options, config, tls, log_file, tracing, place))


async def _serve(
    options: ServerOptions,
    config: ServerConfig,
    tls: DevTls | None,
    log_file: LogFile | None,
    tracing: Tracing | None,
    place: Place,
) -> None:
    audited, wrapper = _audit_config(config, options), open_wrapper(config.seal)
    settings = _settings(options, config, audited)
    store = _open_store(config)

    def make_node(below: Store, place: Place = ALONE) -> Node:
        return Node(
            below,
            settings,
            wrapper=wrapper,
            audit_devices=audited.devices,
            shared=place.shared,
            counters=place.counters,
        )

    node = make_node(store, place)
    node.core.storage.tracer = tracing
    auto = _auto_unseal(node, config, make_node, first=place.first)
    listeners = _listeners(config, node, tracing, place)
    certificate = tls.config if tls else None
    reloading = Reloading(
        config,
        lambda: effective_config(options, certificate),
        listeners,
        log_file,
        node.core.audit,
        lambda config: _audit_config(config, options),
    )
    node.host.state = lambda: sanitized(reloading.in_effect)
    node.host.reload = reloading.run

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = asyncio.create_task(_reload(reloading))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)
    place.watch(stopping.set)
    try:
        await node.seal.status()  # data of another kind of seal are refused at once
        keys = await open_dev(node, options.dev) if options.dev else None
        if auto is not None:
            await auto.start(stopping.set)
        await place.join(node, reloading)
        await start_all(listeners)
        try:
            node.start()
            _spare_the_collector()
            for listener in listeners if place.first else ():
                for warning in listener.warnings:
                    _log.warning("%s: %s", listener.name, warning)
            names = [(listener.name, listener.uses_tls) for listener in listeners]
            with place.announced(config, names, options.dev, keys, tls):
                await stopping.wait()
            if place.first:
                _log.info("stopping: what has arrived is answered first")
        finally:
            await asyncio.gather(*(listener.stop() for listener in listeners))
    finally:
        if auto is not None:
            await auto.stop()
        await node.stop()
        place.leave()
    if auto is not None and auto.failure is not None:
        raise auto.failure


def _spare_the_collector() -> None:
    """Let Python's collector of cyclic garbage leave alone what is there for good.

    It would go through all modules and caches again and again, for 30 to 40 ms each time, with every
    request waiting. Requests leave hardly any cycles, so it is enough to look among the young often
    and among all seldom.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _auto_unseal(
    node: Node, config: ServerConfig, make_node: Callable[[Store], Node], *, first: bool
) -> AutoUnseal | None:
    """What unseals the server by itself, if its seal can; `make_node` makes another one like it.
    Only the `first` of several workers initialises a new storage."""
    if not isinstance(node.seal, AutoSeal):
        return None
    if not config.initialize or not first:
        return AutoUnseal(node.seal, node.barrier)
    return AutoUnseal(
        node.seal,
        node.barrier,
        lambda: initialise(node.store, make_node, config.initialize, os.environ),
    )


def _open_store(config: ServerConfig) -> Store:
    if isinstance(config.storage, LmdbStorage):
        if config.storage.map_size is None:
            return LmdbStore.open(config.storage.path)
        return LmdbStore.open(config.storage.path, config.storage.map_size)
    return MemoryStore()


def _audit_config(config: ServerConfig, options: ServerOptions) -> AuditConfig:
    """What the configuration says of audit devices; a dev server takes any from the API."""
    if options.dev is None:
        return config.audit
    rules = msgspec.structs.replace(config.audit.rules, anywhere=True)
    return replace(config.audit, rules=rules)


def _settings(options: ServerOptions, config: ServerConfig, audited: AuditConfig) -> Settings:
    return Settings(
        audit=audited.rules,
        default_lease_ttl=config.default_lease_ttl,
        max_lease_ttl=config.max_lease_ttl,
        cluster_name=config.cluster_name or "",
        storage_type="lmdb" if isinstance(config.storage, LmdbStorage) else "inmem",
        api_addr=_api_addr(config),
        user_lockout=UserLockout(kinds=dict(config.user_lockout), off=options.disable_user_lockout),
        cluster_addr=config.cluster_addr or "",
        introspection_endpoint=config.introspection_endpoint,
        prometheus=config.telemetry.prometheus,
        metrics_prefix=config.telemetry.metrics_prefix,
        gauge_period=config.telemetry.gauge_period,
        raw_storage_endpoint=config.raw_storage_endpoint,
        initialises_itself=bool(config.initialize),
    )


def _api_addr(config: ServerConfig) -> str:
    if config.api_addr:
        return config.api_addr.rstrip("/")
    for listener in config.listeners:
        if isinstance(listener, TcpListener):
            return own_url(listener.host, listener.port, listener.tls is not None)
    return ""


def _listeners(
    config: ServerConfig, node: Node, tracing: Tracing | None, place: Place
) -> list[Listener]:
    sockets: Sequence[socket.socket | None] = place.sockets or [None] * len(config.listeners)
    connections = most_connections() // len(config.listeners)
    level = config.log_requests_level
    hostname = socket.gethostname() if config.enable_response_header_hostname else ""
    return [
        Listener(
            listener,
            node.application(
                listener.rules,
                log_level=LEVELS[level.value if level else LogLevel.DEBUG.value],
                hostname=hostname,
                tracer=tracing,
                ui=config.ui,
            ),
            node.core.clock,
            connections,
            opened,
        )
        for listener, opened in zip(config.listeners, sockets, strict=True)
    ]


async def _reload(reloading: Reloading) -> None:
    notify_reloading()
    try:
        await reloading.run()
    except Exception as error:  # the server goes on as it was
        log_unexpected("reading the configuration again", error)
    finally:
        notify("READY=1")
