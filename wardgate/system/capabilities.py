"""``sys/capabilities``: what a token may do on given paths."""

from typing import Annotated

from wardgate.core.authentication import rights
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response
from wardgate.core.tokens.store import Found
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, StringList


class PathsBody(Body):
    """The paths asked about."""

    path: Annotated[StringList, Doc("Use 'paths' instead.", deprecated=True)] = ()
    paths: Annotated[StringList, Doc("The paths to tell the capabilities on.")] = ()


class CapabilitiesBody(PathsBody):
    """Paths and a token."""

    token: Annotated[str, Doc("The token to ask about.")] = ""


class AccessorCapabilitiesBody(PathsBody):
    """Paths and a token's accessor."""

    accessor: Annotated[str, Doc("The accessor of the token to ask about.")] = ""


class CapabilitiesEndpoints:
    """``capabilities``, ``capabilities-self`` and ``capabilities-accessor``."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("capabilities", Operation.UPDATE, operation_id="query-token-capabilities")
    async def of_token(self, request: Request, body: CapabilitiesBody) -> Response:
        """What a token may do."""
        if not body.token:
            raise InvalidRequest("token: must be given")
        tokens = self._core.tokens
        found = await tokens.find(request.transaction, body.token, request.time)
        return await self._answer(request, found, body, "invalid token")

    @endpoint("capabilities-self", Operation.UPDATE, operation_id="query-token-self-capabilities")
    async def of_caller(self, request: Request, body: CapabilitiesBody) -> Response:
        """What the calling token may do."""
        assert request.token is not None
        found = Found(request.token_key, request.token)
        return await self._answer(request, found, body, "invalid token")

    @endpoint(
        "capabilities-accessor",
        Operation.UPDATE,
        operation_id="query-token-accessor-capabilities",
    )
    async def of_accessor(self, request: Request, body: AccessorCapabilitiesBody) -> Response:
        """What the token of an accessor may do."""
        if not body.accessor:
            raise InvalidRequest("missing accessor")
        tokens = self._core.tokens
        found = await tokens.by_accessor(request.transaction, body.accessor, request.time)
        return await self._answer(request, found, body, "invalid accessor")

    async def _answer(
        self, request: Request, found: Found | None, body: PathsBody, unknown: str
    ) -> Response:
        paths = body.paths or body.path
        for given in (request.body or {}).values():
            if isinstance(given, list) and "" in given:
                raise InvalidRequest("missing path")
        if not paths:
            raise InvalidRequest("paths must be supplied")
        if found is None:
            raise InvalidRequest(unknown)
        acl = await rights(self._core, request.transaction, found.token, request.time)
        answer: JsonMap = {path: acl.capabilities(path) for path in paths}
        if len(paths) == 1:
            answer["capabilities"] = answer[paths[0]]
        return Response(answer, spread=True)
