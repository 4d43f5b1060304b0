"""The way of a request through the core.

It goes forward through these rooms once: mount, token, addresses, uses, policy, endpoint, token of
a login. All of it happens in one transaction: the answer is given when everything that the request
wrote is durable, and if another request was faster at something that this one had read, it starts
again from the first room.
"""

from collections.abc import Mapping

from wardgate.core.authentication import calling_token, rights
from wardgate.core.backend import Captures, Endpoint, Route
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.policy import Decision
from wardgate.core.request import Request, Response
from wardgate.core.storage import Transaction, View
from wardgate.core.unexpected import log_unexpected
from wardgate.errors import (
    InternalError,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    RequestError,
    UnsupportedOperation,
    UnsupportedPath,
)

_ROOT_NAMESPACES = ("", "root")
_WRITES = (Operation.CREATE, Operation.UPDATE, Operation.PATCH)

OpenEndpoints = Mapping[str, Mapping[Operation, Endpoint]]


class Pipeline:
    """Answers requests. `open_endpoints` are asked before anything else, by their exact path: they
    work on a sealed server too."""

    def __init__(self, core: Core, open_endpoints: OpenEndpoints) -> None:
        self._core = core
        self._open = open_endpoints

    async def handle(self, request: Request) -> Response:
        """The answer to `request`. Never raises: errors become answers."""
        try:
            if request.path.endswith("/") and request.operation in _WRITES:
                raise InvalidRequest("cannot write to a path ending in '/'")
            if request.path in self._open and request.operation is not Operation.HELP:
                return await self._answer_open(request)
            namespace = request.headers("x-vault-namespace")
            if namespace and namespace.strip("/") not in _ROOT_NAMESPACES:
                # answering from the root namespace would be an answer about other secrets
                raise NotFound("namespace not found")
            response = await self._core.storage.transact(
                lambda transaction: self._attempt(request, transaction)
            )
            if response.then is not None:
                response.then()
            return response
        except RequestError as error:
            return error_response(error)
        except Exception as error:
            log_unexpected(f"request {request.id}", error)
            return error_response(InternalError("internal error"))

    async def _answer_open(self, request: Request) -> Response:
        endpoint = self._open[request.path].get(request.operation)
        if endpoint is None:
            raise UnsupportedOperation
        return await endpoint.call(request, ())

    async def _attempt(self, request: Request, transaction: Transaction) -> Response:
        core = self._core
        request.transaction = transaction
        request.warnings = []
        table = core.mounts.known_table(transaction) or await core.mounts.table(transaction)
        mount = table.find(request.path)
        route: Route | None = None
        if mount is not None:
            request.mount = mount
            request.subpath = request.path[len(mount.path) :]
            request.storage = View(transaction, mount.storage_prefix)
            route = table.backend(mount).route(request.operation, request.subpath)
            if route.endpoint is None and route.unauthenticated:
                raise UnsupportedOperation
            if route.endpoint is not None and route.endpoint.unauthenticated:
                response = await self._answer(request, route.endpoint, route.captures)
                return await self._wrapped(request, response)
        found = await calling_token(core, request)
        request.token_key = found.name
        request.token = found.token
        if found.token.num_uses == 0:
            return await self._authorised(request, route)
        request.token = await core.tokens.use(transaction, found)
        staged = transaction.staged()
        try:
            return await self._authorised(request, route)
        except RequestError as error:
            transaction.restore(staged)  # the use counts, whatever came of it
            return error_response(error)

    async def _authorised(self, request: Request, route: Route | None) -> Response:
        assert request.token is not None
        request.acl = await rights(self._core, request.transaction, request.token, request.time)
        endpoint = None if route is None else route.endpoint
        if route is not None and endpoint is not None and endpoint.conditional:
            exists = await endpoint.exists(request, route.captures)
            request.operation = Operation.UPDATE if exists else Operation.CREATE
        sudo = endpoint is not None and endpoint.sudo
        given = request.body if request.operation in _WRITES else request.query
        decision = request.acl.decide(
            request.operation, request.path, given, request.wrap_ttl, sudo=sudo
        )
        if not decision.allowed:
            raise PermissionDenied
        if endpoint is not None and endpoint.folded:
            meant = _folded(request)
            if meant != request.path and not request.acl.allows(
                request.operation, meant, given, request.wrap_ttl, sudo=sudo
            ):
                raise PermissionDenied
        if route is None:
            raise NotFound(f'no handler for route "{request.path}". route entry not found.')
        if endpoint is None:
            raise UnsupportedOperation if route.path_known else UnsupportedPath
        if decision.limit is not None and endpoint.paged:
            request.query = {**(request.query or {}), "limit": str(decision.limit)}
        response = await self._answer(request, endpoint, route.captures)
        if decision.list_filters or decision.limit is not None:
            _filter_keys(request, response, decision)
        return await self._wrapped(request, response)

    async def _answer(self, request: Request, endpoint: Endpoint, captures: Captures) -> Response:
        response = await endpoint.call(request, captures)
        if response.status >= 400:
            # an answer that refuses never carries a token, whatever the endpoint left in it
            response.grant = response.auth = None
        if response.grant is not None:
            response.auth, warnings = await self._core.logins.issue(request, response.grant)
            request.warnings += warnings
        if request.warnings and response.status != 204:
            response.warnings = [*request.warnings, *(response.warnings or ())]
        return response

    async def _wrapped(self, request: Request, response: Response) -> Response:
        """What was asked for with X-Vault-Wrap-TTL, behind a token."""
        wanted = request.wrap_ttl and response.status == 200 and not response.bare
        if wanted and response.wrap_info is None:
            table = await self._core.mounts.table(request.transaction)
            return await self._core.wrapping.wrap(request, response, table)
        return response


def _folded(request: Request) -> str:
    """The request's path with the names below the mount as they are meant."""
    segments = (segment.strip().lower() for segment in request.subpath.split("/"))
    return request.mount.path + "/".join(segments)


def _filter_keys(request: Request, response: Response, decision: Decision) -> None:
    """Leave only the keys of a listing that the policies let the caller see."""
    if not isinstance(response.data, dict) or "keys" not in response.data:
        return
    keys = request.acl.shown_keys(decision, request.path, response.data["keys"])[: decision.limit]
    if not keys and request.operation is Operation.LIST:
        response.data, response.status = None, 404  # as where there is nothing
        return
    response.data = {**response.data, "keys": keys}
    info = response.data.get("key_info")
    if isinstance(info, dict):
        response.data["key_info"] = {key: info[key] for key in keys if key in info}


def error_response(error: RequestError) -> Response:
    """What a client is told about a refused request."""
    return Response({"errors": list(error.messages)}, status=error.status, bare=True)
