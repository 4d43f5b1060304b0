"""The RSGI application: each HTTP request goes through here once."""

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


class Application:
    """Answers the requests of one listener, within its limits: that of the duration holds while
    `arrivals` runs."""

    def __init__(self, core: Core, pipeline: Pipeline, limits: Limits) -> None:
        self.arrivals = Arrivals(limits.max_request_duration)
        self._limits = limits
        self._clock = core.clock
        self._handle = pipeline.handle

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """The entry point that Granian calls."""
        if scope.proto != "http":
            protocol.close(403)
            return
        request_id = ""
        try:
            request = await parse_request(
                scope, protocol, self._limits, self._clock.now(), self.arrivals.of
            )
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
