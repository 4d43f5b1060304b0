"""The listeners: each one a socket, the connections that it accepts, and an application of its own.

A listener's socket is opened once. A new certificate is one for new connections: another server begins
to accept from the same socket, the old one accepts no more, and the connections that there are go on.
"""

import asyncio
import dataclasses
import logging
import socket
import ssl
from collections.abc import Sequence
from typing import Any

from wardgate.clock import Clock
from wardgate.http.app import Application
from wardgate.http.connection import Connections
from wardgate.server.listeners import ListenerConfig, TcpListener, UnixListener, uses_tls
from wardgate.server.sockets import BACKLOG, ListenError, name_of, open_socket
from wardgate.server.tls import load_tls

PATIENCE = 5.0
"""Seconds that clients have to finish their requests when the server is told to stop."""

_HANDSHAKE = 10.0  # seconds that a client has for its TLS handshake

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
        self._connections = Connections(application.answer, clock, connections, config.times)
        self._connections.at_room = self._at_room
        self._inherited = opened
        self._socket: socket.socket | None = None
        self._context: ssl.SSLContext | None = None
        self._server: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None
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
            changes["tls"] = config.tls
        self._config = dataclasses.replace(old, rules=config.rules, times=config.times, **changes)
        self._connections.times = config.times
        if old.rules == config.rules and old.times == config.times:
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
        self._context = self._new_context()
        self._socket = self._inherited or open_socket(self._config)
        try:
            self._server = await self._accept()
        except BaseException:
            self._close()
            raise
        self._watch = asyncio.create_task(self._connections.watch())

    async def renew(self) -> None:
        """Read the certificate again and use it for new connections. When it is bad, `TlsError` is
        raised and the old one stays in use."""
        async with self._renewal:
            if not self.uses_tls or self._socket is None:
                return
            self._context = self._new_context()
            if self._server is not None:
                old, self._server = self._server, await self._accept()
                old.close()

    async def stop(self) -> None:
        """Stop listening, and answer what has arrived. Clients that take longer than `PATIENCE` to
        send the rest of a request, or to read the answer, are left."""
        async with self._renewal:
            if self._server is not None:
                self._server.close()
                self._server = None
            self._close()  # nobody else has the socket now, so new connections are refused
            try:
                await asyncio.wait_for(self._connections.end(), PATIENCE)
            except TimeoutError:
                _log.warning("%s: some clients did not finish their requests", self.name)
                self._connections.abort()
            if self._watch is not None:
                self._watch.cancel()

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            if isinstance(self._config, UnixListener) and self._inherited is None:
                self._config.path.unlink(missing_ok=True)

    def _new_context(self) -> ssl.SSLContext | None:
        """What new connections are encrypted with, from the files as they are now."""
        if not isinstance(self._config, TcpListener) or self._config.tls is None:
            return None
        loaded = load_tls(self._config.tls, self._clock.now())
        self.warnings = loaded.warnings
        return loaded.context

    async def _accept(self) -> asyncio.Server:
        """Accept connections from the listener's socket. Raises `ListenError`."""
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        own = self._socket.dup()  # it is closed with the server; the listener's stays
        try:
            if isinstance(self._config, UnixListener):
                return await loop.create_unix_server(self._connections, sock=own, backlog=BACKLOG)
            if self._context is None:
                return await loop.create_server(self._connections, sock=own, backlog=BACKLOG)
            return await loop.create_server(
                self._connections,
                sock=own,
                backlog=BACKLOG,
                ssl=self._context,
                ssl_handshake_timeout=_HANDSHAKE,
            )
        except OSError as error:
            own.close()
            raise ListenError(f"cannot listen on {self.name}: {error}") from None

    def _at_room(self, room: bool) -> None:
        """Leave new connections to wait while there are as many as there may be."""
        if not room and self._server is not None:
            self._server.close()
            self._server = None
        elif room and self._socket is not None:
            self._again = asyncio.create_task(self._accept_again())

    async def _accept_again(self) -> None:
        while True:
            async with self._renewal:
                if self._server is not None or self._socket is None or not self._connections.room:
                    return
                try:
                    self._server = await self._accept()
                    return
                except (OSError, ListenError) as error:
                    _log.warning("%s: cannot accept connections now: %s", self.name, error)
            await asyncio.sleep(1)  # with too many files open; nothing else would begin it again


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
