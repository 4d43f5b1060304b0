"""From the wire to a request: what is understood, and where the bounds are."""

import asyncio
import logging

import pytest

from tests.node import HttpAnswer, NodeUnderTest, Sent, head_of, with_node
from tests.unit.http.parsed import LIMITS, SECRET, parse
from wardgate.core.operation import Operation
from wardgate.errors import InvalidRequest, NotFound, TooLarge, UnsupportedOperation
from wardgate.http.parsing import MAX_HEADER, MAX_PATH, MAX_QUERY, parse_request


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


@pytest.mark.parametrize(
    ("client", "address"),
    [("10.0.0.1:5", "10.0.0.1"), ("[::1]:5", "::1"), ("", ""), ("unix", "")],
)
def test_the_address_is_the_peers_without_its_port(client: str, address: str) -> None:
    exchange = Sent(head_of("GET", "/v1/a", client=client))
    request = asyncio.run(parse_request(exchange, LIMITS, 0))
    assert request.remote_address == address


class _Broken(Sent):
    """A connection that breaks while the body is read."""

    def wanted(self) -> None:
        self.fail(ConnectionResetError(SECRET))


def test_what_fails_outside_of_the_core_is_an_answer_too_and_tells_no_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def run() -> HttpAnswer | None:
        node = await NodeUnderTest.start()
        sent = {"transfer-encoding": "chunked"}
        exchange = _Broken(head_of("POST", "/v1/sys/mounts/a", "", sent), b"{}")
        await node.application.answer(exchange)
        return exchange.got

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


@pytest.mark.parametrize("name", ["x-vault-wrap-ttl", "x-vault-namespace"])
def test_a_header_that_cannot_be_read_is_not_taken_for_none(name: str) -> None:
    for value in ("\xff", "60s\xe9"):
        with pytest.raises(InvalidRequest, match="must be printable ASCII"):
            parse(headers={name: value})
    parse(headers={"x-other": "\xff"})
