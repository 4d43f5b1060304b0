"""CEL roles: what expressions see, what they give, and what they may cost."""

import asyncio
import json
from typing import Any

import pytest

from tests.issuer import signed
from tests.node import NodeUnderTest, errors, with_node
from tests.unit.auth.jwt.logins import claims, mounted
from wardgate.core.operation import Operation
from wardgate.core.request import Response

ROLE = "auth/jwt/cel/role/dev"
NO_JSON = "there is a value in it that JSON does not have"
OPTIONAL = "a list, a map or encode_json has an optional value in it; use orValue() on that"
LIST = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"


async def cel_role(node: NodeUnderTest, expression: str, **fields: Any) -> None:
    variables = [
        {"name": name, "expression": source} for name, source in fields.pop("variables", {}).items()
    ]
    program = {"expression": expression, "variables": variables}
    await node.ok(ROLE, {"cel_program": program, **fields})


async def cel_login(node: NodeUnderTest, **more: Any) -> Response:
    body = {"role": "dev", "jwt": signed(claims(node, **more))}
    return await node.write("auth/jwt/cel/login", body, token="")


async def outcome(node: NodeUnderTest, expression: str, **fields: Any) -> str:
    """What a login is told that an expression with a string as result keeps out."""
    await cel_role(node, expression, **fields)
    message = errors(await cel_login(node, team="core", n=5, parts=["a", "b"], zeros="0" * 400))[0]
    return message.removeprefix("error executing cel program: ").removeprefix(
        "CEL role 'dev' blocked authorization with message: "
    )


@with_node
async def test_an_expression_gives_a_token(node: NodeUnderTest) -> None:
    await mounted(node)
    await cel_role(
        node,
        "claims.sub == 'ada' ? pb.Auth{display_name: name, policies: ['Dev'], metadata: {'a': 'b'},"
        " alias: logical.Alias{name: name, metadata: {'team': claims.team}},"
        " lease_options: pb.LeaseOptions{TTL: 60000000000, renewable: true, issue_time: now}}"
        " : 'only ada'",
        variables={"name": "claims.sub + '!'"},
    )
    response = await cel_login(node, team="core")
    assert response.status == 200, response.data
    assert response.auth is not None
    auth = response.auth
    assert (auth["policies"], auth["metadata"]) == (["default", "dev"], {"a": "b"})
    assert (auth["lease_duration"], auth["renewable"]) == (60, True)
    entity = (await node.read(f"identity/entity/id/{auth['entity_id']}")).data
    assert entity["aliases"][0]["name"] == "ada!"
    assert entity["aliases"][0]["metadata"] == {"team": "core"}
    looked = await node.ok("auth/token/lookup", {"token": auth["client_token"]})
    assert looked.data["display_name"] == "jwt-ada!"
    assert "only ada" in errors(await cel_login(node, team="core", sub="eve"))[0]


@with_node
async def test_a_renewal_needs_the_role_and_keeps_the_times(node: NodeUnderTest) -> None:
    await mounted(node)
    options = "pb.LeaseOptions{TTL: 60000000000, renewable: true}"
    await cel_role(node, f"pb.Auth{{lease_options: {options}}}")
    auth = (await cel_login(node)).auth
    assert auth is not None
    renewed = await node.ok("auth/token/renew", {"token": auth["client_token"]})
    assert renewed.auth is not None
    assert renewed.auth["lease_duration"] == 60
    await node.delete(ROLE)
    refused = await node.write("auth/token/renew", {"token": auth["client_token"]})
    assert "no longer exists" in errors(refused)[0]


@with_node
async def test_tokens_are_checked_before_the_expression_sees_them(node: NodeUnderTest) -> None:
    await mounted(node, bound_issuer="us")
    await cel_role(node, "pb.Auth{}", bound_audiences="us")
    assert (await cel_login(node, iss="us")).status == 200
    assert "(iss)" in errors(await cel_login(node))[0]
    assert "(aud)" in errors(await cel_login(node, iss="us", aud="them"))[0]
    assert "expired" in errors(await cel_login(node, iss="us", exp=1))[0]
    forged = {"role": "dev", "jwt": signed(claims(node, iss="us"), "other")}
    refused = await node.write("auth/jwt/cel/login", forged, token="")
    assert "no known key" in errors(refused)[0]


@with_node
async def test_what_expressions_can_do(node: NodeUnderTest) -> None:
    await mounted(node)
    for expression, expected in (
        ("type(claims.n) == double ? 'double' : 'else'", "double"),
        ("claims.n == 5 ? 'equal' : 'else'", "equal"),
        ("operation", "update"),
        ("string(now)", "2023-11-14T22:13:20Z"),
        ("claims.parts.sortBy(x, x).join('+')", "a+b"),
        ("'ADA'.lowerAscii() + '%s'.format(['!'])", "ada!"),
        ("sets.contains(claims.parts, ['a']) ? 'in' : 'out'", "in"),
        ("regex.extract('abc', 'b(c)').orValue('none')", "c"),
        ("claims.?none.orValue('none')", "none"),
        ("base64.encode(b'a')", "YQ=="),
        ("math.greatest(1, 2) == 2 ? 'two' : 'else'", "two"),
        ("check_valid_email('a@b.c') && !check_valid_email('a') ? 'mail' : 'else'", "mail"),
        ("encode_json({'a': claims.n, 'b': claims.parts})", '{"a":5,"b":["a","b"]}'),
        ("encode_json({'a': now})", '{"a":"2023-11-14T22:13:20Z"}'),
        ("""decode_json('{"a": [1]}').a[0] == 1 ? 'one' : 'else'""", "one"),
        (
            "['NaN', '[-Infinity]', '1e400', '[1%s]'.format([claims.zeros])]"
            ".all(text, decode_json(text) == false) ? 'refused' : 'else'",
            "refused",
        ),
    ):
        assert await outcome(node, expression) == expected, expression


@with_node
async def test_whoever_is_kept_out_is_told_why_but_nothing_of_the_claims(
    node: NodeUnderTest,
) -> None:
    await mounted(node)
    blocked = "CEL role 'dev' blocked authorization with boolean false return"
    unexpected = "CEL program 'dev' returned an unexpected type: use pb.Auth, false or a string"
    for expression, expected in (
        ("false", blocked),
        ("true", unexpected),
        ("claims", unexpected),
        ("claims.none", "CEL auth program failed: no such key"),
        ("claims.n + 1", "CEL auth program failed: no such overload"),
        ("int(claims.team)", "CEL auth program failed: it failed"),
        ("1 / 0", "CEL auth program failed: division by zero"),
        ("encode_json({'a': b'x'})", f"CEL auth program failed: {NO_JSON}"),
        ("encode_json({'a': [1.0 / 0.0]})", blocked),
        ("encode_json({'a': optional.of(1)})", f"CEL auth program failed: {OPTIONAL}"),
        (
            "[optional.of(1)]",
            "CEL auth program failed: a list has an optional value in it; use orValue() on that",
        ),
    ):
        assert await outcome(node, expression) == expected, expression


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ("policies: ['root']", "auth methods cannot create root tokens"),
        ("alias: logical.Alias{}", "missing name in alias"),
        ("group_aliases: [logical.Alias{}]", "missing name in alias of a group"),
        ("entity_id: 'x'", "entity_id: cannot be set"),
        ("token_type: 9u", "token_type: must be a number from 0 to 4"),
        ("period: -1", "period: cannot be negative"),
        ("num_uses: -1", "num_uses: cannot be negative"),
        ("internal_data: '['", "internal_data: must be a JSON object"),
        ("bound_cidrs: ['x']", "bound_cidrs: each value must be an IP address"),
    ],
)
def test_what_no_token_can_have_is_refused(auth: str, message: str) -> None:
    @with_node
    async def run(node: NodeUnderTest) -> None:
        await mounted(node)
        await cel_role(node, f"pb.Auth{{{auth}}}")
        response = await cel_login(node)
        assert response.status == 400
        assert message in errors(response)[0]

    run()


@with_node
async def test_the_address_is_held_against_the_blocks_of_the_token(node: NodeUnderTest) -> None:
    await mounted(node)
    await cel_role(node, "pb.Auth{bound_cidrs: ['10.0.0.0/8']}")
    assert (await cel_login(node)).status == 403
    await cel_role(node, "pb.Auth{bound_cidrs: ['127.0.0.0/8']}")
    assert (await cel_login(node)).status == 200


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ({"expression": "secret +"}, "its expression is not valid CEL: line 1, column 9: syntax"),
        ({"expression": "secret"}, "line 1, column 1: there is nothing of this name"),
        ({"expression": "pb.Auth{secret: 1}"}, "no such field"),
        ({"expression": "'secret' + 1"}, "no such overload"),
        ({"expression": ""}, "expression cannot be empty"),
        ({}, "expression cannot be empty"),
        ({"expression": 5}, "'expression' must be text"),
        ({"expression": "1", "variables": 5}, "must be a list"),
        ({"expression": "1", "variables": [5]}, "each variable needs"),
        ({"expression": "1", "variables": [{"name": "a"}]}, "each variable needs"),
        ({"expression": "1", "variables": [{"name": "a b", "expression": "1"}]}, "letters"),
        ({"expression": "1", "variables": [{"name": "now", "expression": "1"}]}, "of their own"),
        ({"expression": "1", "variables": [{"name": "a", "expression": "1"}] * 2}, "of their own"),
        ({"expression": "1", "variables": [{"name": "a", "expression": "secret +"}]},
         "the variable at 0 is not valid CEL: line 1, column 9: syntax error"),
    ],
    ids=str,
)  # fmt: skip
def test_a_program_that_cannot_run_is_not_stored(program: Any, message: str) -> None:
    @with_node
    async def run(node: NodeUnderTest) -> None:
        await mounted(node)
        response = await node.write(ROLE, {"cel_program": program})
        assert response.status == 400
        assert message in errors(response)[0]
        assert "secret" not in errors(response)[0]
        assert (await node.read(ROLE)).status == 404

    run()


@with_node
async def test_a_role_is_changed_in_parts_or_replaced(node: NodeUnderTest) -> None:
    await mounted(node)
    await cel_role(node, "false", message="m", bound_audiences="a", clock_skew_leeway=-1)
    given = {"cel_program": {"variables": [{"name": "x", "expression": "1"}]}, "message": "n"}
    patched = await node.call(Operation.PATCH, ROLE, given)
    assert patched.data == (await node.read("auth/jwt/cel/role/DEV")).data
    assert patched.data["cel_program"] == {
        "expression": "false",
        "variables": [{"name": "x", "expression": "1"}],
    }
    assert (patched.data["message"], patched.data["clock_skew_leeway"]) == ("n", -1)
    await cel_role(node, "true")
    assert (await node.read(ROLE)).data["clock_skew_leeway"] == 60
    assert (await node.listing("auth/jwt/cel/role")).data == {"keys": ["dev"]}
    await node.delete(ROLE)
    assert (await node.read(ROLE)).status == 404
    assert (await node.call(Operation.PATCH, ROLE, given)).status == 400


@with_node
async def test_logins_at_once_are_all_answered(node: NodeUnderTest) -> None:
    await mounted(node)
    await cel_role(node, "claims.n == 7 ? pb.Auth{} : string(int(claims.n))")
    answers = await asyncio.gather(*(cel_login(node, n=n) for n in range(20)))
    for n, answer in enumerate(answers):
        if n == 7:
            assert answer.status == 200
        else:
            assert errors(answer)[0].endswith(f"with message: {n}")


@with_node
async def test_hundreds_of_logins_at_once_are_let_in(node: NodeUnderTest) -> None:
    await mounted(node)
    await cel_role(node, "pb.Auth{}")
    body = {"role": "dev", "jwt": signed(claims(node))}
    logins = (node.write("auth/jwt/cel/login", body, token="") for _ in range(500))
    assert {answer.status for answer in await asyncio.gather(*logins)} == {200}


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@with_node
async def test_claims_that_no_expression_could_take_are_refused(node: NodeUnderTest) -> None:
    await mounted(node)
    await cel_role(node, "pb.Auth{}")
    for claim in (nested(98), {"a": nested(97)}, 10**308, -1.5e308):
        assert (await cel_login(node, claim=claim)).status == 200
    for claim, message in (
        (nested(99), "nested deeper than 100 levels"),
        (nested(500), "nested deeper than 100 levels"),
        (10**400, "a number in the token's claims is too large"),
        ([{"a": -(10**400)}], "a number in the token's claims is too large"),
    ):
        refused = await cel_login(node, claim=claim)
        assert refused.status == 400
        assert message in errors(refused)[0]
    for depth in (900, 970, 980, 990, 1000, 5000):
        payload = json.dumps(claims(node))[:-1] + ', "claim": ' + "[" * depth + "]" * depth + "}"
        body = {"role": "dev", "jwt": signed(payload.encode())}
        assert (await node.write("auth/jwt/cel/login", body, token="")).status == 400
