"""A backend made of endpoints: finds the one that a path and an operation lead to."""

import re

from wardgate.core.backend import Captures, LeaseTerms, Renewal, Route
from wardgate.core.leases.record import Lease
from wardgate.core.operation import LISTINGS, Operation
from wardgate.core.request import Request, Response
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token
from wardgate.errors import InternalError, InvalidRequest
from wardgate.framework.endpoints import BoundEndpoint, Declaration, declarations_of
from wardgate.framework.fields import B, BodyReader
from wardgate.framework.help import path_help

_UNKNOWN = Route(None)


class _Node:
    """One pattern with the endpoints for its operations. `routes` lead to them where the pattern is
    the whole path."""

    __slots__ = ("endpoints", "lead", "match", "pattern", "routes")

    def __init__(self, declaration: Declaration) -> None:
        self.pattern = declaration.pattern
        self.match = re.compile(declaration.regex(), re.DOTALL).fullmatch
        lead, _, rest = declaration.pattern.partition("{")
        # "data/{path...}" is most of what a server is asked, and needs no regular expression
        self.lead = lead if lead.endswith("/") and rest.endswith("...}") and "/" not in rest else ""
        self.endpoints: dict[Operation, BoundEndpoint] = {}
        self.routes: dict[Operation, Route] = {}

    def captures(self, path: str) -> Captures | None:
        """What the pattern's names stand for in `path`; None when it does not fit."""
        if self.lead:
            return (path[len(self.lead) :],) if path.startswith(self.lead) else None
        match = self.match(path)
        return None if match is None else match.groups()

    @property
    def unauthenticated(self) -> bool:
        return any(endpoint.unauthenticated for endpoint in self.endpoints.values())

    def unique(self) -> list[BoundEndpoint]:
        """The endpoints, each once."""
        return list({id(endpoint): endpoint for endpoint in self.endpoints.values()}.values())

    def add(self, endpoint: BoundEndpoint) -> None:
        for operation in endpoint.declaration.operations:
            self.endpoints[operation] = endpoint
            if operation in (Operation.CREATE, Operation.UPDATE):
                # which of the two a write is shows only when `exists` was asked
                self.endpoints.setdefault(Operation.CREATE, endpoint)
                self.endpoints.setdefault(Operation.UPDATE, endpoint)
        if "{" not in self.pattern:
            self.routes = {
                operation: Route(each, path_known=True)
                for operation, each in self.endpoints.items()
            }


class EndpointBackend:
    """The backend behind a mount: its own endpoints and those of the `groups` it is made of."""

    has_login_roles = False
    """Whether `login_role` can tell a role; see `core.backend.Backend`."""

    def __init__(self, *groups: object) -> None:
        self._nodes: list[_Node] = []
        self._by_head: dict[str, list[_Node]] = {}
        by_pattern: dict[str, _Node] = {}
        for group in (self, *groups):
            for declaration in declarations_of(type(group)):
                key = declaration.pattern
                node = by_pattern.get(key)
                if node is None:
                    node = by_pattern[key] = _Node(declaration)
                    self._nodes.append(node)
                elif declaration.regex().endswith("/?"):
                    node.match = re.compile(declaration.regex(), re.DOTALL).fullmatch
                node.add(BoundEndpoint(declaration, group))
        # literal segments before names, so that "config" is not taken for a "{name}"
        self._nodes.sort(key=lambda node: _weight(node.pattern))
        for node in self._nodes:
            head = node.pattern.partition("/")[0]
            self._by_head.setdefault("" if "{" in head else head, []).append(node)
        self._literal = {node.pattern: node.routes for node in self._nodes if node.routes}

    def route(self, operation: Operation, path: str) -> Route:
        """Find the endpoint for `path`, which is relative to the mount.

        The first pattern that fits decides. A list is of a folder: what fits only without a slash
        at the end is no path for it.
        """
        if operation is Operation.HELP:
            return Route(_HelpEndpoint(self), (path,))
        routes = self._literal.get(path)  # literal segments are tried first, so nothing goes before
        if routes is not None and operation in routes:
            return routes[operation]
        head = path.partition("/")[0]
        for nodes in (self._by_head.get(head), self._by_head.get("")):
            for node in nodes or ():
                captures = node.captures(path)
                if captures is None:
                    continue
                endpoint = node.endpoints.get(operation)
                if endpoint is not None:
                    return Route(endpoint, captures, path_known=True)
                if operation not in LISTINGS or node.match(path.rstrip("/") + "/"):
                    return Route(None, path_known=True, unauthenticated=node.unauthenticated)
        return _UNKNOWN

    def declarations(self) -> list[tuple[str, list[BoundEndpoint]]]:
        """Each pattern with its endpoints, each endpoint once; for documents."""
        return [(node.pattern, node.unique()) for node in self._nodes]

    def matching(self, path: str) -> tuple[str, list[BoundEndpoint]] | None:
        """The first pattern that `path` fits, with its endpoints."""
        for node in self._nodes:
            if node.match(path):
                return node.pattern, node.unique()
        return None

    def describe(self) -> str:
        """The docstring of the class."""
        return " ".join((type(self).__doc__ or "").split())

    async def login_role(self, request: Request) -> str:
        """The role that a login asks for; see `core.backend.Backend.login_role`."""
        return ""

    async def login_alias(self, request: Request) -> str:
        """The name that a login is for; see `core.backend.Backend.login_alias`."""
        return ""

    async def renew(self, request: Request, storage: View, token: Token) -> Renewal:
        """What a token of this mount may be renewed for; see `core.backend.Backend.renew`."""
        raise InvalidRequest("tokens of this auth method cannot be renewed")

    async def lease_terms(self, storage: View, lease: Lease) -> LeaseTerms:
        """How long a lease of this mount may be renewed for; see `core.backend.Backend`."""
        return LeaseTerms(ttl=lease.ttl, max_ttl=lease.max_ttl)

    async def renew_lease(self, storage: View, lease: Lease) -> None:
        """Prolong a credential outside; see `core.backend.Backend`. Here nothing is outside."""

    async def revoke_lease(self, storage: View, lease: Lease) -> None:
        """Take a credential back; see `core.backend.Backend`. What gives out leases has one of its
        own."""
        raise InternalError("this backend gives out no leases")


def login_body(request: Request, reader: BodyReader[B]) -> B | None:
    """What a login sends, read as its endpoint reads it: whoever asks for role or alias must see what
    the login will see. None for what the endpoint refuses."""
    try:
        return reader.read(request.body, [])
    except InvalidRequest:
        return None


class PlainEndpoint:
    """What an `Endpoint` is that has nothing special."""

    unauthenticated = False
    sudo = False
    conditional = False
    folded = False
    opened_by = ""
    paged = False

    async def exists(self, request: Request, captures: Captures) -> bool:
        return True


class _HelpEndpoint(PlainEndpoint):
    """Answers ``?help=1`` for any path of a backend."""

    def __init__(self, backend: EndpointBackend) -> None:
        self._backend = backend

    async def call(self, request: Request, captures: Captures) -> Response:
        return path_help(self._backend, request)


def _weight(pattern: str) -> tuple[tuple[int, str], ...]:
    """Sorts literal segments before names, and patterns that go on with either before those that
    end, and these before rests, which stand for nothing too."""
    segments = pattern.split("/")
    kinds = [3 if "...}" in segment else 1 if "{" in segment else 0 for segment in segments]
    return (*zip(kinds, segments, strict=True), (2, ""))
