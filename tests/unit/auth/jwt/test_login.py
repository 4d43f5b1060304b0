"""Logins with signed tokens: who gets in, and what they get."""

from typing import Any

import pytest

from tests.issuer import pem, signed
from tests.node import NodeUnderTest, errors, with_node
from tests.unit.auth.jwt.logins import claims, logged_in, login, mounted, refusal, role


@with_node
async def test_a_login_gives_a_token_with_the_roles_settings(node: NodeUnderTest) -> None:
    await mounted(node)
    await role(node, token_policies="dev,ops", token_ttl="10m", token_num_uses=5)
    auth = await logged_in(node, claims(node))
    assert auth["policies"] == ["default", "dev", "ops"]
    assert (auth["lease_duration"], auth["num_uses"], auth["orphan"]) == (600, 5, True)
    assert auth["metadata"] == {"role": "dev"}
    looked = await node.ok("auth/token/lookup", {"token": auth["client_token"]})
    assert looked.data["display_name"] == "jwt-ada"


@with_node
async def test_the_claims_make_an_entity_with_alias_metadata_and_groups(
    node: NodeUnderTest,
) -> None:
    await mounted(node)
    await role(node, claim_mappings={"/team/name": "team", "no": "none"}, groups_claim="groups")
    accessor = (await node.read("sys/auth/jwt")).data["accessor"]
    await node.policy("of-group", {"kv/*": "read"})
    group = await node.ok(
        "identity/group", {"type": "external", "name": "g", "policies": "of-group"}
    )
    await node.ok(
        "identity/group-alias",
        {"name": "admins", "mount_accessor": accessor, "canonical_id": group.data["id"]},
    )
    given = claims(node, team={"name": "core"}, groups=["admins", "", "others"])
    auth = await logged_in(node, given)
    assert auth["identity_policies"] == ["of-group"]
    entity = (await node.read(f"identity/entity/id/{auth['entity_id']}")).data
    assert entity["aliases"][0]["name"] == "ada"
    assert entity["aliases"][0]["metadata"] == {"role": "dev", "team": "core"}
    again = await logged_in(node, claims(node, groups="others"))
    assert again["entity_id"] == auth["entity_id"]
    assert "identity_policies" not in again


@with_node
async def test_a_login_names_a_role_in_any_case_or_the_default_role(node: NodeUnderTest) -> None:
    await mounted(node, default_role="DEV")
    await role(node, "Dev")
    token = signed(claims(node))
    for body in ({"jwt": token}, {"jwt": token, "role": "dEV"}):
        response = await node.write("auth/jwt/login", body, token="")
        assert response.status == 200, response.data
    assert await refusal(node, token, role="other") == "role: there is none of this name"
    assert await refusal(node, token, role="../dev") == "role: there is none of this name"
    await mounted(node)
    assert await refusal(node, token, role="") == "missing role"
    assert await refusal(node, "") == "missing token"


@with_node
async def test_nobody_logs_in_before_there_is_a_configuration(node: NodeUnderTest) -> None:
    await node.ok("sys/auth/jwt", {"type": "jwt"})
    assert await refusal(node, claims(node)) == "could not load configuration"


@with_node
async def test_the_issuer_and_the_subject_can_be_bound(node: NodeUnderTest) -> None:
    await mounted(node, bound_issuer="https://issuer")
    await role(node, bound_subject="ada")
    await logged_in(node, claims(node, iss="https://issuer"))
    assert "(iss)" in await refusal(node, claims(node, iss="https://issuer/"))
    assert "(iss)" in await refusal(node, claims(node))
    assert "(sub)" in await refusal(node, claims(node, iss="https://issuer", sub="Ada"))


@pytest.mark.parametrize(
    ("times", "leeways", "good"),
    [
        ({}, {}, False),
        ({"iat": 0}, {}, True),
        ({"iat": -200}, {}, True),
        ({"iat": -220}, {}, False),
        ({"iat": -1}, {"expiration_leeway": -1, "clock_skew_leeway": -1}, False),
        ({"iat": -500}, {"expiration_leeway": 600}, True),
        ({"iat": 50}, {}, True),
        ({"iat": 70}, {}, False),
        ({"iat": 50}, {"clock_skew_leeway": 20}, False),
        ({"iat": 50, "nbf": -10, "exp": 60}, {"clock_skew_leeway": 20}, False),
        ({"exp": -50}, {}, True),
        ({"exp": -70}, {}, False),
        ({"exp": -1}, {"clock_skew_leeway": -1}, False),
        ({"exp": 200}, {}, True),
        ({"exp": 250}, {}, False),
        ({"exp": 250}, {"not_before_leeway": 300}, True),
        ({"nbf": 0}, {}, True),
        ({"nbf": 70}, {}, False),
        ({"nbf": 70, "exp": 300}, {"clock_skew_leeway": 100}, True),
    ],
)
def test_a_token_is_good_for_its_time_and_the_leeways(
    times: dict[str, int], leeways: dict[str, Any], good: bool
) -> None:
    @with_node
    async def run(node: NodeUnderTest) -> None:
        await mounted(node)
        await role(node, **leeways)
        now = int(node.clock.now())
        given = {name: now + seconds for name, seconds in times.items()}
        response = await login(node, {"sub": "ada", "aud": "us", **given})
        assert response.status == (200 if good else 400), response.data

    run()


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": "2100"},
        {"exp": True},
        {"nbf": []},
        {"iat": 1e300},
        {"sub": 5},
        {"iss": ["a"]},
        {"aud": 5},
        {"aud": ["us", 5]},
    ],
    ids=str,
)
def test_registered_claims_have_their_kinds(wrong: dict[str, Any]) -> None:
    @with_node
    async def run(node: NodeUnderTest) -> None:
        await mounted(node)
        await role(node)
        message = await refusal(node, {**claims(node), **wrong})
        assert next(iter(wrong)) in message

    run()


@with_node
async def test_only_the_configured_algorithms_are_taken(node: NodeUnderTest) -> None:
    await mounted(node, jwt_validation_pubkeys=[pem("rsa"), pem("ec")])
    await role(node)
    for key in ("rsa", "ec"):
        await logged_in(node, signed(claims(node), key))
    await mounted(
        node, jwt_validation_pubkeys=[pem("rsa"), pem("ec")], jwt_supported_algs=["ES256"]
    )
    await logged_in(node, signed(claims(node), "ec"))
    assert "unexpected algorithm" in await refusal(node, signed(claims(node)))


@with_node
async def test_a_token_of_nobody_or_none_at_all_is_refused(node: NodeUnderTest) -> None:
    await mounted(node)
    await role(node)
    assert "no known key" in await refusal(node, signed(claims(node), "other"))
    for junk in ("x", "a.b.c", "a.b", "...", "\0", "é.é.é"):
        assert "not a signed token" in await refusal(node, junk)
    assert "longer than" in await refusal(node, "x" * 70_000)
    assert "JSON object" in await refusal(node, signed(b"[]"))


@with_node
async def test_a_renewal_goes_by_the_role_as_it_is_then(node: NodeUnderTest) -> None:
    await mounted(node)
    await role(node, token_ttl="10m")
    auth = await logged_in(node, claims(node))
    await role(node, token_ttl="20m")
    renewed = await node.ok("auth/token/renew", {"token": auth["client_token"]})
    assert renewed.auth is not None
    assert renewed.auth["lease_duration"] == 1200
    await node.delete("auth/jwt/role/dev")
    refused = await node.write("auth/token/renew", {"token": auth["client_token"]})
    assert (refused.status, errors(refused)) == (
        400,
        ["the role no longer exists: the token is not renewed"],
    )


@with_node
async def test_policies_can_be_made_of_claims(node: NodeUnderTest) -> None:
    await mounted(node)
    templates = ["p-{{ .Project }}", "{{ .empty }}", '{{ index . "a b" "c" | lowercase }}']
    await role(node, token_policies=templates, token_policies_template_claims=True)
    assert (await node.read("auth/jwt/role/dev")).data["token_policies"] == tuple(templates)
    given = claims(node, Project=7, empty="", **{"a b": {"c": "DEF"}})
    assert (await logged_in(node, given))["policies"] == ["def", "default", "p-7"]
    assert "is missing" in await refusal(node, claims(node, Project=7))
    root = claims(node, Project=7, empty=" Root ", **{"a b": {"c": "x"}})
    assert await refusal(node, root) == "auth methods cannot create root tokens"
    for bad in ("{{ .a", "{{ range . }}", "{{ .a | exec }}", "}}"):
        response = await node.write(
            "auth/jwt/role/dev", {"role_type": "jwt", "token_policies": [bad]}
        )
        assert errors(response)[0].startswith("token_policies: as templates")
