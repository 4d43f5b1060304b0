"""The body of a request: JSON or a form, read no further than its bounds."""

import asyncio

import pytest

from tests.node import Sent, head_of
from tests.unit.http.parsed import LIMITS, parse
from wardgate.core.operation import Operation
from wardgate.errors import InvalidRequest, RequestError, TooLarge
from wardgate.http.limits import Limits
from wardgate.http.parsing import MAX_PATH, parse_request

CHUNKED = {"transfer-encoding": "chunked"}


class _Unkept(Sent):
    """A body that may be read in pieces only."""

    async def body(self) -> bytes:
        raise AssertionError("the whole body is asked for")


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


@pytest.mark.parametrize("headers", [{"content-length": "8"}, {"transfer-encoding": "chunked"}])
def test_a_body_that_has_arrived_before_anybody_asks_for_it_is_taken_as_any_other(
    headers: dict[str, str],
) -> None:
    def arrived(method: str, body: bytes) -> Sent:
        exchange = Sent(head_of(method, "/v1/a", "", headers), body)
        while exchange.rest:
            exchange.send()
        return exchange

    assert asyncio.run(parse_request(arrived("POST", b'{"a": 1}'), LIMITS, 0)).body == {"a": 1}
    assert asyncio.run(parse_request(arrived("GET", b'{"a": 1}'), LIMITS, 0)).body is None
    most = b'{"a":"' + b"x" * (10_000 - 8) + b'"}'
    assert asyncio.run(parse_request(arrived("POST", most), LIMITS, 0)).body
    for method in ("POST", "GET"):
        with pytest.raises(TooLarge):
            asyncio.run(parse_request(arrived(method, most + b" "), LIMITS, 0))


def test_a_body_that_is_said_to_be_too_large_is_not_read() -> None:
    exchange = Sent(head_of("POST", "/v1/a", "", {"content-length": "10001"}), b"{}")
    with pytest.raises(TooLarge):
        asyncio.run(parse_request(exchange, LIMITS, 0))
    assert exchange.read == 0


def test_a_body_without_a_length_is_read_no_further_than_the_bound() -> None:
    exchange = Sent(head_of("POST", "/v1/a", "", CHUNKED), b"x" * 1_000_000)
    with pytest.raises(TooLarge):
        asyncio.run(parse_request(exchange, LIMITS, 0))
    assert exchange.read <= 10_000 + 1024


@pytest.mark.parametrize("path", ["/v1/a//b", "/v1/" + "a" * MAX_PATH, "/elsewhere"])
def test_a_body_is_not_kept_for_a_request_that_is_refused_without_it(path: str) -> None:
    exchange = _Unkept(head_of("POST", path, "", {"content-length": "5000"}), b"x" * 5000)
    with pytest.raises(RequestError):
        asyncio.run(parse_request(exchange, LIMITS, 0))
    assert exchange.read == 5000  # or the connection would end


def test_a_listener_may_have_no_largest_size() -> None:
    unlimited = Limits(max_request_size=None)
    exchange = Sent(head_of("POST", "/v1/a", "", CHUNKED), b" " * 1_000_000 + b'{"a": 1}')
    assert asyncio.run(parse_request(exchange, unlimited, 0)).body == {"a": 1}


def test_null_is_an_empty_object() -> None:
    assert parse("POST", body=b"null").body == {}


@pytest.mark.parametrize("length", ["", "-1", "+2", "1e3", "9" * 5000, "0x10", "2 "])
def test_a_length_that_is_no_number_does_not_count(length: str) -> None:
    assert parse("POST", body=b'{"a": 1}', content_length=length).body == {"a": 1}


def test_null_is_no_body_and_neither_is_what_no_length_announces() -> None:
    assert not parse("POST", body=b"null").body
    exchange = Sent(head_of("POST", "/v1/a"), b"{}")
    assert asyncio.run(parse_request(exchange, LIMITS, 0)).body is None


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
