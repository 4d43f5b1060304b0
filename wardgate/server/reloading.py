"""Reads the configuration again while the server runs: at SIGHUP, and at ``sys/config/reload``.

What can change without a restart does: the log level and file, the audit devices, the certificates,
and how listeners treat requests. Of everything else it is said that it waits for a restart. A
configuration that cannot be read changes nothing; the certificates are renewed all the same.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterator, Sequence

from wardgate.core.audit.service import Audit
from wardgate.errors import WardgateError
from wardgate.server.audit import AuditConfig, reload_audit
from wardgate.server.config import ServerConfig
from wardgate.server.listeners import ListenerConfig, same_address
from wardgate.server.listening import Listener
from wardgate.server.log_file import LogFile
from wardgate.server.logs import set_level

_log = logging.getLogger("wardgate.server")

RELOADED = frozenset({"audit", "log_level", "listeners"})
"""Keys that take effect at once; of listeners, certificates and rules."""


class Reloading:
    """What a running server does when it is told to read its configuration again."""

    def __init__(
        self,
        config: ServerConfig,
        read: Callable[[], tuple[ServerConfig, list[str]]],
        listeners: Sequence[Listener],
        log_file: LogFile | None,
        audit: Audit,
        audited: Callable[[ServerConfig], AuditConfig],
    ) -> None:
        """`read` reads the configuration as the start did; it may raise a `WardgateError`. `audited`
        is what a configuration means for `audit`."""
        self._config = config
        self._started_with = config
        self._read = read
        self._listeners = listeners
        self._log_file = log_file
        self._audit = audit
        self._audited = audited
        self._turn = asyncio.Lock()
        self.done = False
        """Whether it was told so since it began."""

    @property
    def in_effect(self) -> ServerConfig:
        """The configuration less what waits for a restart."""
        listeners = tuple(listener.config for listener in self._listeners)
        return dataclasses.replace(
            self._started_with, log_level=self._config.log_level, listeners=listeners
        )

    async def run(self) -> list[str]:
        """Do it, and log it; gives what the operator has to know: problems, and what waits for a
        restart."""
        async with self._turn:
            self.done = True
            return await self._run()

    async def _run(self) -> list[str]:
        before = self._config
        notes = list(self._apply())
        for note in notes:
            _log.warning("%s", note)
        self._audit.reopen()
        if self._config is not before:
            notes += await reload_audit(self._audit, self._audited(self._config))
        if self._log_file is not None:
            try:
                self._log_file.reopen()
            except WardgateError as error:
                notes.append(f"the log file stays as it was: {error}")
                _log.error("%s", notes[-1])
        for listener in self._listeners:
            notes += await _renew(listener)
        return notes

    def _apply(self) -> Iterator[str]:
        try:
            new, warnings = self._read()
        except WardgateError as error:
            yield f"the configuration stays as it was: {error}"
            return
        yield from warnings
        before, self._config = self._config, new
        if new.log_level is not before.log_level:
            set_level(new.log_level)
            _log.info("log_level is %s now", new.log_level.value)
        yield from self._apply_listeners()
        for field in dataclasses.fields(ServerConfig):
            name = field.name
            waits = getattr(new, name) != getattr(self._started_with, name)
            if waits and name not in RELOADED:
                yield f"{name} has changed; it takes effect when the server is started again"

    def _apply_listeners(self) -> Iterator[str]:
        waiting = list(self._config.listeners)
        for listener in self._listeners:
            new = _counterpart(listener.config, waiting)
            if new is None:
                yield f"{listener.name} is not configured any more; it is closed at a restart"
                continue
            waiting.remove(new)
            if listener.use(new):
                _log.info("%s treats requests by its new configuration", listener.name)
            if not listener.as_configured:
                yield f"{listener.name} has other settings that take effect at a restart"
        if waiting:
            yield f"{len(waiting)} new listeners are opened when the server is started again"


def _counterpart(
    old: ListenerConfig, configured: Sequence[ListenerConfig]
) -> ListenerConfig | None:
    return next((each for each in configured if each == old or same_address(each, old)), None)


async def _renew(listener: Listener) -> list[str]:
    if not listener.uses_tls:
        return []
    try:
        await listener.renew()
    except WardgateError as error:
        note = f"{listener.name} keeps its certificate: {error}"
        _log.error("%s", note)
        return [note]
    _log.info("%s uses its certificate as it is on disk now", listener.name)
    warnings = [f"{listener.name}: {warning}" for warning in listener.warnings]
    for warning in warnings:
        _log.warning("%s", warning)
    return warnings
