"""``sys/config/state`` and ``sys/config/reload``: the configuration of this process."""

from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import UnsupportedPath
from wardgate.framework.endpoints import endpoint
from wardgate.system.host import Host


class ConfigStateEndpoints:
    """Show the configuration, and read it again."""

    def __init__(self, host: Host) -> None:
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
        return no_content(await request.once("reload", reload))
