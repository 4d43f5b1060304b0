"""What other workers of this server may ask of this one."""

from typing import Any

from wardgate.core.audit.sink import Health
from wardgate.core.core import Core
from wardgate.core.peers import Peers
from wardgate.system.audit import AUDIT_HEALTH
from wardgate.system.config_state import RELOAD
from wardgate.system.host import Host
from wardgate.system.in_flight import IN_FLIGHT, in_flight
from wardgate.system.loggers import ALL_LEVELS, SET_LEVEL, levels, set_level
from wardgate.system.metrics import METRICS, MetricsEndpoints


def serve_peers(peers: Peers, core: Core, metrics: MetricsEndpoints, host: Host) -> None:
    """Let `peers` answer for this process."""

    async def requests(_: Any) -> dict[str, dict[str, str]]:
        return in_flight(core)

    async def reload(_: Any) -> list[str]:
        return [] if host.reload is None else await host.reload()

    async def health(_: Any) -> dict[str, Health]:
        return core.audit.told()

    peers.serve(METRICS, metrics.tell)
    peers.serve(IN_FLIGHT, requests)
    peers.serve(SET_LEVEL, set_level)
    peers.serve(ALL_LEVELS, levels)
    peers.serve(RELOAD, reload)
    peers.serve(AUDIT_HEALTH, health)
