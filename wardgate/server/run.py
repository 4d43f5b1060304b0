"""Runs a node until it is told to stop: ``wardgate server``."""

import asyncio
import base64
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvloop

from wardgate import __version__
from wardgate.clock import SystemClock
from wardgate.core.bootstrap import first_writes
from wardgate.core.mounts import Mount, new_mount
from wardgate.core.settings import Settings
from wardgate.errors import WardgateError
from wardgate.server.config import LmdbStorage, ServerConfig
from wardgate.server.devtls import DevTls, dev_tls
from wardgate.server.effective import effective_config
from wardgate.server.limits import most_connections
from wardgate.server.listening import Listener, start_all
from wardgate.server.logs import set_up_logs
from wardgate.server.node import Node
from wardgate.server.options import DevOptions, ServerOptions
from wardgate.store.interface import Store
from wardgate.store.lmdb import LmdbStore
from wardgate.store.memory import MemoryStore

_log = logging.getLogger("wardgate.server")


@dataclass(frozen=True, slots=True, repr=False)
class DevKeys:
    """What a dev server gives to whoever started it."""

    unseal_key: bytes
    root_token: str


def run_server(options: ServerOptions) -> None:
    """Run until SIGTERM or SIGINT. Raises a `WardgateError` when it cannot start."""
    os.umask(0o077)
    with contextlib.ExitStack() as made:
        tls: DevTls | None = None
        if options.dev is not None and options.dev.tls:
            now = SystemClock.now()
            tls = made.enter_context(dev_tls(options.dev.host, now, options.dev.tls_cert_dir))
        config, warnings = effective_config(options, tls.config if tls else None)
        set_up_logs(config.log_level, config.log_format)
        for warning in warnings:
            _log.warning("%s", warning)
        uvloop.run(_serve(options, config, tls))


async def _serve(options: ServerOptions, config: ServerConfig, tls: DevTls | None) -> None:
    store = _open_store(config)
    node = Node(store, _settings(config))
    connections = most_connections() // len(config.listeners)
    listeners = [
        Listener(listener, node.application(listener.limits), node.core.clock, connections)
        for listener in config.listeners
    ]
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    renewals: set[asyncio.Task[None]] = set()

    def renew() -> None:
        task = asyncio.create_task(_renew(listeners))
        renewals.add(task)
        task.add_done_callback(renewals.discard)

    loop.add_signal_handler(signal.SIGHUP, renew)
    try:
        keys = await _open_dev(node, options.dev) if options.dev else None
        await start_all(listeners)
        try:
            node.start()
            for listener in listeners:
                for warning in listener.warnings:
                    _log.warning("%s: %s", listener.name, warning)
            with _pid_file(config.pid_file):
                _greet(config, listeners, options.dev, keys, tls)
                await stopping.wait()
                _log.info("stopping: what has arrived is answered first")
        finally:
            await asyncio.gather(*(listener.stop() for listener in listeners))
    finally:
        await node.stop()


def _open_store(config: ServerConfig) -> Store:
    if isinstance(config.storage, LmdbStorage):
        if config.storage.map_size is None:
            return LmdbStore.open(config.storage.path)
        return LmdbStore.open(config.storage.path, config.storage.map_size)
    return MemoryStore()


def _settings(config: ServerConfig) -> Settings:
    return Settings(
        default_lease_ttl=config.default_lease_ttl,
        max_lease_ttl=config.max_lease_ttl,
        cluster_name=config.cluster_name or "",
        storage_type="lmdb" if isinstance(config.storage, LmdbStorage) else "inmem",
    )


async def _renew(listeners: list[Listener]) -> None:
    for listener in listeners:
        try:
            await listener.renew()
        except WardgateError as error:
            _log.error("%s keeps its certificate: %s", listener.name, error)
        else:
            if listener.uses_tls:
                _log.info("%s uses its certificate as it is on disk now", listener.name)
                for warning in listener.warnings:
                    _log.warning("%s: %s", listener.name, warning)


async def _open_dev(node: Node, dev: DevOptions) -> DevKeys:
    """Initialise and unseal a dev server.

    With a data directory that was used before, what is there is opened again by the key that lies
    beside it: a dev server protects nothing.
    """
    key_file = dev.data / "dev-unseal-key" if dev.data is not None else None
    token = dev.root_token_id or ""
    if await node.barrier.initialized():
        if key_file is None or not key_file.is_file():
            raise WardgateError(
                "the data directory was initialised by a server that is not a dev server; start it"
                " with -config, or choose another directory for --data"
            )
        key, _, stored = key_file.read_text().partition("\n")
        unseal_key = base64.b64decode(key)
        if token not in ("", stored.strip()):
            raise WardgateError(
                "the data directory has another root token than -dev-root-token-id; leave that out"
                " to go on with the one that it has, or choose another directory for --data"
            )
        token = stored.strip()
    else:
        mounts = [_kv(dev.kv_version)] if dev.kv_version is not None else []
        token, writes = await first_writes(node.core, token, mounts)
        unseal_key = (await node.seal.initialize(1, 1, writes)).keys[0]
        if key_file is not None:
            key_file.write_text(f"{base64.b64encode(unseal_key).decode()}\n{token}\n")
    await node.seal.submit(unseal_key)
    if dev.store_token:
        _store_token(token)
    return DevKeys(unseal_key, token)


def _kv(version: int) -> Mount:
    return new_mount(
        "secret/", "kv", description="key/value secret storage", options={"version": str(version)}
    )


def _store_token(token: str) -> None:
    """Let the command line on this machine use the dev server at once, as Vault's does."""
    with contextlib.suppress(OSError):
        path = Path.home() / ".vault-token"
        path.unlink(missing_ok=True)
        path.write_text(token)  # the umask makes it 0600


@contextlib.contextmanager
def _pid_file(path: Path | None) -> Iterator[None]:
    if path is not None:
        try:
            path.write_text(f"{os.getpid()}\n")
        except OSError as error:
            raise WardgateError(f"pid_file: cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        if path is not None:
            path.unlink(missing_ok=True)


def _greet(
    config: ServerConfig,
    listeners: list[Listener],
    dev: DevOptions | None,
    keys: DevKeys | None,
    tls: DevTls | None,
) -> None:
    lines = [f"==> Wardgate server {__version__} started", ""]
    kind = "lmdb" if isinstance(config.storage, LmdbStorage) else "inmem"
    lines += [
        f"    Listener: {listener.name} (tls: {'on' if listener.uses_tls else 'off'})"
        for listener in listeners
    ]
    lines += [f"     Storage: {kind}", ""]
    if dev is not None and keys is not None:
        scheme = "https" if tls else "http"
        address = f"{scheme}://{listeners[0].name}"
        lines += [
            "A dev server: unsealed, and its keys are shown here. Never use it in production.",
            "",
            f"$ export VAULT_ADDR='{address}'",
            *([f"$ export VAULT_CACERT='{tls.ca_file}'"] if tls else []),
            "",
            f"Unseal Key: {base64.b64encode(keys.unseal_key).decode()}",
            f"Root Token: {keys.root_token}",
            "",
        ]
    print("\n".join(lines), flush=True)
    sys.stdout.flush()
