"""What costs too much is refused before anybody asks who sent it (security cases 44 and 50)."""

import asyncio

import pytest

from tests.node import NodeUnderTest, Sent, head_of, with_node
from wardgate.core.json import decode_object
from wardgate.errors import InvalidRequest
from wardgate.http.limits import DEFAULT_LIMITS, Limits
from wardgate.http.parsing import MAX_FORM


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' * 101 + b"1" + b"}" * 101,
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' + b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_44_deep_json_is_refused_without_a_token(body: bytes) -> None:
    @with_node
    async def test(node: NodeUnderTest) -> None:
        for path in ("sys/init", "sys/unseal", "auth/token/create", "never"):
            answer = await node.http("POST", f"/v1/{path}", body, token=None)
            assert answer.status in (400, 413)

    test()


def test_44_a_request_that_is_too_large_is_refused_unread() -> None:
    async def run() -> None:
        node = await NodeUnderTest.start(limits=Limits(max_request_size=5000))
        for headers in ({"content-length": "1000000"}, {"transfer-encoding": "chunked"}):
            exchange = Sent(head_of("POST", "/v1/sys/init", "", headers), b"x" * 1_000_000)
            await node.application.answer(exchange)
            assert exchange.got is not None
            assert exchange.got.status == 413
            assert exchange.read <= 5000 + 1024

    asyncio.run(run())


@with_node
async def test_44_wide_json_is_read_and_answered(node: NodeUnderTest) -> None:
    body = b'{"policies":[' + b'"a",' * 100_000 + b'"a"]}'
    answer = await node.http("POST", "/v1/auth/token/create", body)
    assert answer.json()["auth"]["policies"] == ["a", "default"]


WIDE = DEFAULT_LIMITS.max_json_values
COMPLEX = f"refused JSON input due to high complexity: at most {WIDE} values are allowed"


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":[' + b"[]," * WIDE + b"1]}",
        b'{"a":[' + b"1," * WIDE + b"1]}",
        b'{"a":[' + b'"\\\\",' * WIDE + b"1]}",
        b'{"a":[' + b'"",' * 5 * WIDE + b"1]}",
        b"{" + b'"a":1,' * WIDE + b'"b":1}',
        b"{" + b'"":{"":1},' * WIDE + b'"b":1}',
        b'{"a":["\\"",' + b"[]," * WIDE + b"1]}",
        b'{"a":[' + b"[]," * WIDE,
        b'{"a":"","b":[' + b"{}," * WIDE + b'{}],"c',
    ],
    ids=range(9),
)
def test_44_json_of_too_many_values_is_refused_without_a_token(body: bytes) -> None:
    @with_node
    async def test(node: NodeUnderTest) -> None:
        answer = await node.http("POST", "/v1/sys/init", body, token=None)
        assert (answer.status, answer.json()) == (400, {"errors": [COMPLEX]})

    test()


@pytest.mark.parametrize("part", ["[,{", '",', "\\", '\\",[', "\n,[", "é,["])
def test_44_a_text_may_hold_whatever_it_likes(part: str) -> None:
    @with_node
    async def test(node: NodeUnderTest) -> None:
        text = part * WIDE
        assert (await node.http("POST", "/v1/cubbyhole/a", {"text": text})).status == 204
        answer = await node.http("GET", "/v1/cubbyhole/a")
        assert answer.json()["data"] == {"text": text}

    test()


def test_44_exactly_as_many_values_as_allowed_are_read() -> None:
    for values in (b"[1,[2,3]]", b'["1,",["[","{"]]', b'["\\",",["\\\\",{"[,":3}]]'):
        body = b'{"a":' + values + b"}"
        count = 7 if b"3}" in values else 6
        assert decode_object(body, 10, count)
        with pytest.raises(InvalidRequest, match=f"at most {count - 1} values"):
            decode_object(body, 10, count - 1)


@with_node
async def test_44_a_form_is_small(node: NodeUnderTest) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    for filler, status in ((b"x" * (MAX_FORM - 2), 204), (b"x" * (MAX_FORM - 1), 413)):
        answer = await node.http("POST", "/v1/cubbyhole/a", b"a=" + filler, headers=form)
        assert answer.status == status


@pytest.mark.parametrize("number", [b"1e3000000", b"1e-3000000", b"9" * 4000, b"1e99999999999999"])
def test_44_a_number_costs_no_more_than_its_digits(number: bytes) -> None:
    """`sys/init` takes numbers from anybody."""

    @with_node
    async def test(node: NodeUnderTest) -> None:
        answer = await node.http(
            "POST", "/v1/sys/init", b'{"secret_shares":' + number + b"}", token=None
        )
        assert answer.status == 400

    test()


@pytest.mark.parametrize(
    "text",
    ["{" * 50_000, 'path "a" {' * 5_000, "[" * 50_000, '"' * 50_000, "/*" * 25_000, "a" * 99_999],
)
def test_50_a_policy_of_no_sense_is_refused(text: str) -> None:
    @with_node
    async def test(node: NodeUnderTest) -> None:
        for path in ("sys/policies/acl/p", "sys/policies/password/p"):
            assert (await node.write(path, {"policy": text})).status == InvalidRequest.status

    test()


@pytest.mark.parametrize(
    "body",
    [
        b'{"password":' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"password":[' + b'"x",' * WIDE + b'"x"]}',
        b'{"password":' + b'{"a":' * 50_000,
    ],
    ids=["deep", "wide", "broken"],
)
def test_44_a_login_is_bounded_before_anybody_looks_at_it(body: bytes) -> None:
    @with_node
    async def test(node: NodeUnderTest) -> None:
        await node.user()
        handled: list[object] = []
        node.application._respond = handled.append  # type: ignore[assignment]
        answer = await node.http("POST", "/v1/auth/userpass/login/ada", body, token=None)
        assert answer.status == 400
        assert handled == []

    test()


def test_44_a_listener_can_allow_less() -> None:
    async def run() -> None:
        node = await NodeUnderTest.start(limits=Limits(max_request_size=2000, max_json_values=10))
        wide = b'{"a":[' + b"1," * 20 + b"1]}"
        assert (await node.http("POST", "/v1/cubbyhole/a", wide)).status == 400
        assert (await node.http("POST", "/v1/cubbyhole/a", {"a": "x" * 3000})).status == 413
        assert (await node.http("POST", "/v1/cubbyhole/a", {"a": "x" * 1000})).status == 204

    asyncio.run(run())


@with_node
async def test_44_a_huge_token_is_not_even_hashed(node: NodeUnderTest) -> None:
    """Hashing megabytes takes as long as a thousand requests, and strangers may send them."""
    huge = "s." + "x" * 1_000_000
    before = set(node.core.storage.cache)
    assert (await node.read("cubbyhole/a", token=huge)).status == 403
    for path in ("sys/wrapping/lookup", "sys/wrapping/unwrap"):
        assert (await node.write(path, {"token": huge}, token="")).status in (400, 403)
    looked_for = set(node.core.storage.cache) - before
    assert not [key for key in looked_for if key.startswith("token/id/")]
