"""Endpoints are typed functions: `@endpoint` says where one is mounted, its types say the rest.

    class Userpass(AuthMethod):
        @endpoint("users/{username}", Operation.READ, operation_id="userpass-read-user")
        async def read_user(self, request: Request, username: str) -> Response: ...

The pattern is made of literal segments, ``{name}`` for one segment and ``{name...}`` for any number
of them, at its end for none too. The function takes the request, then one text for each name in the
pattern, then, where it has one, a `Body`: read from the JSON body of writes, from the query of other
requests (a write takes fields that have `Doc.query` from either). A body of the type `JsonMap` is
handed on as it came: a backend that stores what it is given has no fields. Where function and pattern
do not fit together, importing the module fails.
"""

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, get_type_hints

from wardgate.core.backend import Captures
from wardgate.core.operation import LISTINGS, Operation
from wardgate.core.request import JsonMap, Request, Response
from wardgate.framework.fields import Body, BodyReader, Field

F = TypeVar("F", bound=Callable[..., Awaitable[Response]])

WRITES = frozenset({Operation.CREATE, Operation.UPDATE, Operation.PATCH})
_MARK = "_wardgate_endpoint"
_NAME = re.compile(r"\{(\w+)(\.\.\.)?\}")


class Declaration:
    """What an endpoint's decorator and signature say; shared by all instances of its class."""

    def __init__(
        self,
        function: Callable[..., Awaitable[Response]],
        pattern: str,
        operations: frozenset[Operation],
        *,
        operation_id: str,
        unauthenticated: bool,
        sudo: bool,
        exists: str,
        folded: bool,
        opened_by: str,
        status: int,
    ) -> None:
        self.function = function
        self.pattern = pattern
        self.operations = operations
        self.operation_id = operation_id
        self.unauthenticated = unauthenticated
        self.sudo = sudo
        self.exists = exists
        self.folded = folded
        self.opened_by = opened_by
        self.status = status or (204 if operations == {Operation.DELETE} else 200)
        self.names = tuple(match[1] for match in _NAME.finditer(pattern))
        self.rest = pattern.endswith("...}")
        self.from_body = bool(operations & WRITES)
        self.free_form = False
        self.reader = self._reader()
        text = inspect.getdoc(function) or ""
        self.summary, _, self.description = (part.strip() for part in text.partition("\n\n"))
        self.summary = " ".join(self.summary.split())

    def _reader(self) -> BodyReader[Body] | None:
        hints = get_type_hints(self.function)
        names = [name for name in inspect.signature(self.function).parameters if name != "self"]
        expected = ["request", *self.names]
        body = names[len(expected) :]
        if names[: len(expected)] != expected or len(body) > 1:
            raise TypeError(
                f"{self.function.__qualname__}: parameters must be {expected} and at most one body"
            )
        if body and hints[body[0]] == JsonMap:
            self.free_form = True
            return None
        return BodyReader(hints[body[0]]) if body else None

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the body or query."""
        return self.reader.fields if self.reader else ()

    def regex(self) -> str:
        """The pattern as a regular expression for the whole path below the mount."""
        end = "/?" if self.operations & LISTINGS and not self.rest else ""
        pieces, position = [], 0
        for match in _NAME.finditer(self.pattern):
            pieces.append(re.escape(self.pattern[position : match.start()]))
            position = match.end()
            rest = "(.*)" if position == len(self.pattern) else "(.+)"
            pieces.append(rest if match[2] else "([^/]+)")
        return "".join(pieces) + re.escape(self.pattern[position:]) + end


def endpoint(
    pattern: str,
    *operations: Operation,
    operation_id: str,
    unauthenticated: bool = False,
    sudo: bool = False,
    exists: str = "",
    folded: bool = False,
    opened_by: str = "",
    status: int = 0,
) -> Callable[[F], F]:
    """Declare the decorated method as the endpoint for `operations` on `pattern`.

    `exists` names a method of the same class, called as ``(request, *captures)``, that says whether
    the thing exists already: then a write is CREATE or UPDATE for the policies. Without it every
    write is an UPDATE. `folded`, `opened_by`: see `wardgate.core.backend.Endpoint`. `status` is what
    documents say of success; by default 204 for DELETE alone and 200 for the rest.
    """

    def declare(function: F) -> F:
        declaration = Declaration(
            function,
            pattern,
            frozenset(operations),
            operation_id=operation_id,
            unauthenticated=unauthenticated,
            sudo=sudo,
            exists=exists,
            folded=folded,
            opened_by=opened_by,
            status=status,
        )
        declarations: list[Declaration] = getattr(function, _MARK, [])
        setattr(function, _MARK, [*declarations, declaration])
        return function

    return declare


def declarations_of(kind: type[Any]) -> list[Declaration]:
    """The endpoints that a class declares, in the order of their methods."""
    found: list[Declaration] = []
    for owner in reversed(kind.__mro__):
        for member in vars(owner).values():
            found += getattr(member, _MARK, [])
    return found


_NO_FIELDS = BodyReader(Body)


class BoundEndpoint:
    """An endpoint of one backend; what the core calls."""

    __slots__ = (
        "_bodiless",
        "_call",
        "_exists",
        "_from_body",
        "_from_query",
        "_names",
        "_reader",
        "conditional",
        "declaration",
        "folded",
        "opened_by",
        "paged",
        "sudo",
        "unauthenticated",
    )

    def __init__(self, declaration: Declaration, owner: object) -> None:
        self.declaration = declaration
        self.unauthenticated = declaration.unauthenticated
        self.sudo = declaration.sudo
        self.conditional = bool(declaration.exists)
        self.folded = declaration.folded
        self.opened_by = declaration.opened_by
        self.paged = any(field.name == "limit" for field in declaration.fields)
        self._call: Callable[..., Awaitable[Response]] = declaration.function.__get__(owner)
        self._exists: Callable[..., Awaitable[bool]] | None = (
            getattr(owner, declaration.exists) if declaration.exists else None
        )
        self._reader = declaration.reader
        self._names = frozenset(declaration.names)
        self._from_body = declaration.from_body
        self._from_query = [field.name for field in declaration.fields if field.doc.query]
        self._bodiless = declaration.reader is None and not declaration.free_form

    async def exists(self, request: Request, captures: Captures) -> bool:
        return self._exists is None or await self._exists(request, *captures)

    def call(self, request: Request, captures: Captures) -> Awaitable[Response]:
        given = request.body if self._from_body else request.query
        if self._from_query and self._from_body and request.query:
            query = request.query
            given = {**{n: query[n] for n in self._from_query if n in query}, **(given or {})}
        if not given and self._bodiless:
            return self._call(request, *captures)
        if self.declaration.free_form:
            return self._call(request, *captures, given or {})
        replaced: list[str] = []
        if given and not self._names.isdisjoint(given):
            replaced = [name for name in given if name in self._names]
            given = {name: value for name, value in given.items() if name not in replaced}
        body = (self._reader or _NO_FIELDS).read(given, request.warnings)
        if replaced:
            request.warnings.append(
                "Endpoint replaced the value of these parameters with the values captured from"
                f" the endpoint's path: [{' '.join(sorted(replaced))}]"
            )
        if self._reader is None:
            return self._call(request, *captures)
        return self._call(request, *captures, body)
