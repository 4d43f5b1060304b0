"""From a grant to a token and its entity."""

import asyncio

import msgspec

from tests.node import NodeUnderTest, errors, with_node
from tests.odd import mount_odd
from wardgate.core.identity import ENTITIES, ENTITY, Entity, entity_by_id
from wardgate.core.request import TokenGrant
from wardgate.core.storage import Transaction


async def _login(node: NodeUnderTest) -> dict[str, object]:
    response = await node.write("auth/odd/login", token="")
    assert response.status == 200, response.data
    assert response.auth is not None
    return response.auth


async def _change_entity(node: NodeUnderTest, entity_id: str, **changes: object) -> None:
    async def work(transaction: Transaction) -> None:
        entity = await entity_by_id(transaction, entity_id)
        assert entity is not None
        changed: Entity = msgspec.structs.replace(entity, **changes)
        transaction.put(ENTITIES + entity_id, changed, ENTITY)

    await node.core.storage.transact(work)


@with_node
async def test_the_same_alias_is_the_same_entity_and_another_one_is_another(
    node: NodeUnderTest,
) -> None:
    odd = await mount_odd(node, TokenGrant(display_name="a", alias="ada"))
    first, second = await _login(node), await _login(node)
    assert first["entity_id"] == second["entity_id"] != ""
    assert len(await node.keys_below("identity/entity/")) == 1
    odd.grant = TokenGrant(display_name="a", alias="ADA")
    assert (await _login(node))["entity_id"] == first["entity_id"]
    for other in ("ada ", " ada", "ad", "ada/x", "\u00e4", "x" * 10_000):
        odd.grant = TokenGrant(display_name="a", alias=other)
        assert (await _login(node))["entity_id"] != first["entity_id"]
    assert len(await node.keys_below("identity/entity/")) == 7


@with_node
async def test_twenty_first_logins_at_once_make_one_entity(node: NodeUnderTest) -> None:
    await mount_odd(node, TokenGrant(display_name="a", alias="ada"))
    logins = await asyncio.gather(*(_login(node) for _ in range(20)))
    assert len({login["entity_id"] for login in logins}) == 1
    assert len({login["client_token"] for login in logins}) == 20
    assert len(await node.keys_below("identity/entity/")) == 1


@with_node
async def test_a_grant_without_an_alias_has_no_entity(node: NodeUnderTest) -> None:
    await mount_odd(node, TokenGrant(display_name="a"))
    assert (await _login(node))["entity_id"] == ""
    assert await node.keys_below("identity/") == []


@with_node
async def test_a_login_that_changes_nothing_writes_no_entity(node: NodeUnderTest) -> None:
    odd = await mount_odd(
        node, TokenGrant(display_name="a", alias="ada", alias_metadata={"team": "x"})
    )
    entity_id = (await _login(node))["entity_id"]
    key = f"{ENTITIES}{entity_id}"
    before = await node.store.get(key)
    await _login(node)
    assert await node.store.get(key) == before
    odd.grant = TokenGrant(display_name="a", alias="ada", alias_metadata={"team": "y"})
    await _login(node)
    entity = await (await node.core.storage.begin()).get(key, ENTITY)
    assert entity is not None
    assert [alias.metadata for alias in entity.aliases] == [{"team": "y"}]


@with_node
async def test_a_disabled_entity_neither_logs_in_nor_uses_its_tokens(node: NodeUnderTest) -> None:
    await mount_odd(node, TokenGrant(display_name="a", alias="ada"))
    login = await _login(node)
    token, entity_id = str(login["client_token"]), str(login["entity_id"])
    child = (await node.token(by="root", policies=["default"]))["client_token"]
    await _change_entity(node, entity_id, disabled=True)
    assert not await node.lives(token)
    refused = await node.write("auth/odd/login", token="")
    assert (refused.status, errors(refused)) == (403, ["entity is disabled"])
    assert await node.lives(child)
    await _change_entity(node, entity_id, disabled=False)
    assert await node.lives(token)


@with_node
async def test_an_entitys_policies_count_at_the_next_request(node: NodeUnderTest) -> None:
    await mount_odd(node, TokenGrant(display_name="a", alias="ada"))
    await node.policy("mounts", {"sys/mounts": "read"})
    login = await _login(node)
    token, entity_id = str(login["client_token"]), str(login["entity_id"])
    assert (await node.read("sys/mounts", token=token)).status == 403
    await _change_entity(node, entity_id, policies=("mounts",))
    assert (await node.read("sys/mounts", token=token)).status == 200
    looked = await node.read("auth/token/lookup-self", token=token)
    assert looked.data["identity_policies"] == ("mounts",)
    again = await _login(node)
    assert (again["policies"], again["token_policies"]) == (["default", "mounts"], ("default",))
    await _change_entity(node, entity_id, policies=())
    assert (await node.read("sys/mounts", token=token)).status == 403


@with_node
async def test_a_templated_policy_is_compiled_again_when_its_entity_changes(
    node: NodeUnderTest,
) -> None:
    await mount_odd(node, TokenGrant(display_name="a", alias="ada", policies=("team",)))
    await node.policy("team", {"sys/policies/acl/{{identity.entity.metadata.team}}": "read"})
    for name in ("red", "blue"):
        await node.policy(name, {"a": "read"})
    login = await _login(node)
    token, entity_id = str(login["client_token"]), str(login["entity_id"])

    async def seen() -> list[str]:
        answers = {
            name: await node.read(f"sys/policies/acl/{name}", token=token)
            for name in ("red", "blue")
        }
        return [name for name, answer in answers.items() if answer.status == 200]

    assert await seen() == []
    for team in ("red", "blue", "red"):
        await _change_entity(node, entity_id, metadata={"team": team})
        assert await seen() == [team]
        assert await seen() == [team]


@with_node
async def test_policies_come_in_their_canonical_form(node: NodeUnderTest) -> None:
    odd = await mount_odd(node, TokenGrant(display_name="a", policies=("B ", "a", "A", "")))
    assert (await _login(node))["policies"] == ["a", "b", "default"]
    odd.grant = TokenGrant(display_name="a", policies=("B",), no_default_policy=True)
    assert (await _login(node))["policies"] == ["b"]


@with_node
async def test_a_batch_grant_cannot_be_periodic_or_counted(node: NodeUnderTest) -> None:
    odd = await mount_odd(node, TokenGrant(display_name="a"))
    for grant in (
        TokenGrant(display_name="a", token_type="batch", period=60),
        TokenGrant(display_name="a", token_type="batch", num_uses=1),
    ):
        odd.grant = grant
        response = await node.write("auth/odd/login", token="")
        assert "batch tokens cannot" in errors(response)[0]


@with_node
async def test_the_mounts_times_count_where_the_grant_has_none(node: NodeUnderTest) -> None:
    odd = await mount_odd(node, TokenGrant(display_name="a"))
    await node.ok("sys/auth/odd/tune", {"default_lease_ttl": "10m", "max_lease_ttl": "1h"})
    node.core.forget()
    assert (await _login(node))["lease_duration"] == 600
    odd.grant = TokenGrant(display_name="a", ttl=7200)
    assert (await _login(node))["lease_duration"] == 3600
    odd.grant = TokenGrant(display_name="a", ttl=7200, max_ttl=120)
    assert (await _login(node))["lease_duration"] == 120
