"""``sys/config/state`` and ``sys/config/reload``: the configuration that the server runs with."""

from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import UnsupportedPath
from wardgate.framework.endpoints import endpoint
from wardgate.system.host import Host, Reload

RELOAD = "reload"
"""What other workers are told to do; they answer with their notes."""
_PATIENCE = 10.0
"""Seconds that each of them has for it."""


class ConfigStateEndpoints:
    """Show the configuration, and read it again."""

    def __init__(self, core: Core, host: Host) -> None:
        self._core = core
        self._host = host

    @endpoint(
        "config/state/sanitized", Operation.READ, operation_id="read-sanitized-configuration-state"
    )
    async def sanitized(self, request: Request) -> Response:
        """Show what this process runs with, without anything secret."""
        return Response(self._host.state())

    @endpoint(
        "config/reload/{subsystem...}",
        Operation.UPDATE,
        operation_id="reload-subsystem",
        sudo=True,
    )
    async def reload(self, request: Request, subsystem: str) -> Response:
        """Read the configuration again, as SIGHUP does: the only subsystem is ``config``."""
        reload = self._host.reload
        if subsystem != "config" or reload is None:
            raise UnsupportedPath
        return no_content(await request.once("reload", lambda: self._everywhere(reload)))

    async def _everywhere(self, reload: Reload) -> list[str]:
        """Do it here, then in all other workers; what they have to say, each note once."""
        notes, peers = await reload(), self._core.peers
        if peers.alone:
            return notes
        others = await peers.ask(RELOAD, kind=list[str], patience=_PATIENCE)
        for other in others:
            notes = notes + other
        if others.missing:
            notes.append(
                f"worker processes that did not answer: {others.missing};"
                " they may go on with the configuration as it was"
            )
        return list(dict.fromkeys(notes))
