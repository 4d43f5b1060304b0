"""The HTTP application: each request goes through here once."""

import logging
from typing import Protocol

from wardgate.core.core import Core
from wardgate.core.current_request import REQUEST_ID
from wardgate.core.pipeline import OpenEndpoints, Pipeline, error_response
from wardgate.core.request import Request, Response
from wardgate.core.token_text import without_tokens
from wardgate.core.tracing import Tracer
from wardgate.core.unexpected import log_unexpected
from wardgate.errors import InternalError, RequestError
from wardgate.http import cors
from wardgate.http.answering import Headers, status_headers_body
from wardgate.http.arrivals import Arrivals
from wardgate.http.exchange import ClientGone, Exchange
from wardgate.http.forwarded import HEADER as FORWARDED
from wardgate.http.head import Head
from wardgate.http.parsing import OutsideOfApi, discard_body, is_unreadable, parse_request
from wardgate.http.rules import Rules
from wardgate.http.timing import Timing

_log = logging.getLogger("wardgate.http")

_NONE: Headers = []


class Pages(Protocol):
    """What is answered beside the API."""

    async def answer(
        self, method: str, path: str, query: str, known: str
    ) -> tuple[int, Headers, bytes] | None:
        """The answer; None where there is none. `known` is the header If-None-Match."""


class Application:
    """Answers the requests of one listener by its rules: that about the duration holds while
    `arrivals` runs. `open_metrics` are the endpoints of the metrics, for rules by which anybody may
    read them. `pages` are asked about paths outside of the API. Each request is logged at
    `log_level`.
    """

    def __init__(
        self,
        core: Core,
        pipeline: Pipeline,
        timing: Timing,
        rules: Rules,
        *,
        open_metrics: OpenEndpoints | None = None,
        log_level: int = logging.DEBUG,
        hostname: str = "",
        tracer: Tracer | None = None,
        pages: Pages | None = None,
    ) -> None:
        self.arrivals = Arrivals(rules.limits.read_timeout)
        self._clock = core.clock
        self._storage = core.storage
        self._pipeline = pipeline
        self._observe = timing.observe
        self._open_metrics = open_metrics or {}
        self._log_level = log_level
        self._hostname = hostname
        self._tracer = tracer
        self._pages = pages
        self._closed = pipeline.handle if tracer is None else self._traced
        self.use(rules)

    def use(self, rules: Rules) -> None:
        """Treat requests by these rules from now on."""
        self.arrivals.patience = rules.limits.read_timeout
        self._limits = rules.limits
        self._opened = rules.opened
        self._forwarded = rules.forwarded_for
        self._custom = rules.response_headers
        self._respond = self._respond_openly if rules.open_metrics else self._closed
        self._dresses = bool(self._hostname or rules.response_headers)

    async def answer(self, exchange: Exchange) -> None:
        """Answer a request. Never raises."""
        head = exchange.head
        request_id, arrived, more = "", self._clock.now(), _NONE
        try:
            origin = head.headers.get("origin")
            if origin is not None and not self._is_page(head):
                added = await self._cross_origin(exchange, origin)
                if added is None:
                    return
                more = added
            request = await parse_request(
                exchange,
                self._limits,
                arrived,
                self.arrivals.of,
                self._admit_early,
            )
            request_id = request.id
            REQUEST_ID.set(request_id)
            if self._forwarded is not None:
                self._find_client(request, head)
            if self._opened:
                request.opened = self._opened
            response = await self._respond(request)
            status, headers, body = status_headers_body(request_id, response)
            self._observe(request, response, self._clock.now() - arrived)
        except OutsideOfApi as error:
            status, headers, body = await self._outside(head, error)
        except RequestError as error:
            status, headers, body = status_headers_body(request_id, error_response(error))
        except ClientGone:
            return  # whoever asked went away before having asked
        except Exception as error:
            log_unexpected(f"request {request_id}", error)
            failed = error_response(InternalError("internal error"))
            status, headers, body = status_headers_body(request_id, failed)
        if self._dresses or more:
            headers = self._dressed(status, headers, more)
        if head.method == "HEAD" or status == 304:
            exchange.respond(status, headers, bare=True)
        else:
            exchange.respond(status, headers, body)
        if _log.isEnabledFor(self._log_level):
            self._log_request(head, request_id, status, self._clock.now() - arrived)

    def _is_page(self, head: Head) -> bool:
        """Whether it is for the web page, whose files are no secret from anybody; browsers name the
        origin for scripts of their own page, too."""
        return self._pages is not None and not head.path.startswith("/v1/")

    async def _outside(self, head: Head, otherwise: OutsideOfApi) -> tuple[int, Headers, bytes]:
        """The answer to a request for anything but the API. Never raises."""
        try:
            if self._pages is not None:
                known = ",".join(head.headers.get_all("if-none-match"))
                found = await self._pages.answer(head.method, head.path, head.query_string, known)
                if found is not None:
                    return found
        except Exception as error:
            log_unexpected("a request for the web page", error)
            return status_headers_body("", error_response(InternalError("internal error")))
        return status_headers_body("", error_response(otherwise))

    async def _cross_origin(self, exchange: Exchange, origin: str) -> Headers | None:
        """The headers that an answer to a page of this origin has; None when the answer was given
        already, as to OPTIONS. Raises `cors.OriginRefused`."""
        configured = await cors.configured(self._storage)
        if configured is None:
            return _NONE
        try:
            more = cors.headers_for(configured, origin)
        except cors.OriginRefused:
            await discard_body(exchange, self._limits, self.arrivals.of)
            raise
        if exchange.head.method != "OPTIONS":
            return more
        await discard_body(exchange, self._limits, self.arrivals.of)
        wanted = exchange.head.headers.get("access-control-request-method")
        status, extra = cors.preflight(configured, wanted)
        headers = [("cache-control", "no-store"), *(more if status == 200 else ()), *extra]
        exchange.respond(status, self._dressed(status, headers, _NONE))
        return None

    async def _admit_early(self, request: Request, head: Head) -> bool:
        if self._forwarded is not None:
            self._find_client(request, head)
        return await self._pipeline.admit_early(request)

    def _find_client(self, request: Request, head: Head) -> None:
        """Look behind trusted proxies for whoever sent the request."""
        assert self._forwarded is not None
        sent = head.headers.get_all(FORWARDED)
        unreadable = is_unreadable(head.headers, FORWARDED)
        request.peer = self._forwarded.client(head.client, sent, unreadable=unreadable)

    async def _respond_openly(self, request: Request) -> Response:
        """As any listener, but that anybody may read the metrics."""
        found = self._open_metrics.get(request.path)
        if found is None or request.operation not in found:
            return await self._closed(request)
        return await found[request.operation].call(request, ())

    async def _traced(self, request: Request) -> Response:
        tracer = request.tracer = self._tracer
        assert tracer is not None
        parent = request.headers("traceparent") or ""
        with tracer.span("request", parent, operation=request.operation.value) as span:
            response = await self._pipeline.handle(request)
            mount = getattr(request, "mount", None)
            if mount is not None:
                span.set(mount=mount.path, mount_type=mount.type)
            span.set(status=response.status, request_id=request.id)
            if response.status >= 500:
                span.fail(str(response.status))
            return response

    def _dressed(self, status: int, headers: Headers, more: Headers) -> Headers:
        """The headers with those that the operator adds, which go before ours."""
        custom = dict(self._custom.of(status))
        if self._hostname:
            custom["x-vault-hostname"] = self._hostname
        kept = [pair for pair in headers if pair[0] not in custom]
        return [*kept, *custom.items(), *more]

    def _log_request(self, head: Head, request_id: str, status: int, seconds: float) -> None:
        """One line without body, token or query. What the client chose is quoted and escaped, so
        that it cannot look like another line, and a token that stands in a path, as in the paths
        that Vault once had, is left out."""
        path = without_tokens(head.path, lambda token: "(token)")
        ms = round(seconds * 1000, 3)
        _log.log(
            self._log_level,
            "request id=%s method=%a path=%a status=%d ms=%.3f",
            request_id or "-",
            head.method,
            path,
            status,
            ms,
            extra={"fields": {"method": head.method, "path": path, "status": status, "ms": ms}},
        )
