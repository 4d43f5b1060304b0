"""From a pattern and a typed function to an endpoint."""

import asyncio
from typing import Any

import pytest

from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response
from wardgate.framework.backend import EndpointBackend
from wardgate.framework.endpoints import BoundEndpoint, endpoint
from wardgate.framework.fields import Body


class Thing(Body):
    """The fields of a thing."""

    name: str = ""
    size: int = 0


class Things(EndpointBackend):
    """Answers with what it was called with."""

    def __init__(self) -> None:
        super().__init__()

    @endpoint("things", Operation.LIST, operation_id="list")
    async def list_things(self, request: Request, query: Thing) -> Response:
        """List."""
        return Response(["list", query.size])

    @endpoint("things/config", Operation.READ, operation_id="config")
    async def config(self, request: Request) -> Response:
        """Config."""
        return Response(["config"])

    @endpoint("things/{name}", Operation.READ, operation_id="read")
    async def read(self, request: Request, name: str) -> Response:
        """Read."""
        return Response(["read", name])

    async def thing_exists(self, request: Request, name: str) -> bool:
        return name == "old"

    @endpoint(
        "things/{name}",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="write",
        exists="thing_exists",
    )
    async def write(self, request: Request, name: str, body: Thing) -> Response:
        """Write."""
        return Response(["write", name, body.name, body.size])

    @endpoint("things/{name}/parts/{part}", Operation.DELETE, operation_id="part")
    async def part(self, request: Request, name: str, part: str) -> Response:
        """Part."""
        return Response(["part", name, part])

    @endpoint("{path...}", Operation.READ, operation_id="rest")
    async def rest(self, request: Request, path: str) -> Response:
        """Rest."""
        return Response(["rest", path])

    @endpoint("deep/{path...}/tune", Operation.READ, operation_id="tune")
    async def tune(self, request: Request, path: str) -> Response:
        """Tune."""
        return Response(["tune", path])

    @endpoint("free/{path...}", Operation.UPDATE, operation_id="free")
    async def free(self, request: Request, path: str, body: JsonMap) -> Response:
        """Free."""
        return Response(["free", path, body])


BACKEND = Things()


def _ask(operation: Operation, where: str, **fields: Any) -> tuple[Any, list[str]]:
    route = BACKEND.route(operation, where)
    request = Request(operation, where, id="", time=0, body=fields, query=fields)

    async def ask() -> Response:
        assert route.endpoint is not None
        return await route.endpoint.call(request, route.captures)

    return asyncio.run(ask()).data, request.warnings


@pytest.mark.parametrize(
    ("operation", "path", "answer"),
    [
        (Operation.READ, "things/config", ["config"]),
        (Operation.READ, "things/other", ["read", "other"]),
        (Operation.READ, "things/configs", ["read", "configs"]),
        (Operation.READ, "things/a/b", ["rest", "things/a/b"]),
        (Operation.READ, "", ["rest", ""]),
        (Operation.READ, "deep/a/b/tune", ["tune", "a/b"]),
        (Operation.READ, "deep/tune", ["rest", "deep/tune"]),
        (Operation.READ, "new\nline", ["rest", "new\nline"]),
        (Operation.LIST, "things", ["list", 0]),
        (Operation.LIST, "things/", ["list", 0]),
        (Operation.DELETE, "things/a/parts/b", ["part", "a", "b"]),
        (Operation.UPDATE, "free/", ["free", "", {}]),
    ],
)
def test_literal_segments_come_before_names_and_names_before_rests(
    operation: Operation, path: str, answer: list[Any]
) -> None:
    assert _ask(operation, path)[0] == answer


def test_an_unknown_path_is_told_from_an_operation_that_a_path_has_not() -> None:
    wrong = BACKEND.route(Operation.PATCH, "things/a")
    assert wrong.endpoint is None
    assert wrong.path_known
    unknown = _Few().route(Operation.READ, "nothing")
    assert (unknown.endpoint, unknown.path_known) == (None, False)


class _Few(EndpointBackend):
    """One path only."""

    def __init__(self) -> None:
        super().__init__()

    @endpoint("open", Operation.UPDATE, operation_id="open", unauthenticated=True)
    async def open(self, request: Request) -> Response:
        """Open."""
        return Response()


def test_a_path_that_needs_no_token_tells_so_also_for_a_wrong_operation() -> None:
    backend = _Few()
    assert backend.route(Operation.READ, "open").unauthenticated
    found = backend.route(Operation.UPDATE, "open").endpoint
    assert found is not None
    assert found.unauthenticated


def test_a_write_asks_whether_the_thing_exists() -> None:
    for operation in (Operation.CREATE, Operation.UPDATE):
        found = BACKEND.route(operation, "things/old").endpoint
        assert isinstance(found, BoundEndpoint)
        assert found.conditional
        request = Request(operation, "", id="", time=0)
        assert asyncio.run(found.exists(request, ("old",)))
        assert not asyncio.run(found.exists(request, ("new",)))
    plain = BACKEND.route(Operation.UPDATE, "free/x").endpoint
    assert plain is not None
    assert not plain.conditional


def test_what_the_path_says_replaces_what_the_body_says_with_a_warning() -> None:
    answer, warnings = _ask(Operation.UPDATE, "things/a", name="hunter2", size=3)
    assert answer == ["write", "a", "", 3]
    assert len(warnings) == 1
    assert "captured from the endpoint's path: [name]" in warnings[0]
    assert "hunter2" not in warnings[0]


def test_an_endpoint_without_a_body_says_that_it_ignored_one() -> None:
    answer, warnings = _ask(Operation.READ, "things/config", secret="hunter2")
    assert answer == ["config"]
    assert warnings == ["Endpoint ignored these unrecognized parameters: [secret]"]


def test_reads_take_their_fields_from_the_query() -> None:
    assert _ask(Operation.LIST, "things", size="7")[0] == ["list", 7]


def test_a_free_form_body_comes_as_it_is() -> None:
    answer, warnings = _ask(Operation.UPDATE, "free/a/b", path="x", other=[1])
    assert answer == ["free", "a/b", {"path": "x", "other": [1]}]
    assert warnings == []


def test_a_function_that_does_not_fit_its_pattern_fails_where_it_is_declared() -> None:
    async def misnamed(self: Any, request: Request, nome: str) -> Response:
        return Response()

    async def too_few(self: Any, request: Request) -> Response:
        return Response()

    async def too_many(self: Any, request: Request, name: str, a: Thing, b: Thing) -> Response:
        return Response()

    async def no_request(self: Any, name: str) -> Response:
        return Response()

    for function in (misnamed, too_few, too_many, no_request):
        with pytest.raises(TypeError, match="parameters must be"):
            endpoint("things/{name}", Operation.READ, operation_id="x")(function)


def test_the_docstring_is_summary_and_description() -> None:
    class Documented(EndpointBackend):
        """Does
        this."""

        def __init__(self) -> None:
            super().__init__()

        @endpoint("a", Operation.READ, operation_id="a")
        async def a(self, request: Request) -> Response:
            """Read
            it.

            With care.
            """
            return Response()

    backend = Documented()
    ((pattern, (one,)),) = backend.declarations()
    assert pattern == "a"
    assert one.declaration.summary == "Read it."
    assert one.declaration.description == "With care."
    assert backend.describe() == "Does this."
