"""The listeners: each one an HTTP server in this process, with an application of its own.

A listener's socket is opened once. A new certificate needs a new HTTP server: it begins to accept
connections from the same socket, the old one accepts no more, ends the handshakes that it has begun
and answers what it was asked, and only then is stopped. So no connection is ever refused or cut.
"""

import asyncio
import contextlib
import dataclasses
import logging
import os
import socket
from collections.abc import Sequence
from typing import Any

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.net import SocketHolder  # type: ignore[attr-defined]
from granian.server.embed import Server

from wardgate.clock import Clock
from wardgate.http.app import Application
from wardgate.server.listeners import (
    ListenerConfig,
    TcpListener,
    TlsVersion,
    UnixListener,
    uses_tls,
)
from wardgate.server.sockets import (
    BACKLOG,
    ListenError,
    deafen,
    name_of,
    open_socket,
)
from wardgate.server.tls import load_tls

PATIENCE = 5.0
"""Seconds that clients have to finish their requests when the server is told to stop."""

_FAILS_WITHIN = 0.05  # seconds; an HTTP server that cannot serve ends at once
_HANDSHAKE = 10.0  # seconds that a client has for its TLS handshake
_HEADER_BYTES = 128 * 1024  # what a request's head may take, before it is looked at
_LONGEST = 24 * 3600  # seconds
_LEAVE_LOGGING: dict[str, Any] = {
    "incremental": True,
    "formatters": {},
    "handlers": {},
    "loggers": {},
    "root": {},
}
"""Keeps the HTTP server from configuring Python's logging anew, which would close our handlers."""
_HOLDER: Any = SocketHolder  # its types lag behind
_PROTOCOLS = {TlsVersion.TLS12: SSLProtocols.tls12, TlsVersion.TLS13: SSLProtocols.tls13}

_log = logging.getLogger("wardgate.server")


class Listener:
    """One listener, which can be started, renewed and stopped. It has at most `connections` at
    once; the rest waits to be accepted."""

    def __init__(
        self,
        config: ListenerConfig,
        application: Application,
        clock: Clock,
        connections: int,
        opened: socket.socket | None = None,
    ) -> None:
        """`opened` is the listener's socket where that was opened already, for several processes."""
        self._config = config
        self._given = config
        self._application = application
        self._clock = clock
        self._connections = connections
        self._inherited = opened
        self._socket: socket.socket | None = None
        self._serving: _Serving | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._renewal = asyncio.Lock()
        self.warnings: tuple[str, ...] = ()

    @property
    def config(self) -> ListenerConfig:
        """What the listener was opened with, and has taken over since."""
        return self._config

    @property
    def as_configured(self) -> bool:
        """Whether everything that `use` was given last is in effect."""
        return self._config == self._given

    def use(self, config: ListenerConfig) -> bool:
        """Take over what can be changed while it is open: how requests are treated, and what the
        next `renew` of a certificate reads. Gives whether requests are treated otherwise now."""
        self._given = config
        old, changes = self._config, dict[str, Any]()
        if isinstance(config, TcpListener) and config.tls is not None and self.uses_tls:
            changes = {"tls": config.tls, "header_timeout": config.header_timeout}
        self._config = dataclasses.replace(old, rules=config.rules, **changes)
        if old.rules == config.rules:
            return False
        self._application.use(config.rules)
        return True

    @property
    def name(self) -> str:
        """Address or path, as people know it."""
        return name_of(self._config, self._socket)

    @property
    def uses_tls(self) -> bool:
        return uses_tls(self._config)

    async def start(self) -> None:
        """Listen. Raises `ListenError` when the address is taken or cannot be used, `TlsError` for
        bad certificates."""
        self._socket = self._inherited or open_socket(self._config)
        try:
            self._serving = await self._serve(self._socket)
        except BaseException:
            self._close()
            raise

    async def renew(self) -> None:
        """Read the certificate again and use it for new connections. When it is bad, `TlsError` is
        raised and the old one stays in use."""
        async with self._renewal:
            if not self.uses_tls or self._socket is None or self._serving is None:
                return
            old, self._serving = self._serving, await self._serve(self._socket)
            old.accept_no_more()
            leaving = asyncio.create_task(old.leave())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    async def stop(self) -> None:
        """Stop listening, and answer what has arrived. Clients that take longer than `PATIENCE` to
        send the rest of a request, or to read the answer, are left."""
        async with self._renewal:
            ending = list(self._leaving)
            for leaving in ending:
                leaving.cancel()
            if self._serving is not None:
                self._serving.accept_no_more()
                ending.append(asyncio.create_task(self._serving.stop()))
                self._serving = None
            self._close()  # nobody else has the socket now, so new connections are refused
            if ending:
                _, late = await asyncio.wait(ending, timeout=PATIENCE)
                if late:
                    _log.warning("%s: some clients did not finish their requests", self.name)

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            if isinstance(self._config, UnixListener) and self._inherited is None:
                self._config.path.unlink(missing_ok=True)

    async def _serve(self, opened: socket.socket) -> "_Serving":
        settings: dict[str, Any] = {
            "interface": Interfaces.RSGI,
            "http": HTTPModes.auto,
            "http1_settings": _http1(self._config.header_timeout),
            "websockets": False,
            "log_enabled": False,
            "log_dictconfig": _LEAVE_LOGGING,
            "backpressure": self._connections,
        }
        with contextlib.ExitStack() as files:
            if isinstance(self._config, TcpListener) and self._config.tls is not None:
                tls = self._config.tls
                material = load_tls(tls, self._clock.now())
                self.warnings = material.warnings
                settings |= {
                    "ssl_cert": tls.cert_file,
                    "ssl_key": files.enter_context(material.served_key()),
                    "ssl_protocol_min": _PROTOCOLS[tls.min_version],
                    "ssl_ca": tls.client_ca_file,
                    "ssl_client_verify": tls.require_client_certificate,
                }
            serving = _Serving(self._application, opened, settings)
            try:
                await serving.start()
            except (OSError, ValueError) as error:
                raise ListenError(f"cannot listen on {self.name}: {error}") from None
            serving.files = files.pop_all()
            return serving


def _http1(header_timeout: int | None) -> HTTP1Settings:
    settings = HTTP1Settings(max_buffer_size=_HEADER_BYTES)
    if header_timeout is not None:
        settings.header_read_timeout = min(header_timeout, _LONGEST) * 1000
    return settings


class _SocketServer(Server):
    """The HTTP server, over a socket that is open already."""

    def __init__(self, application: Application, holder: Any, **settings: Any) -> None:
        super().__init__(application, **settings)
        self._open_socket: Any = holder

    def _init_shared_socket(self) -> None:
        self._ssp = None
        self._shd = self._open_socket


class _Serving:
    """An HTTP server at work on a descriptor of its own for the listener's socket."""

    def __init__(
        self, application: Application, opened: socket.socket, settings: dict[str, Any]
    ) -> None:
        self.files = contextlib.ExitStack()
        self._application = application
        self._opened = opened
        self._settings = settings

    async def start(self) -> None:
        """Accept connections. Raises `OSError` or `ValueError` when the server cannot."""
        is_unix = self._opened.family == socket.AF_UNIX
        self._descriptor = os.dup(self._opened.fileno())
        holder = _HOLDER(self._descriptor, is_unix, BACKLOG)
        try:
            self._server: Server = _SocketServer(self._application, holder, **self._settings)
        except BaseException:
            os.close(self._descriptor)
            raise
        self._task = asyncio.create_task(self._server.serve())
        await asyncio.wait([self._task], timeout=_FAILS_WITHIN)
        if self._task.done():
            raise ValueError(self._task.exception() or "the HTTP server ended")

    def accept_no_more(self) -> None:
        """Leave new connections to others that have the same socket, if any."""
        deafen(self._descriptor)

    async def leave(self) -> None:
        """Stop when every client has had the time to end its handshake; when cancelled, at once."""
        try:
            await asyncio.sleep(_HANDSHAKE)
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Answer what has arrived and end."""
        with self.files:
            self._server.stop()
            await asyncio.wait([self._task])


async def start_all(listeners: Sequence[Listener]) -> None:
    """Start every listener, or none."""
    started: list[Listener] = []
    try:
        for listener in listeners:
            await listener.start()
            started.append(listener)
    except BaseException:
        for listener in started:
            await listener.stop()
        raise
