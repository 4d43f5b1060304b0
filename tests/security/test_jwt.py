"""Attacks with signed tokens (security cases 8, 9, 11, 12 and, for CEL, 50)."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from tests.issuer import hmac_signed, jwk, pem, serving, signed, unsigned
from tests.node import NodeUnderTest, errors, with_node
from tests.unit.auth.jwt.logins import claims, logged_in, login, mounted, refusal, role
from wardgate.auth.jwt.key_sets import AT_MOST_EVERY

JWKS = "/jwks"


@pytest.mark.parametrize(
    "audience", ["them", "us ", "US", "", [], ["them"], [""], ["them", ["us"]], None, 5, {"us": 1}]
)
def test_08_a_role_that_binds_audiences_passes_nobody_without_a_match(audience: Any) -> None:
    @with_node
    async def run(node: NodeUnderTest) -> None:
        await mounted(node)
        await role(node)
        given = {**claims(node, aud=None), "aud": audience}
        assert (await login(node, given)).status == 400
        program = {"expression": "pb.Auth{}"}
        await node.ok("auth/jwt/cel/role/dev", {"cel_program": program, "bound_audiences": "us"})
        body = {"role": "dev", "jwt": signed(given)}
        assert (await node.write("auth/jwt/cel/login", body, token="")).status == 400

    run()


@with_node
async def test_08_a_missing_audience_is_no_match_either(node: NodeUnderTest) -> None:
    await mounted(node)
    await role(node)
    assert "audience" in await refusal(node, claims(node, aud=None))
    await logged_in(node, claims(node, aud=["them", "us"]))


@with_node
async def test_08_a_token_for_somebody_is_nothing_to_a_role_without_audiences(
    node: NodeUnderTest,
) -> None:
    await mounted(node)
    await role(node, bound_audiences="", bound_subject="ada")
    for audience in ("them", ["them"], [""], ""):
        assert "no audiences bound" in await refusal(node, claims(node, aud=audience))
    await logged_in(node, claims(node, aud=None))
    await logged_in(node, claims(node, aud=[]))


@with_node
async def test_09_a_login_with_a_token_is_not_for_oidc_roles(node: NodeUnderTest) -> None:
    await mounted(node)
    await role(node, role_type="oidc", allowed_redirect_uris="https://us/callback")
    assert await refusal(node, claims(node)) == "role with oidc role_type is not allowed"


@with_node
async def test_09_a_login_comes_from_the_addresses_of_its_role(node: NodeUnderTest) -> None:
    await mounted(node)
    for field in ("bound_cidrs", "token_bound_cidrs"):
        await role(node, **{field: "10.0.0.0/8"})
        for peer in ("127.0.0.1:1", "11.0.0.1:1", "[::1]:1", ""):
            assert (await login(node, claims(node), peer=peer)).status == 403
        for peer in ("10.1.2.3:1", "[::ffff:10.1.2.3]:1"):
            await logged_in(node, claims(node), peer=peer)


@with_node
async def test_11_the_keys_of_an_old_jwks_url_are_dropped_at_once(node: NodeUnderTest) -> None:
    with serving() as old, serving() as new:
        new.published = {"rsa-1": "other"}
        await mounted(node, jwks_url=old.address + JWKS)
        await role(node)
        stale = old.sign(claims(node))
        await logged_in(node, stale)
        await mounted(node, jwks_url=new.address + JWKS)
        assert "no known key" in await refusal(node, stale)
        await logged_in(node, new.sign(claims(node)))


@with_node
async def test_11_a_login_that_began_before_the_change_does_not_get_through(
    node: NodeUnderTest,
) -> None:
    with serving() as old:
        await mounted(node, jwks_url=old.address + JWKS)
        await role(node)
        old.going_on.clear()
        stale = asyncio.create_task(login(node, old.sign(claims(node))))
        await old.was_asked(JWKS, 2)
        await mounted(node, jwt_validation_pubkeys=[pem("other")])
        old.going_on.set()
        assert (await stale).status == 400


@with_node
async def test_11_keys_that_were_withdrawn_go_when_the_configuration_is_written_again(
    node: NodeUnderTest,
) -> None:
    with serving() as issuer:
        await mounted(node, jwks_url=issuer.address + JWKS)
        await role(node)
        token = issuer.sign(claims(node))
        await logged_in(node, token)
        issuer.published = {"ec-1": "ec"}
        await mounted(node, jwks_url=issuer.address + JWKS)
        assert "no known key" in await refusal(node, token)


@with_node
async def test_12_no_token_says_itself_how_it_is_to_be_checked(node: NodeUnderTest) -> None:
    await mounted(node)
    await role(node)
    good = claims(node)
    await logged_in(node, signed(good))
    attacks = {
        "none": unsigned(good),
        "a public key as a secret": hmac_signed(good, pem("rsa")),
        "the same with a line's end": hmac_signed(good, pem("rsa") + "\n"),
        "its own key": signed(good, "other", jwk=jwk("other")),
        "a key elsewhere": signed(good, "other", jku="http://127.0.0.1:9/jwks", kid="other"),
        "certificates elsewhere": signed(good, "other", x5u="http://127.0.0.1:9/x5u"),
        "certificates within": signed(good, "other", x5c=[pem("other")]),
        "unknown demands": signed(good, crit=["acme"], acme=1),
        "a key's name like a path": signed(good, "other", kid="../../rsa"),
        "another curve's algorithm": signed(good, "ec"),
    }
    for name, token in attacks.items():
        assert (await login(node, token)).status == 400, name
    head, payload, signature = signed(good).split(".")
    for forged in (
        f"{head}.{payload}.",
        f"{head}.{payload}",
        f"{head}..{signature}",
        f"{head}.{payload}.{signature}.{signature}",
        f"{head}.{payload}.{signature[:-4]}",
        f"{unsigned(good).partition('.')[0]}.{payload}.{signature}",
        f"WyJhbGciXQ.{payload}.{signature}",  # its header is the list ["alg"]
    ):
        assert (await login(node, forged)).status == 400, forged


@with_node
async def test_12_what_a_token_points_at_is_asked_nothing(node: NodeUnderTest) -> None:
    with serving() as issuer, serving() as attacker:
        attacker.published = {"rsa-1": "other"}
        await mounted(node, jwks_url=issuer.address + JWKS)
        await role(node)
        urls = {"jku": attacker.address + JWKS, "x5u": attacker.address + "/x5u"}
        assert (await login(node, attacker.sign(claims(node), **urls))).status == 400
        assert sum(attacker.asked.values()) == 0


@with_node
async def test_12_a_flood_of_unknown_keys_causes_one_fetch_in_a_while(
    node: NodeUnderTest,
) -> None:
    with serving() as issuer:
        await mounted(node, jwks_url=issuer.address + JWKS)
        await role(node)
        await logged_in(node, issuer.sign(claims(node)))
        node.clock.advance(AT_MOST_EVERY)
        asked = issuer.asked[JWKS]
        forged = [signed(claims(node), "other", kid=f"kid-{n}") for n in range(50)]
        forged += [signed(claims(node), "other"), signed(claims(node), "other", kid="rsa-1")]
        answers = await asyncio.gather(*(login(node, token) for token in forged))
        assert {answer.status for answer in answers} == {400}
        assert issuer.asked[JWKS] == asked + 1
        await logged_in(node, issuer.sign(claims(node)))
        node.clock.advance(AT_MOST_EVERY)
        await asyncio.gather(*(login(node, token) for token in forged))
        assert issuer.asked[JWKS] == asked + 2


@with_node
async def test_12_a_provider_that_is_gone_is_not_flooded_either(node: NodeUnderTest) -> None:
    with serving() as issuer:
        issuer.answers[JWKS] = (500, b"")
        await mounted(node, jwks_url=issuer.address + JWKS, skip_jwks_validation=True)
        await role(node)
        asked = issuer.asked[JWKS]
        tokens = [issuer.sign(claims(node, jti=str(n))) for n in range(20)]
        answers = [await login(node, token) for token in tokens]
        assert all("status 500" in errors(answer)[0] for answer in answers)
        assert issuer.asked[JWKS] == asked + 1


BOMBS = {
    "steps": "[1].all(a, true)"
    + "".join(f" && [{'1,' * 400}1].all(b{n}, true)" for n in range(30)),
    "nested loops": "true",
    "nesting": "(" * 300 + "1" + ")" * 300,
    "doubled texts": "['xxxxxxxx']" + ".map(a, a + a)" * 30 + "[0].size() == 1",
    "doubled lists": "[[1, 1, 1, 1]]" + ".map(a, a + a)" * 30 + "[0].size() == 1",
    "regular expressions": "'" + "a" * 5000 + "'.matches('(a|aa)+b')",
}
for _name in "abcdef":
    BOMBS["nested loops"] = f"[0,1,2,3,4,5,6,7,8,9].all({_name}, {BOMBS['nested loops']})"


@with_node
async def test_50_no_expression_takes_long_or_much_or_anything_down(node: NodeUnderTest) -> None:
    await mounted(node)
    path = "auth/jwt/cel/role"
    await node.ok(f"{path}/good", {"cel_program": {"expression": "pb.Auth{}"}})
    for expression in BOMBS.values():
        written = await node.write(f"{path}/bad", {"cel_program": {"expression": expression}})
        if written.status == 200:
            await cel_refused(node, "bad")
        body = {"role": "good", "jwt": signed(claims(node))}
        good = await node.write("auth/jwt/cel/login", body, token="")
        assert good.status == 200, good.data


async def cel_refused(node: NodeUnderTest, name: str) -> None:
    body = {"role": name, "jwt": signed(claims(node))}
    response = await node.write("auth/jwt/cel/login", body, token="")
    assert response.status == 400
    assert errors(response)[0].startswith("error executing cel program: ")


@with_node
async def test_50_doubling_variables_end_the_child_and_not_the_server(node: NodeUnderTest) -> None:
    await mounted(node)
    names = [f"v{n}" for n in range(50)]
    variables = [{"name": "v0", "expression": "claims.sub"}]
    variables += [
        {"name": name, "expression": f"{before} + {before}"} for before, name in pairwise(names)
    ]
    program = {"variables": variables, "expression": "v49"}
    await node.ok("auth/jwt/cel/role/bad", {"cel_program": program})
    body = {"role": "bad", "jwt": signed(claims(node))}
    refused = await node.write("auth/jwt/cel/login", body, token="")
    assert errors(refused)[0].endswith("it takes too much time or memory")


@with_node
async def test_50_other_requests_go_on_while_an_expression_takes_its_time(
    node: NodeUnderTest,
) -> None:
    await mounted(node)
    loops = "[0,1,2,3,4,5,6,7,8,9]"
    slow = f"{loops}.all(a, {loops}.all(b, {loops}.all(c, '{'a' * 10_000}'.matches('(a|b)+c'))))"
    await node.ok("auth/jwt/cel/role/bad", {"cel_program": {"expression": f"!{slow} || true"}})
    waiting = asyncio.create_task(cel_refused(node, "bad"))
    answered = 0
    while not waiting.done():
        assert (await node.read("sys/mounts")).status == 200
        answered += 1
        await asyncio.sleep(0)
    await waiting
    assert answered > 1


@with_node
async def test_50_the_source_and_the_result_are_bounded(node: NodeUnderTest) -> None:
    await mounted(node)
    path = "auth/jwt/cel/role/bad"
    for program in (
        {"expression": "1 + " * 5000 + "1"},
        {"expression": "1", "variables": [{"name": "a", "expression": "'" + "x" * 20_000 + "'"}]},
        {"expression": "1", "variables": [
            {"name": f"v{n}", "expression": "1"} for n in range(51)]},
    ):  # fmt: skip
        assert (await node.write(path, {"cel_program": program})).status == 400
    long = "claims.sub" + " + claims.sub" * 20
    await node.ok(path, {"cel_program": {"expression": f"({long}) + ({long})"}})
    body = {"role": "bad", "jwt": signed(claims(node, sub="x" * 10_000))}
    refused = await node.write("auth/jwt/cel/login", body, token="")
    assert errors(refused)[0].endswith("its result is too long")
    await node.ok(path, {"cel_program": {"expression": "claims.sub"}})
    refused = await node.write("auth/jwt/cel/login", body, token="")
    assert len(errors(refused)[0]) < 1200
