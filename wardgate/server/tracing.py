"""Traces, sent by OpenTelemetry's protocol over HTTP.

They are made when the configuration has ``telemetry { otlp_endpoint }``, or when the environment has
OpenTelemetry's own OTEL_EXPORTER_OTLP_ENDPOINT (or ..._TRACES_ENDPOINT). The other OTEL_ variables
(headers, sampler, time-outs) hold in both cases. The packages are in the extra ``otel``.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wardgate import __version__
from wardgate.core.tracing import Span, Tracer
from wardgate.errors import WardgateError

if TYPE_CHECKING:
    from opentelemetry import trace

_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PATH = "/v1/traces"


class TracingError(WardgateError):
    """Traces are asked for and cannot be made."""


class Tracing(Tracer):
    """Makes spans and sends them, in a thread of its own."""

    def __init__(self, endpoint: str | None) -> None:
        """`endpoint` is the collector's base URL; None leaves it to the environment. Raises
        `TracingError`."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.trace import Status, StatusCode
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ImportError:
            raise TracingError(
                "otlp_endpoint: traces need more packages; install wardgate[otel]"
            ) from None
        exporter = (
            OTLPSpanExporter()
            if endpoint is None
            else OTLPSpanExporter(endpoint=endpoint.rstrip("/").removesuffix(_PATH) + _PATH)
        )
        named = {"service.name": "wardgate", "service.version": __version__}
        self._provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("wardgate", __version__)
        self._propagator = TraceContextTextMapPropagator()
        self._failed = lambda kind: Status(StatusCode.ERROR, kind)

    @contextlib.contextmanager
    def span(self, name: str, parent: str = "", **attributes: str | int) -> Iterator[Span]:
        """See `wardgate.core.tracing.Tracer`."""
        context = self._propagator.extract({"traceparent": parent}) if parent else None
        with self._tracer.start_as_current_span(
            name,
            context=context,
            attributes=_named(attributes),
            record_exception=False,  # its message may hold a secret
            set_status_on_exception=False,
        ) as span:
            recorded = _Recorded(span, self._failed)
            try:
                yield recorded
            except Exception as error:
                recorded.fail(type(error).__name__)
                raise

    def close(self) -> None:
        """Send what is left, and stop."""
        self._provider.shutdown()


class _Recorded:
    """A span that is sent."""

    def __init__(self, span: "trace.Span", failed: Any) -> None:
        self._span = span
        self._failed = failed

    def set(self, **attributes: str | int) -> None:
        self._span.set_attributes(_named(attributes))

    def fail(self, kind: str) -> None:
        self._span.set_status(self._failed(kind))


def _named(attributes: dict[str, str | int]) -> dict[str, str | int]:
    return {f"wardgate.{name}": value for name, value in attributes.items()}


def start_tracing(endpoint: str | None, environ: Mapping[str, str]) -> Tracing | None:
    """Traces if the configuration or the environment asks for them. Raises `TracingError`."""
    if endpoint is None and not any(environ.get(name) for name in _VARIABLES):
        return None
    return Tracing(endpoint)
