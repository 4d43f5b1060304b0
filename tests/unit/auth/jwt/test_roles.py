"""Roles: what is kept, and what of them others see."""

from decimal import Decimal

import pytest

from tests.node import NodeUnderTest, errors, with_node
from tests.unit.auth.jwt.logins import claims, login, mounted, role
from wardgate.core.operation import Operation

ROLE = "auth/jwt/role/dev"


@with_node
async def test_a_write_keeps_what_it_does_not_set(node: NodeUnderTest) -> None:
    await mounted(node)
    await role(
        node, bound_claims={"level": Decimal("5.50")}, claim_mappings={"a": "b"}, expiration_leeway=-1,
        groups_claim="groups", token_ttl="10m", policies="dev", callback_mode="device",
    )  # fmt: skip
    before = (await node.read(ROLE)).data
    await node.ok(ROLE, {"role_type": "jwt"})
    after = (await node.read(ROLE)).data
    assert {**before, "callback_mode": "client"} == after
    assert str(after["bound_claims"]["level"]) == "5.50"
    assert after["policies"] == after["token_policies"] == ("dev",)


@with_node
async def test_what_was_never_set_is_null_and_what_was_emptied_is_empty(
    node: NodeUnderTest,
) -> None:
    await mounted(node)
    await role(node, bound_claims={}, oidc_scopes="")
    shown = (await node.read(ROLE)).data
    assert (shown["bound_claims"], shown["oidc_scopes"]) == ({}, ())
    assert shown["claim_mappings"] is shown["allowed_redirect_uris"] is None
    assert "poll_interval" not in shown


@pytest.mark.parametrize("interval", [-1, 601])
def test_an_interval_that_nobody_could_poll_in_is_refused(interval: int) -> None:
    @with_node
    async def check(node: NodeUnderTest) -> None:
        await mounted(node)
        body = {"role_type": "jwt", "user_claim": "sub", "bound_subject": "ada"}
        response = await node.write(ROLE, {**body, "poll_interval": interval})
        assert errors(response)[0].startswith("poll_interval: use seconds from 1 to 600")

    check()


@with_node
async def test_a_role_has_one_name_in_any_case(node: NodeUnderTest) -> None:
    await mounted(node)
    await role(node, "Dev", bound_subject="ada")
    await role(node, "DEV", bound_subject="bob")
    assert (await node.listing("auth/jwt/role")).data == {"keys": ["dev"]}
    assert (await node.read("auth/jwt/role/dEV")).data["bound_subject"] == "bob"
    await node.delete("auth/jwt/role/deV")
    assert (await node.listing("auth/jwt/role")).status == 404


@pytest.mark.parametrize("name", ["-a", "a.", "a b", "é", "a" * 513, "a%2Fb", " dev"])
def test_what_is_no_name_is_no_path(name: str) -> None:
    @with_node
    async def run(node: NodeUnderTest) -> None:
        await mounted(node)
        for kind in ("role", "cel/role"):
            for operation in (Operation.READ, Operation.UPDATE, Operation.DELETE):
                response = await node.call(operation, f"auth/jwt/{kind}/{name}", {})
                assert response.status in (400, 404)

    run()


@with_node
async def test_a_policy_about_a_role_holds_for_all_spellings_of_its_name(
    node: NodeUnderTest,
) -> None:
    await mounted(node)
    await role(node)
    token = await node.policy_token(
        'path "auth/jwt/*" { capabilities = ["read"] }'
        ' path "auth/jwt/role/dev" { capabilities = ["deny"] }'
        ' path "auth/jwt/cel/role/dev" { capabilities = ["deny"] }'
    )
    for kind in ("role", "cel/role"):
        for name in ("dev", "DEV", "Dev"):
            assert (await node.read(f"auth/jwt/{kind}/{name}", token=token)).status == 403


@with_node
async def test_a_period_fits_into_the_mounts_longest_ttl(node: NodeUnderTest) -> None:
    await mounted(node)
    await node.ok("sys/auth/jwt/tune", {"max_lease_ttl": "1h"})
    base = {"role_type": "jwt", "user_claim": "sub", "bound_subject": "ada"}
    refused = await node.write(ROLE, {**base, "token_period": "2h"})
    assert errors(refused)[0].startswith("token_period:")
    warned = await node.ok(ROLE, {**base, "token_max_ttl": "2h", "token_period": "1h"})
    assert warned.warnings is not None
    assert "truncated" in warned.warnings[0]


@with_node
async def test_logins_can_be_limited_by_role(node: NodeUnderTest) -> None:
    await mounted(node, default_role="dev")
    await role(node)
    await role(node, "ops")
    limit = {"path": "auth/jwt/", "role": "dev", "rate": 1, "interval": "1h"}
    await node.ok("sys/quotas/rate-limit/logins", limit)
    assert (await login(node, claims(node))).status == 200
    for name in ("dev", "DEV", ""):
        assert (await login(node, claims(node), role=name)).status == 429
    for name in ("ops", "none", "../dev"):
        assert (await login(node, claims(node), role=name)).status != 429
