"""``sys/in-flight-req``: the requests that are being answered at this moment."""

from wardgate.core.audit.seen import client_id
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.core.token_text import without_tokens
from wardgate.framework.endpoints import endpoint
from wardgate.timestamps import rfc3339

_METHODS = {
    Operation.READ: "GET",
    Operation.HELP: "GET",
    Operation.CREATE: "POST",
    Operation.UPDATE: "POST",
}


_Shown = dict[str, dict[str, str]]
IN_FLIGHT = "in-flight"
"""The question to other workers."""


class InFlightEndpoints:
    """See what the server is busy with."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint(
        "in-flight-req",
        Operation.READ,
        operation_id="collect-in-flight-request-information",
    )
    async def requests(self, request: Request) -> Response:
        """Read all requests that this server is answering."""
        shown, peers = in_flight(self._core), self._core.peers
        if not peers.alone:
            others = await request.once("in flight", lambda: peers.ask(IN_FLIGHT, kind=_Shown))
            for other in others:
                shown |= other
        return Response(shown, bare=True)


def in_flight(core: Core) -> _Shown:
    """What this process is answering, by the ids of the requests."""
    return {each.id: _shown(each) for each in core.in_flight.requests}


def _shown(request: Request) -> dict[str, str]:
    return {
        "start_time": rfc3339(request.began),
        "client_remote_address": request.peer,
        "request_path": without_tokens(f"/v1/{request.path}", lambda token: "(token)"),
        "request_method": _METHODS.get(request.operation, request.operation.upper()),
        "client_id": "" if request.token is None else client_id(request.token),
    }
