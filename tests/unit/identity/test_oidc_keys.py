"""Named keys: their settings, their roles, and who may see what of them."""

from tests.jose import verifies
from tests.node import NodeUnderTest, errors, with_node
from tests.unit.identity.oidc import make_role, person, public_keys, signed
from wardgate.identity.oidc.records import KEYS, ROTATIONS
from wardgate.identity.oidc.rotation import MOST_RETIRED


@with_node
async def test_reading_a_key_shows_no_key_material(node: NodeUnderTest) -> None:
    await node.ok("identity/oidc/key/k", {"algorithm": "EdDSA"})
    assert (await node.read("identity/oidc/key/k")).data == {
        "algorithm": "EdDSA",
        "allowed_client_ids": (),
        "rotation_period": 86_400,
        "verification_ttl": 86_400,
    }


@with_node
async def test_private_keys_are_stored_under_the_barrier_only(node: NodeUnderTest) -> None:
    await make_role(node, algorithm="RS256")
    raw = await node.store.get(KEYS + "k")
    clear = await node.core.barrier.get(KEYS + "k")
    assert raw is not None
    assert clear is not None
    private = clear.value[clear.value.index(b"private") :][:200]
    assert private not in raw.value
    assert b"RS256" not in raw.value
    published = repr(await public_keys(node))
    assert not any(f"'{secret}'" in published for secret in ("d", "p", "q", "dp", "dq", "qi"))


@with_node
async def test_a_key_in_use_cannot_be_deleted(node: NodeUnderTest) -> None:
    await make_role(node)
    assert "app" in errors(await node.delete("identity/oidc/key/k"))[0]
    await node.delete("identity/oidc/role/app")
    assert (await node.delete("identity/oidc/key/k")).status == 204
    assert await public_keys(node) == []
    assert await node.keys_below(ROTATIONS) == []


@with_node
async def test_keys_are_published_as_soon_as_a_role_uses_them(node: NodeUnderTest) -> None:
    assert await public_keys(node) == []
    await node.ok("identity/oidc/role/app", {"key": "default"})
    published = await public_keys(node)
    assert len(published) == 2  # the one that signs, and the next one
    ada = await person(node)
    assert verifies(await signed(node, ada), published[:1])


@with_node
async def test_tokens_of_a_deleted_or_changed_role_can_be_checked_to_their_end(
    node: NodeUnderTest,
) -> None:
    ada = await person(node)
    await make_role(node, ttl="2h")
    token = await signed(node, ada)
    await node.ok("identity/oidc/role/app", {"ttl": "1h"})
    await node.ok("identity/oidc/key/k", {"verification_ttl": "1h"})
    await node.ok("identity/oidc/key/k/rotate", {})
    await node.delete("identity/oidc/role/app")
    node.clock.advance(2 * 3600 - 1)
    assert verifies(token, await public_keys(node))
    node.clock.advance(1)
    assert await public_keys(node) == []


@with_node
async def test_a_role_moves_to_another_key_and_its_tokens_stay_good(node: NodeUnderTest) -> None:
    ada = await person(node)
    await make_role(node, ttl="1h")
    token = await signed(node, ada)
    await node.ok("identity/oidc/role/app", {"key": "default"})
    assert (await node.delete("identity/oidc/key/nothing")).status == 204
    assert verifies(token, await public_keys(node))
    assert verifies(await signed(node, ada), await public_keys(node))


@with_node
async def test_a_new_algorithm_signs_at_once_and_old_tokens_stay_good(
    node: NodeUnderTest,
) -> None:
    ada = await person(node)
    await make_role(node, ttl="1h")
    old = await signed(node, ada)
    await node.ok("identity/oidc/key/k", {"algorithm": "ES256"})
    new = await signed(node, ada)
    keys = await public_keys(node)
    assert verifies(old, keys)
    assert verifies(new, keys)
    assert [key["alg"] for key in keys] == ["ES256", "ES256", "EdDSA"]


@with_node
async def test_the_public_keys_of_one_name_are_bounded(node: NodeUnderTest) -> None:
    await make_role(node)
    for _ in range(MOST_RETIRED):
        await node.ok("identity/oidc/key/k/rotate", {})
    assert (await node.write("identity/oidc/key/k/rotate", {})).status == 400
    assert len(await public_keys(node)) == MOST_RETIRED + 2
    assert (await node.write("identity/oidc/key/k", {"algorithm": "ES256"})).status == 400
    node.clock.advance(86_399)
    await node.ok("identity/oidc/key/k", {"rotation_period": "6h"})
    assert len(await public_keys(node)) == MOST_RETIRED + 2
    node.clock.advance(1)
    await node.sweep()
    assert len(await public_keys(node)) == 2
    node.clock.advance(6 * 3600)
    await node.sweep()  # which goes on by itself
    assert len(await public_keys(node)) == 3


@with_node
async def test_creating_needs_create_and_changing_needs_update(node: NodeUnderTest) -> None:
    for kind, body in (("key", {"algorithm": "EdDSA"}), ("role", {"key": "default"})):
        await node.policy("c", {f"identity/oidc/{kind}/*": "create"})
        await node.policy("u", {f"identity/oidc/{kind}/*": "update"})
        creates, updates = [
            (await node.token(policies=[name]))["client_token"] for name in ("c", "u")
        ]
        path = f"identity/oidc/{kind}/new"
        assert (await node.write(path, body, token=updates)).status == 403
        assert (await node.write(path, body, token=creates)).status == 204
        assert (await node.write(path, body, token=creates)).status == 403
        assert (await node.write(path, body, token=updates)).status == 204


@with_node
async def test_others_may_keep_the_public_keys_until_they_change(node: NodeUnderTest) -> None:
    async def kept(path: str) -> str:
        answer = await node.http("GET", f"/v1/identity/oidc/.well-known/{path}", token=None)
        return answer.headers["cache-control"]

    assert await kept("keys") == "no-store"
    assert await kept("openid-configuration") == "max-age=3600"
    await make_role(node, rotation_period="2h", verification_ttl="3h", ttl="1h")
    assert await kept("keys") == "max-age=3600"
    node.clock.advance(5400)
    assert await kept("keys") == "max-age=1800"
    node.clock.advance(1800)
    assert await kept("keys") == "no-store"  # a rotation is due
    await node.sweep()
    assert await kept("keys") == "max-age=3600"
    node.clock.advance(7200)
    await node.sweep()
    assert await kept("keys") == "max-age=3600"  # the first key goes in an hour
    node.clock.advance(1800)
    assert await kept("keys") == "max-age=1800"


@with_node
async def test_names_lead_nowhere_else(node: NodeUnderTest) -> None:
    for name in ("..%2f", "a b", "a\x00b", "x" * 500, "é", "-a", "a/b", "k\n"):
        assert (await node.write(f"identity/oidc/key/{name}", {"algorithm": "EdDSA"})).status in (
            400,
            404,
        )
    assert await node.keys_below(KEYS) == []
