"""The RSGI application: each HTTP request goes through here once."""

import logging
import re
from typing import Any

from granian._granian import RSGIProtocolClosed as ProtocolClosed

from wardgate.core.core import Core
from wardgate.core.pipeline import Pipeline, error_response
from wardgate.core.unexpected import log_unexpected
from wardgate.errors import InternalError, RequestError
from wardgate.http.answering import status_headers_body
from wardgate.http.arrivals import Arrivals
from wardgate.http.limits import Limits
from wardgate.http.parsing import parse_request

_log = logging.getLogger("wardgate.http")

_TOKEN = re.compile(r"(?<=/)(?:hv)?[sbr]\.[\w-]{20,}")


class Application:
    """Answers the requests of one listener, within its limits: that of the duration holds while
    `arrivals` runs.

    Each request is logged if the logger is at debug level when the application is made: logs are
    set up before, and a request costs nothing more when it is not.
    """

    def __init__(self, core: Core, pipeline: Pipeline, limits: Limits) -> None:
        self.arrivals = Arrivals(limits.max_request_duration)
        self._limits = limits
        self._clock = core.clock
        self._handle = pipeline.handle
        self._logs_requests = _log.isEnabledFor(logging.DEBUG)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """The entry point that Granian calls."""
        if scope.proto != "http":
            protocol.close(403)
            return
        request_id, arrived = "", self._clock.now()
        try:
            request = await parse_request(scope, protocol, self._limits, arrived, self.arrivals.of)
            request_id = request.id
            response = await self._handle(request)
            status, headers, body = status_headers_body(request_id, response)
        except RequestError as error:
            status, headers, body = status_headers_body(request_id, error_response(error))
        except ProtocolClosed:
            return  # whoever asked went away before having asked
        except Exception as error:
            log_unexpected(f"request {request_id}", error)
            failed = error_response(InternalError("internal error"))
            status, headers, body = status_headers_body(request_id, failed)
        if scope.method == "HEAD" or not body:
            protocol.response_empty(status, headers)
        else:
            protocol.response_bytes(status, headers, body)
        if self._logs_requests:
            self._log_request(scope, request_id, status, self._clock.now() - arrived)

    @staticmethod
    def _log_request(scope: Any, request_id: str, status: int, seconds: float) -> None:
        """One line without body, token or query. What the client chose is quoted and escaped, so
        that it cannot look like another line, and a token that stands in a path, as in the paths
        that Vault once had, is left out."""
        _log.debug(
            "request id=%s method=%a path=%a status=%d ms=%.3f",
            request_id or "-",
            scope.method,
            _TOKEN.sub("(token)", scope.path),
            status,
            seconds * 1000,
        )
