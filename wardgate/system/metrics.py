"""``sys/metrics``: what the server has counted, in all of its processes."""

import contextlib
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from wardgate.core.core import Core
from wardgate.core.metrics import Family, Reading
from wardgate.core.metrics_of_all import Told, of_all, told
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.errors import InvalidRequest, RequestError
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.system.exposition import PROMETHEUS_TYPE, as_json, prometheus
from wardgate.system.process_metrics import ProcessFamily, ProcessMetrics, text_of_all

METRICS = "metrics"
"""The question to other workers; the payload says whether `Worker.process` is wanted."""


class Worker(msgspec.Struct, frozen=True):
    """What one worker tells: `since` is when it began, in seconds since the epoch."""

    worker: int
    since: float
    families: list[Told]
    process: list[ProcessFamily]


class MetricsQuery(Body):
    """How to show the metrics."""

    format: Annotated[str, Doc("prometheus, or nothing for JSON.")] = ""


class MetricsEndpoints:
    """The metrics of this server."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._since = core.clock.now()
        self._process = ProcessMetrics()

    @endpoint("metrics", Operation.READ, operation_id="metrics")
    async def read(self, request: Request, query: MetricsQuery) -> Response:
        """Show what this server has counted since it began."""
        settings, prefix = self._core.settings, self._core.settings.metrics_prefix
        as_text = query.format == "prometheus"
        if query.format not in ("", "prometheus"):
            raise InvalidRequest("format: must be prometheus, or left out for JSON")
        if as_text and not settings.prometheus:
            raise InvalidRequest("prometheus is not enabled")
        if self._core.peers.alone:
            families, since = list(self._core.metrics.families()), self._since
            process = self._process.text() if as_text else b""
        else:
            workers, missing = await self._workers(request, as_text)
            families = [*of_all([each.families for each in workers]), _answering(workers, missing)]
            since = min(each.since for each in workers)
            told_of = {each.worker: each.process for each in workers}
            process = text_of_all(told_of) if as_text else b""
        if as_text:
            text = prometheus(families, prefix).encode()
            return Response(raw=text + process, content_type=PROMETHEUS_TYPE)
        return Response(as_json(families, prefix, request.time, since), bare=True)

    async def tell(self, with_process: Any) -> Worker:
        """What another worker asks for by `METRICS`."""
        with contextlib.suppress(RequestError):  # it may be sealed
            await self._core.storage.begin()  # which sees whether others have sealed or unsealed
        return Worker(
            worker=self._core.peers.number,
            since=self._since,
            families=told(self._core.metrics.families()),
            process=self._process.told() if with_process else [],
        )

    async def _workers(self, request: Request, with_process: bool) -> tuple[list[Worker], int]:
        """This process and all others that answer, and how many do not."""
        peers = self._core.peers
        others = await request.once("metrics", lambda: peers.ask(METRICS, with_process, Worker))
        return [await self.tell(with_process), *others], others.missing


def _answering(workers: Sequence[Worker], missing: int) -> Family:
    readings = [
        Reading((("answered", "no"),), missing),
        Reading((("answered", "yes"),), len(workers)),
    ]
    return Family(
        "workers", "gauge", "Worker processes, and whose numbers these are.", lambda: readings
    )
