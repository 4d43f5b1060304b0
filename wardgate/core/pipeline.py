"""The way of a request through the core.

It goes forward through these rooms once: mount, rate limits, token, addresses, uses, policy, the audit
record of the request, user lockout, endpoint, token of a login, and after the commit the audit
record of the answer. All of it happens in one transaction: the answer is given when everything that
the request wrote is durable, and if another request was faster at something that this one had read,
it starts again from the first room.
"""

import asyncio
import math
from collections.abc import Mapping

from wardgate.core.audit.entry import AuditError
from wardgate.core.authentication import calling_token, check_may_wrap, opened, rights
from wardgate.core.backend import Backend, Captures, Endpoint, Route
from wardgate.core.core import Core
from wardgate.core.in_flight import TookTooLong
from wardgate.core.lockout import Attempt
from wardgate.core.operation import Operation
from wardgate.core.policy import Decision
from wardgate.core.quotas import RateLimited
from wardgate.core.request import Request, Response
from wardgate.core.storage import Transaction, View
from wardgate.core.tokens.store import Found
from wardgate.core.unexpected import log_unexpected
from wardgate.errors import (
    InternalError,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    RequestError,
    UnsupportedOperation,
    UnsupportedPath,
    WrongCredentials,
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
        core = self._core
        in_flight = core.in_flight.requests
        in_flight[request] = asyncio.current_task()
        try:
            try:
                if self._is_open(request):
                    request.patience = math.inf  # it may change what no transaction takes back
                    response = await self._answer_open(request)
                else:
                    if core.audit.unapplied:
                        await core.audit.apply()
                    response = await core.storage.transact(
                        lambda transaction: self._attempt(request, transaction)
                    )
                    if response.then is not None or response.after is not None:
                        response = await self._afterwards(request, response)
            except RequestError as error:
                response = error_response(error)
            except asyncio.CancelledError:
                if not core.in_flight.was_ended(request):
                    raise
                response = error_response(TookTooLong())
            except Exception as error:
                log_unexpected(f"request {request.id}", error)
                response = error_response(InternalError("internal error"))
            if request.audit is not None:
                in_flight[request] = None  # there is an answer by now, which must be recorded
                response = await self._audited(request, response)
                request.transaction.guard = None  # it leads back to the request: a cycle
            if request.leases is not None:
                await core.leases.settle(request.leases, response)
        finally:
            del in_flight[request]
        if request.answer_headers is not None:
            response.headers = [*response.headers, *request.answer_headers]
        return response

    def _is_open(self, request: Request) -> bool:
        """Whether one of the open endpoints is meant; a `RequestError` for what no path can be."""
        if request.path.endswith("/") and request.operation in _WRITES:
            raise InvalidRequest("cannot write to a path ending in '/'")
        if request.path in self._open and request.operation is not Operation.HELP:
            return True
        if request.namespace and request.namespace.strip("/") not in _ROOT_NAMESPACES:
            # answering from the root namespace would be an answer about other secrets
            raise NotFound("namespace not found")
        return False

    async def _afterwards(self, request: Request, response: Response) -> Response:
        """The answer, when all has happened that waited for the commit."""
        if request.audit is not None:
            await request.audit.delivered(request)
        if response.then is not None:
            response.then()
        if response.after is not None:
            response = await response.after()
        return response

    async def _audited(self, request: Request, response: Response) -> Response:
        """The answer, once it is recorded."""
        assert request.audit is not None
        try:
            await request.audit.answered(request, response)
        except AuditError as error:
            return error_response(error)
        except Exception as error:
            log_unexpected(f"the audit of request {request.id}", error)
            return error_response(InternalError("internal error"))
        return response

    async def admit_early(self, request: Request) -> bool:
        """Whether the rate limits let a request in whose body is so large that it is not read
        before; `handle` then comes to the same result, and counts it no second time."""
        try:
            await self._admit(request)
        except RateLimited:
            return False
        return True

    async def _admit(self, request: Request) -> None:
        """Hold a request that has no transaction yet to the rate limits, if they can be known."""
        core = self._core
        try:
            transaction = request.transaction = await core.storage.begin()
            ground = core.grounds.known(transaction) or await core.grounds.find(transaction)
            if ground.quotas.limits:
                await core.rate_limits.admit(
                    request, ground.table, ground.quotas, ask_for_role=False
                )
        except RateLimited:
            raise
        except RequestError:  # sealed, or worse: the endpoint tells about that
            return

    async def _answer_open(self, request: Request) -> Response:
        await self._admit(request)
        endpoint = self._open[request.path].get(request.operation)
        if endpoint is None:
            raise UnsupportedOperation
        return await endpoint.call(request, ())

    async def _attempt(self, request: Request, transaction: Transaction) -> Response:
        core = self._core
        request.transaction = transaction
        # what is true is asked now: the body may have taken its time, or another try
        request.time = core.clock.now()
        request.warnings = []
        ground = core.grounds.known(transaction) or await core.grounds.find(transaction)
        table = ground.table
        mount = table.find(request.path)
        route: Route | None = None
        if mount is not None:
            request.mount = mount
            request.subpath = request.path[len(mount.path) :]
            request.storage = View(transaction, mount.storage_prefix)
            backend = table.backend(mount)
            route = backend.route(request.operation, request.subpath)
        if ground.quotas.limits:
            try:
                await core.rate_limits.admit(request, table, ground.quotas)
            except RateLimited as error:
                if error.audited and ground.audited.devices:
                    core.audit.begin(request, ground.audited)
                raise
        if ground.audited.devices:
            core.audit.begin(request, ground.audited)
        if mount is not None and route is not None:
            if route.endpoint is None and route.unauthenticated:
                raise UnsupportedOperation
            if route.endpoint is not None and (
                route.endpoint.unauthenticated
                or (
                    request.opened
                    and route.endpoint.opened_by in request.opened
                    and await opened(core, request, route.endpoint)
                )
            ):
                return await self._unauthenticated(request, backend, route.endpoint, route.captures)
        caller = core.callers.known(request)
        if caller is not None:
            request.token_key, request.token, request.acl = caller.name, caller.token, caller.acl
            transaction.decided = len(transaction.reads)
            return await self._authorised(request, route)
        found = await calling_token(core, request)
        request.token_key = found.name
        request.token = found.token
        if found.token.num_uses == 0:
            request.acl = await rights(core, transaction, found.token, request.time)
            core.callers.keep(request, found)
            transaction.decided = len(transaction.reads)
            return await self._authorised(request, route)
        return await self._used(request, route, found)

    async def _used(self, request: Request, route: Route | None, found: Found) -> Response:
        """The answer to a request that uses up a token with limited uses."""
        core, transaction = self._core, request.transaction
        request.token = await core.tokens.use(transaction, found)
        staged = transaction.staged()
        try:
            request.acl = await rights(core, transaction, request.token, request.time)
            return await self._authorised(request, route)
        except RequestError as error:
            transaction.restore(staged)  # the use counts, whatever came of it
            response = error_response(error)
            if request.audit is not None:
                slowly = request.audit.note(request, response)
                if slowly is not None:
                    await slowly
            return response

    async def _unauthenticated(
        self, request: Request, backend: Backend, endpoint: Endpoint, captures: Captures
    ) -> Response:
        """The answer of an endpoint that needs no token, such as a login."""
        if request.wrap_ttl and not request.mount.is_auth:
            await check_may_wrap(self._core, request)
        attempt: Attempt | None = None
        if request.mount.is_auth:
            attempt = await self._core.lockout.attempt(request, backend)
        staged = request.transaction.staged()
        try:
            response = await self._answer(request, endpoint, captures)
        except WrongCredentials as error:
            if attempt is None:
                raise
            request.transaction.restore(staged)
            attempt.failed()  # the failure counts, so this is an answer whose writes are committed
            return error_response(error)
        # a batch token writes nothing, and must not go to a user who is gone or locked out meanwhile
        request.transaction.decided = len(request.transaction.reads)
        if attempt is not None and response.auth is not None:
            attempt.succeeded()
        if not request.wrap_ttl:
            return response
        if request.mount.is_auth and response.auth is None:
            # what a login begins with, and not its end, which only those reach who are let in
            await check_may_wrap(self._core, request)
        return await self._wrapped(request, response)

    async def _authorised(self, request: Request, route: Route | None) -> Response:
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
        return await self._wrapped(request, response) if request.wrap_ttl else response

    async def _answer(self, request: Request, endpoint: Endpoint, captures: Captures) -> Response:
        if request.audit is not None:
            slowly = request.audit.note(request)
            if slowly is not None:
                request.transaction.lingered = True
                await slowly
        response = await endpoint.call(request, captures)
        if response.status >= 400:
            # an answer that refuses never carries a token, whatever the endpoint left in it
            response.grant = response.auth = None
        if response.lease is not None:
            response = await self._core.leases.grant(request, response, response.lease)
        if response.grant is not None:
            response.auth, warnings = await self._core.logins.issue(request, response.grant)
            request.warnings += warnings
        if request.warnings and response.status != 204:
            response.warnings = [*request.warnings, *(response.warnings or ())]
        return response

    async def _wrapped(self, request: Request, response: Response) -> Response:
        """The answer to a request with X-Vault-Wrap-TTL: what was asked for, behind a token."""
        wanted = response.status == 200 and not response.bare
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
    listed = response.data.get("keys") if isinstance(response.data, dict) else None
    if listed is None:
        return
    keys = request.acl.shown_keys(decision, request.path, listed)[: decision.limit]
    if not keys and request.operation is Operation.LIST:
        response.data, response.status = None, 404  # as where there is nothing
        return
    # sys/policy gives the same list by two names
    response.data = {name: keys if each == listed else each for name, each in response.data.items()}
    info = response.data.get("key_info")
    if isinstance(info, dict):
        response.data["key_info"] = {key: info[key] for key in keys if key in info}


def error_response(error: RequestError) -> Response:
    """What a client is told about a refused request."""
    return Response({"errors": list(error.messages)}, status=error.status, bare=True)
