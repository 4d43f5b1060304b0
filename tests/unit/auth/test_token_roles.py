"""Token roles: what they let their users give, and what not even a role can."""

from tests.node import NodeUnderTest, errors, with_node

NOT_ROOT = ["root tokens may not be created without parent token being root"]


async def _maker(node: NodeUnderTest) -> str:
    """A token that may use every role and nothing else."""
    await node.policy("maker", {"auth/token/create/*": "update"})
    token: str = (await node.token(policies=["maker"]))["client_token"]
    return token


@with_node
async def test_no_role_makes_a_root_token_for_somebody_who_is_not_root(node: NodeUnderTest) -> None:
    maker = await _maker(node)
    for role in (
        {"allowed_policies": "root"},
        {"allowed_policies": " ROOT "},
        {"allowed_policies_glob": "*"},
        {"allowed_policies_glob": "r*"},
        {"disallowed_policies": "other"},
        {},
    ):
        await node.delete("auth/token/roles/any")
        await node.ok("auth/token/roles/any", role)
        for name in ("root", "Root", " ROOT"):
            response = await node.write(
                "auth/token/create/any", {"policies": [name], "ttl": "1h"}, token=maker
            )
            assert response.auth is None
            assert errors(response) in (NOT_ROOT, ["child policies must be subset of parent"])


@with_node
async def test_a_role_whose_only_policy_is_root_gives_it_to_root_alone(node: NodeUnderTest) -> None:
    await node.ok("auth/token/roles/all", {"allowed_policies": "root"})
    maker = await _maker(node)
    assert errors(await node.write("auth/token/create/all", {"ttl": "1h"}, token=maker)) == NOT_ROOT
    made = await node.token(path="create/all", ttl="1h", policies=["root"])
    assert made["policies"] == ["root"]


@with_node
async def test_no_role_gives_the_wrapping_policy(node: NodeUnderTest) -> None:
    await node.ok("auth/token/roles/wrap", {"allowed_policies": "response-wrapping"})
    response = await node.write("auth/token/create/wrap", {})
    assert errors(response) == ['cannot assign policy "response-wrapping"']


@with_node
async def test_a_role_replaces_the_rule_that_a_child_has_no_more_than_its_parent(
    node: NodeUnderTest,
) -> None:
    await node.ok(
        "auth/token/roles/team",
        {"allowed_policies": "dev", "allowed_policies_glob": "team-*", "orphan": True},
    )
    maker = await _maker(node)
    made = await node.token(by=maker, path="create/team", policies=["team-a", "DEV"])
    assert made["policies"] == ["default", "dev", "team-a"]
    assert made["orphan"]
    assert (await node.token(by=maker, path="create/team"))["policies"] == ["default", "dev"]
    refused = await node.write("auth/token/create/team", {"policies": ["other"]}, token=maker)
    assert "allowed_policies" in errors(refused)[0]


@with_node
async def test_disallowed_policies_count_more_than_allowed_ones(node: NodeUnderTest) -> None:
    await node.ok(
        "auth/token/roles/team",
        {"allowed_policies_glob": "team-*", "disallowed_policies_glob": "*-admin"},
    )
    assert (await node.token(path="create/team", policies=["team-a"]))["policies"]
    refused = await node.write("auth/token/create/team", {"policies": ["team-admin"]})
    assert errors(refused) == ['token policy "team-admin" is disallowed by this role']


@with_node
async def test_the_smaller_of_two_limits_holds(node: NodeUnderTest) -> None:
    await node.ok("auth/token/roles/short", {"token_explicit_max_ttl": "1h", "token_num_uses": 5})
    made = await node.token(
        path="create/short", policies=["default"], explicit_max_ttl="2h", num_uses=9
    )
    assert made["lease_duration"] == 3600
    assert made["num_uses"] == 5


@with_node
async def test_a_token_is_not_renewed_when_its_role_is_gone(node: NodeUnderTest) -> None:
    await node.ok("auth/token/roles/team", {"allowed_policies": "default"})
    token = (await node.token(path="create/team"))["client_token"]
    assert (await node.write("auth/token/renew-self", {}, token=token)).status == 200
    await node.delete("auth/token/roles/team")
    assert "role" in errors(await node.write("auth/token/renew-self", {}, token=token))[0]
    assert await node.lives(token)


@with_node
async def test_a_periodic_role_sets_each_renewal(node: NodeUnderTest) -> None:
    await node.ok("auth/token/roles/beat", {"token_period": "10m", "allowed_policies": "default"})
    token = (await node.token(path="create/beat", ttl="1h"))["client_token"]
    for _ in range(20):
        node.clock.advance(599)
        renewed = await node.ok("auth/token/renew-self", {"increment": "5h"}, token=token)
        assert renewed.auth is not None
        assert renewed.auth["lease_duration"] == 600
    node.clock.advance(600)
    assert not await node.lives(token)
