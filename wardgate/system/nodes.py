"""``sys/ha-status`` and ``sys/step-down``: there is no leader, so these tell about the node itself."""

import socket

from wardgate import __version__
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.framework.endpoints import endpoint


class NodeEndpoints:
    """All nodes are equal: each answers every request."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("ha-status", Operation.READ, operation_id="ha-status")
    async def ha_status(self, request: Request) -> Response:
        """Tell about the node that answers."""
        node = {
            "hostname": socket.gethostname(),
            "api_address": self._core.settings.api_addr,
            "cluster_address": "",
            "active_node": True,
            "last_echo": None,
            "version": __version__,
        }
        return Response({"nodes": [node]}, spread=True)

    @endpoint("step-down", Operation.UPDATE, operation_id="step-down-leader", sudo=True)
    async def step_down(self, request: Request) -> Response:
        """Done at once: no node leads."""
        return no_content()
