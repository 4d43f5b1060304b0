"""``sys/metrics``: what the server has counted."""

from typing import Annotated

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.system.exposition import PROMETHEUS_TYPE, as_json, prometheus


class MetricsQuery(Body):
    """How to show the metrics."""

    format: Annotated[str, Doc("prometheus, or nothing for JSON.")] = ""


class MetricsEndpoints:
    """The metrics of this process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._since = core.clock.now()
        self._process = CollectorRegistry(auto_describe=False)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._process)

    @endpoint("metrics", Operation.READ, operation_id="metrics")
    async def read(self, request: Request, query: MetricsQuery) -> Response:
        """Show what this process has counted since it began."""
        metrics, settings = self._core.metrics, self._core.settings
        if query.format == "":
            shown = as_json(metrics, settings.metrics_prefix, request.time, self._since)
            return Response(shown, bare=True)
        if query.format != "prometheus":
            raise InvalidRequest("format: must be prometheus, or left out for JSON")
        if not settings.prometheus:
            raise InvalidRequest("prometheus is not enabled")
        text = prometheus(metrics, settings.metrics_prefix).encode()
        return Response(raw=text + generate_latest(self._process), content_type=PROMETHEUS_TYPE)
