"""From the wire to a request: what is understood, and where the bounds are."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.node import Exchange, HttpAnswer, NodeUnderTest, Scope, with_node
from wardgate.core.operation import Operation
from wardgate.core.request import Request
from wardgate.errors import InvalidRequest, NotFound, RequestError, TooLarge, UnsupportedOperation
from wardgate.http.limits import Limits
from wardgate.http.parsing import MAX_HEADER, MAX_PATH, MAX_QUERY, parse_request

LIMITS = Limits(max_request_size=10_000, max_json_depth=10)
SECRET = "hunter2"


CHUNKED = Scope("POST", "/v1/a", "", {"transfer-encoding": "chunked"})


def parse(
    method: str = "GET",
    path: str = "/v1/a/b",
    *,
    query: str = "",
    body: bytes = b"",
    chunked: bool = False,
    headers: Mapping[str, str] | None = None,
    **more: str,
) -> Request:
    """What a request is parsed into. Header names are given with underscores."""
    given = {**(headers or {}), **more}
    sent = {name.replace("_", "-"): value for name, value in given.items()}
    if body and not chunked:
        sent.setdefault("content-length", str(len(body)))
    if chunked:
        sent["transfer-encoding"] = "chunked"
    exchange = Exchange(body)
    return asyncio.run(parse_request(Scope(method, path, query, sent), exchange, LIMITS, 12.5))


@pytest.mark.parametrize(
    ("method", "operation"),
    [
        ("GET", Operation.READ),
        ("HEAD", Operation.READ),
        ("POST", Operation.UPDATE),
        ("PUT", Operation.UPDATE),
        ("DELETE", Operation.DELETE),
        ("LIST", Operation.LIST),
        ("SCAN", Operation.SCAN),
    ],
)
def test_the_method_says_the_operation(method: str, operation: Operation) -> None:
    request = parse(method)
    assert (request.operation, request.path, request.time) == (operation, "a/b", 12.5)
    assert request.body is None
    assert request.query is None


@pytest.mark.parametrize("method", ["get", "TRACE", "CONNECT", "OPTIONS", "", "LISTE"])
def test_other_methods_are_not_supported(method: str) -> None:
    with pytest.raises(UnsupportedOperation):
        parse(method)


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v2/a", "/ui/", "v1/a", "//v1/a", "/V1/a"])
def test_nothing_lies_outside_of_v1(path: str) -> None:
    with pytest.raises(NotFound):
        parse(path=path)


@pytest.mark.parametrize(
    "path",
    [
        ".",
        "..",
        "a/..",
        "a/../b",
        "../a",
        "a/./b",
        "./a",
        "a/.",
        "a//b",
        "/a",
        "a//",
        "/",
        "a\\b",
        "a\\..\\b",
        "a\0b",
        "a\nb",
        "a\x7fb",
        "a/\ufffd/b",
    ],
)
def test_paths_that_could_mean_another_path_are_refused(path: str) -> None:
    with pytest.raises(InvalidRequest):
        parse(path="/v1/" + path)


@pytest.mark.parametrize("path", ["...", ".a", "a.", "a..b/c", "a/..b", "a/", "é/日", "%2e%2e", ""])
def test_other_paths_are_taken_as_they_are(path: str) -> None:
    assert parse(path="/v1/" + path).path == path


def test_a_path_has_a_longest() -> None:
    assert parse(path="/v1/" + "a" * (MAX_PATH - 4))
    with pytest.raises(TooLarge):
        parse(path="/v1/" + "a" * (MAX_PATH - 3))


@pytest.mark.parametrize(
    ("query", "operation", "left"),
    [
        ("list=true", Operation.LIST, {}),
        ("list=1&after=x", Operation.LIST, {"after": "x"}),
        ("scan=true", Operation.SCAN, {}),
        ("help=1", Operation.HELP, {}),
        ("help=0&list=false", Operation.READ, {}),
        ("list", Operation.READ, {}),
        ("version=2", Operation.READ, {"version": "2"}),
        ("a=1&a=2&b=", Operation.READ, {"a": "1,2", "b": ""}),
        ("a=%C3%A9+x", Operation.READ, {"a": "é x"}),
    ],
)
def test_a_query_may_change_a_read_into_something_else(
    query: str, operation: Operation, left: dict[str, str]
) -> None:
    request = parse(query=query)
    assert (request.operation, request.query) == (operation, left)


def test_a_query_changes_no_write() -> None:
    request = parse("DELETE", query="list=true")
    assert (request.operation, request.query) == (Operation.DELETE, {"list": "true"})


@pytest.mark.parametrize("query", ["a=%ff", "&".join(["a=b"] * 1001)])
def test_a_malformed_query_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequest):
        parse(query=query)


def test_a_query_has_a_longest() -> None:
    assert parse(query="a=" + "b" * (MAX_QUERY - 2)).query
    with pytest.raises(TooLarge):
        parse(query="a=" + "b" * (MAX_QUERY - 1))


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({"x_vault_token": "s.abc"}, "s.abc"),
        ({"authorization": "Bearer s.abc"}, "s.abc"),
        ({"authorization": "bearer  s.abc "}, "s.abc"),
        ({"authorization": "Basic s.abc"}, ""),
        ({"authorization": "s.abc"}, ""),
        ({"authorization": ""}, ""),
        ({"x_vault_token": "s.abc", "authorization": "Bearer other"}, "s.abc"),
        ({"x_vault_token": "", "authorization": "Bearer other"}, "other"),
        ({}, ""),
    ],
)
def test_the_token_comes_in_one_of_two_headers(headers: dict[str, str], token: str) -> None:
    assert parse(headers=headers).client_token == token


@pytest.mark.parametrize("header", ["x_vault_token", "authorization"])
def test_a_token_has_a_longest(header: str) -> None:
    prefix = "" if header == "x_vault_token" else "Bearer "
    assert parse(headers={header: prefix + "a" * MAX_HEADER}).client_token
    with pytest.raises(TooLarge):
        parse(headers={header: prefix + "a" * (MAX_HEADER + 1)})


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("5m", 300), ("1h30m", 5400)])
def test_the_wrap_ttl_is_a_duration(text: str, seconds: int) -> None:
    assert parse(x_vault_wrap_ttl=text).wrap_ttl == seconds


@pytest.mark.parametrize("text", ["soon", "-1", "-5m", SECRET])
def test_a_wrong_wrap_ttl_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse(x_vault_wrap_ttl=text)
    assert text not in refused.value.messages[0]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("content_type", ["application/json", "", "text/plain", "nonsense;;"])
def test_a_body_is_json_whatever_it_is_called(content_type: str, chunked: bool) -> None:
    request = parse("POST", body=b'{"a": [1, null]}', chunked=chunked, content_type=content_type)
    assert request.body == {"a": [1, None]}


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "LIST"])
def test_only_writes_have_a_body(method: str) -> None:
    assert parse(method, body=b"not json").body is None


@pytest.mark.parametrize("body", [b"", b'{"a": 1}'])
def test_a_form_may_be_json_under_the_wrong_name(body: bytes) -> None:
    request = parse("POST", body=body, content_type="application/x-www-form-urlencoded")
    assert request.body == ({"a": 1} if body else None)


def test_a_form_gives_its_fields() -> None:
    request = parse(
        "POST", body=b"a=1&b=x+y&b=z&c=", content_type="application/x-www-form-urlencoded; x=y"
    )
    assert request.body == {"a": "1", "b": ["x y", "z"], "c": ""}


@pytest.mark.parametrize(
    "body",
    [
        b"a=%ff",
        b"\xff",
        b"&".join([b"a=b"] * 1001),
    ],
)
def test_a_malformed_form_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse("POST", body=body, content_type="application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"a"',
        b"1",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": 1e99999999999999999999}',
        b'{"a": ' + b"1" * 5000 + b"}",
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b'{"a": 1} x',
    ],
)
def test_what_is_no_json_object_is_refused_and_not_repeated(body: bytes) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse("POST", body=body)
    assert refused.value.messages[0].startswith("failed to parse JSON input")
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_has_a_largest_size(chunked: bool) -> None:
    most = b'{"a":"' + b"x" * (10_000 - 8) + b'"}'
    assert parse("POST", body=most, chunked=chunked).body
    with pytest.raises(TooLarge):
        parse("POST", body=most + b" ", chunked=chunked)


def test_a_body_that_is_said_to_be_too_large_is_not_read() -> None:
    exchange = Exchange(b"{}")
    scope = Scope("POST", "/v1/a", "", {"content-length": "10001"})
    with pytest.raises(TooLarge):
        asyncio.run(parse_request(scope, exchange, LIMITS, 0))
    assert exchange.read == 0


def test_a_body_without_a_length_is_read_no_further_than_the_bound() -> None:
    exchange = Exchange(b"x" * 1_000_000)
    with pytest.raises(TooLarge):
        asyncio.run(parse_request(CHUNKED, exchange, LIMITS, 0))
    assert exchange.read <= 10_000 + 1024


@pytest.mark.parametrize("path", ["/v1/a//b", "/v1/" + "a" * MAX_PATH, "/elsewhere"])
def test_a_body_is_not_kept_for_a_request_that_is_refused_without_it(path: str) -> None:
    exchange = _Unkept(b"x" * 5000)
    scope = Scope("POST", path, "", {"content-length": "5000"})
    with pytest.raises(RequestError):
        asyncio.run(parse_request(scope, exchange, LIMITS, 0))
    assert exchange.read == 5000  # or the connection would end


def test_a_listener_may_have_no_largest_size() -> None:
    scope = Scope("POST", "/v1/a", "", {"transfer-encoding": "chunked"})
    unlimited = Limits(max_request_size=None)
    body = b" " * 1_000_000 + b'{"a": 1}'
    assert asyncio.run(parse_request(scope, Exchange(body), unlimited, 0)).body == {"a": 1}


def test_a_body_over_http_2_needs_neither_length_nor_encoding() -> None:
    scope = Scope("POST", "/v1/a", "", {}, http_version="2")
    request = asyncio.run(parse_request(scope, Exchange(b'{"a": 1}'), LIMITS, 0))
    assert request.body == {"a": 1}


def test_null_is_an_empty_object() -> None:
    assert parse("POST", body=b"null").body == {}


@pytest.mark.parametrize("length", ["", "-1", "+2", "1e3", "\u00b2", "9" * 5000, "0x10", "2 "])
def test_a_length_that_is_no_number_does_not_count(length: str) -> None:
    assert parse("POST", body=b'{"a": 1}', content_length=length).body == {"a": 1}


def test_null_is_no_body_and_neither_is_what_no_length_announces() -> None:
    assert not parse("POST", body=b"null").body
    scope = Scope("POST", "/v1/a", "", {})
    assert asyncio.run(parse_request(scope, Exchange(b"{}"), LIMITS, 0)).body is None


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"b":', b"}")])
def test_json_has_a_largest_depth(opening: bytes, closing: bytes) -> None:
    def nested(levels: int) -> bytes:
        return b'{"a":' + opening * (levels - 1) + b"1" + closing * (levels - 1) + b"}"

    assert parse("POST", body=nested(10)).body
    for levels in (11, 600):
        with pytest.raises(InvalidRequest, match="too deeply"):
            parse("POST", body=nested(levels))


def test_brackets_inside_of_texts_are_no_depth() -> None:
    assert parse("POST", body=b'{"a": "' + b"[{" * 50 + b'", "b": [[]], "c": [[]]}').body


def test_a_patch_must_say_how_it_patches() -> None:
    request = parse("PATCH", body=b'{"a": null}', content_type="application/merge-patch+json")
    assert (request.operation, request.body) == (Operation.PATCH, {"a": None})
    for content_type, status in (
        ("application/json", 415),
        ("", 400),
        ("application/json-patch+json", 415),
    ):
        with pytest.raises(RequestError) as refused:
            parse("PATCH", body=b"{}", content_type=content_type)
        assert refused.value.status == status


@pytest.mark.parametrize(
    ("client", "address"),
    [("10.0.0.1:5", "10.0.0.1"), ("[::1]:5", "::1"), ("", ""), ("unix", "")],
)
def test_the_address_is_the_peers_without_its_port(client: str, address: str) -> None:
    scope = Scope("GET", "/v1/a", "", {}, client=client)
    request = asyncio.run(parse_request(scope, Exchange(b""), LIMITS, 0))
    assert request.remote_address == address


class _Unkept(Exchange):
    """A body that may be read in pieces only."""

    async def __call__(self) -> bytes:
        raise AssertionError("the whole body is asked for")


class _Broken(Exchange):
    """A connection that breaks while the body is read."""

    async def __call__(self) -> bytes:
        raise ConnectionResetError(SECRET)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self.answer is None:
            raise ConnectionResetError(SECRET)
        yield b""


def test_what_fails_outside_of_the_core_is_an_answer_too_and_tells_no_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def run() -> HttpAnswer | None:
        node = await NodeUnderTest.start()
        exchange: Any = _Broken(b"")
        scope = Scope("POST", "/v1/sys/mounts/a", "", {"transfer-encoding": "chunked"})
        await node.application.__rsgi__(scope, exchange)
        answer: HttpAnswer | None = exchange.answer
        return answer

    answer = asyncio.run(run())
    assert answer is not None
    assert (answer.status, answer.json()) == (500, {"errors": ["internal error"]})
    assert "ConnectionResetError" in caplog.text
    assert SECRET not in caplog.text


@with_node
async def test_the_http_statuses_of_the_bounds(node: NodeUnderTest) -> None:
    assert (await node.http("GET", "/v1/" + "a" * 5000)).status == 413
    assert (await node.http("GET", "/v1/a/../b")).status == 400
    assert (await node.http("GET", "/elsewhere")).status == 404
    assert (await node.http("TRACE", "/v1/a")).status == 405
    assert (await node.http("GET", "/v1/a", proto="ws")).status == 403
