"""AppRole: what is stored, counted down and cleared away. The conformance tests show the answers."""

import asyncio
import json
from typing import Any

import pytest

from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.request import Response

ROLE = "auth/approle/role/app"
WRONG = ["invalid role or secret ID"]


async def prepared(node: NodeUnderTest, **fields: Any) -> None:
    """The role "app" with the id "app-id"."""
    await node.ok("sys/auth/approle", {"type": "approle"})
    await node.ok(ROLE, {"role_id": "app-id", "token_policies": "app", **fields})


async def secret_id(node: NodeUnderTest, role: str = ROLE, **fields: Any) -> dict[str, Any]:
    data: dict[str, Any] = (await node.ok(f"{role}/secret-id", fields)).data
    return data


async def login(node: NodeUnderTest, secret: str, role_id: str = "app-id") -> Response:
    body = {"role_id": role_id, "secret_id": secret}
    return await node.write("auth/approle/login", body, token="")


async def looked_up(node: NodeUnderTest, accessor: str) -> dict[str, Any]:
    path = f"{ROLE}/secret-id-accessor/lookup"
    data: dict[str, Any] = (await node.ok(path, {"secret_id_accessor": accessor})).data
    return data


async def kept(node: NodeUnderTest) -> list[str]:
    """What the storage has of secret ids, below the mount."""
    keys = await node.keys_below("mount/")
    folders = ("secret-id/", "accessor/", "expiry/", "gone/")
    return [key for key in keys if key.split("/", 2)[2].startswith(folders)]


@with_node
async def test_neither_role_ids_nor_secret_ids_are_stored_as_they_are(node: NodeUnderTest) -> None:
    await prepared(node)
    made = await secret_id(node)
    await node.ok(f"{ROLE}/custom-secret-id", {"secret_id": "chosen by hand"})

    keys = " ".join(await node.keys_below("mount/"))
    assert made["secret_id"] not in keys
    assert "chosen" not in keys
    assert "app-id" not in keys


@with_node
async def test_a_login_is_one_commit(node: NodeUnderTest) -> None:
    await prepared(node)
    made = await secret_id(node, num_uses=2, ttl=60)
    for _ in range(2):
        before = await node.store.revision()
        assert (await login(node, made["secret_id"])).status == 200
        assert await node.store.revision() == before + 1
    assert await kept(node) == []


@with_node
async def test_a_secret_id_for_some_uses_is_used_that_often_at_once(node: NodeUnderTest) -> None:
    await prepared(node)
    made = await secret_id(node, num_uses=7)

    answers = await asyncio.gather(*(login(node, made["secret_id"]) for _ in range(40)))

    statuses = [answer.status for answer in answers]
    assert statuses.count(200) == 7
    assert set(statuses) == {200, 400, 403}  # too many wrong ones lock the role out


@with_node
async def test_a_refused_login_costs_no_use_and_writes_nothing(node: NodeUnderTest) -> None:
    await prepared(node)
    made = await secret_id(node, num_uses=1, cidr_list="10.0.0.0/8")
    before = await node.store.revision()

    assert "source address" in errors(await login(node, made["secret_id"]))[0]
    assert await node.store.revision() == before
    assert (await looked_up(node, made["secret_id_accessor"]))["secret_id_num_uses"] == 1


@with_node
async def test_a_login_with_any_number_of_uses_notes_the_minute(node: NodeUnderTest) -> None:
    await prepared(node)
    made = await secret_id(node)
    accessor = made["secret_id_accessor"]
    assert (await looked_up(node, accessor))["last_used_time"].startswith("0001-")

    await login(node, made["secret_id"])
    first = (await looked_up(node, accessor))["last_used_time"]
    node.clock.advance(59)
    await login(node, made["secret_id"])
    assert (await looked_up(node, accessor))["last_used_time"] == first
    node.clock.advance(1)
    await login(node, made["secret_id"])
    assert (await looked_up(node, accessor))["last_used_time"] > first


@with_node
async def test_an_ended_secret_id_is_dead_at_once_and_swept_away(node: NodeUnderTest) -> None:
    await prepared(node)
    made = await secret_id(node, ttl=60)
    lasting = await secret_id(node)
    node.clock.advance(60)

    assert errors(await login(node, made["secret_id"])) == WRONG
    body = {"secret_id": made["secret_id"]}
    assert (await node.write(f"{ROLE}/secret-id/lookup", body)).status == 204
    await node.sweep()
    accessors = (await node.listing(f"{ROLE}/secret-id")).data["keys"]
    assert accessors == [lasting["secret_id_accessor"]]
    assert len(await kept(node)) == 2


@with_node
async def test_a_chosen_secret_id_may_be_given_again_when_it_has_ended(node: NodeUnderTest) -> None:
    await prepared(node)
    chosen = {"secret_id": "chosen", "ttl": 60}
    await node.ok(f"{ROLE}/custom-secret-id", chosen)
    assert errors(await node.write(f"{ROLE}/custom-secret-id", chosen))
    node.clock.advance(60)
    await node.ok(f"{ROLE}/custom-secret-id", {**chosen, "ttl": 600})

    await node.sweep()
    assert (await login(node, "chosen")).status == 200
    assert len((await node.listing(f"{ROLE}/secret-id")).data["keys"]) == 1


@with_node
async def test_a_deleted_roles_secret_ids_do_not_come_back_with_its_name(
    node: NodeUnderTest,
) -> None:
    await prepared(node)
    secrets = [await secret_id(node, ttl=600 * (number % 2)) for number in range(250)]
    await node.delete(ROLE)
    await node.ok(ROLE, {"role_id": "app-id"})

    for made in secrets[:3]:
        assert errors(await login(node, made["secret_id"])) == WRONG
    assert (await node.listing(f"{ROLE}/secret-id")).status == 404
    await node.sweep()
    assert await kept(node) == []


@with_node
async def test_a_new_role_id_takes_the_place_of_the_old_one(node: NodeUnderTest) -> None:
    await prepared(node)
    made = await secret_id(node)
    await node.ok(f"{ROLE}/role-id", {"role_id": "new-id"})

    assert errors(await login(node, made["secret_id"])) == WRONG
    assert (await login(node, made["secret_id"], "new-id")).status == 200
    await node.ok("auth/approle/role/other", {"role_id": "app-id"})  # it is free again


@with_node
async def test_narrower_blocks_of_the_role_hold_for_older_secret_ids(node: NodeUnderTest) -> None:
    await prepared(node, token_bound_cidrs="127.0.0.0/8")
    made = await secret_id(node, token_bound_cidrs="127.0.0.0/16")
    await node.ok(ROLE, {"token_bound_cidrs": "127.0.0.1,10.0.0.0/8"})

    auth = (await login(node, made["secret_id"])).auth
    assert auth is not None
    looked = await node.ok("auth/token/lookup", {"token": auth["client_token"]})
    assert looked.data["bound_cidrs"] == ("127.0.0.1",)


@with_node
async def test_a_role_needs_a_condition_whichever_path_takes_it_away(node: NodeUnderTest) -> None:
    await prepared(node, bind_secret_id=False, secret_id_bound_cidrs="127.0.0.0/8")

    for path in ("secret-id-bound-cidrs", "bound-cidr-list"):
        assert "constraint" in errors(await node.delete(f"{ROLE}/{path}"))[0]
    assert (await login(node, "")).status == 200


@pytest.mark.parametrize(
    ("given", "metadata"),
    [
        ('{"team": "a", "host": "b"}', {"team": "a", "host": "b"}),
        ("team=a, host=b", {"team": "a", "host": "b"}),
        ("eyJ0ZWFtIjogImEifQ==", {"team": "a"}),
        ("dGVhbT1h", {"team": "a"}),
        ("url=a=b", {"url": "a=b"}),
        ("", {}),
    ],
)
def test_metadata_is_read_in_all_forms_that_clients_write(
    given: str, metadata: dict[str, str]
) -> None:
    @with_node
    async def run(node: NodeUnderTest) -> None:
        await prepared(node)
        made = await secret_id(node, metadata=given)
        auth = (await login(node, made["secret_id"])).auth
        assert auth is not None
        assert auth["metadata"] == {**metadata, "role_name": "app"}

    run()


@with_node
async def test_metadata_does_not_change_whose_login_it_is(node: NodeUnderTest) -> None:
    await prepared(node)
    made = await secret_id(node, metadata='{"role_name": "admin"}')

    auth = (await login(node, made["secret_id"])).auth
    assert auth is not None
    assert auth["metadata"] == {"role_name": "app"}


@with_node
async def test_rate_limits_know_the_role_of_a_login(node: NodeUnderTest) -> None:
    await prepared(node)
    made = await secret_id(node)
    await node.ok("auth/approle/role/other", {"role_id": "other-id"})
    other = await secret_id(node, "auth/approle/role/other")
    limit = {"path": "auth/approle/", "role": "app", "rate": 2, "interval": 60}
    await node.ok("sys/quotas/rate-limit/few", limit)

    assert [(await login(node, made["secret_id"])).status for _ in range(3)] == [200, 200, 429]
    assert (await login(node, other["secret_id"], "other-id")).status == 200


@with_node
async def test_another_role_of_the_same_name_renews_no_tokens_of_the_first(
    node: NodeUnderTest,
) -> None:
    await prepared(node, token_ttl="1h")
    auth = (await login(node, (await secret_id(node))["secret_id"])).auth
    assert auth is not None
    assert (await node.write("auth/token/renew-self", token=auth["client_token"])).status == 200
    await node.delete(ROLE)
    await node.ok(ROLE, {"role_id": "app-id", "token_policies": "app"})

    refused = await node.write("auth/token/renew-self", token=auth["client_token"])
    assert "no longer exists" in errors(refused)[0]


@pytest.mark.parametrize("spelt", [12345, " 12345", "12345" + " " * 5000, "12345"])
def test_all_spellings_of_a_role_id_share_lockout_and_rate_limits(spelt: Any) -> None:
    @with_node
    async def run(node: NodeUnderTest) -> None:
        await prepared(node)
        await node.ok(f"{ROLE}/role-id", {"role_id": "12345"})
        made = await secret_id(node)
        body = {"role_id": spelt, "secret_id": "wrong"}
        for _ in range(5):
            assert (await node.write("auth/approle/login", body, token="")).status == 400
        assert (await login(node, made["secret_id"], "12345")).status == 403
        node.clock.advance(1000)
        limit = {"path": "auth/approle/", "role": "app", "rate": 1, "interval": 60}
        await node.ok("sys/quotas/rate-limit/few", limit)
        body["secret_id"] = made["secret_id"]
        statuses = [
            (await node.write("auth/approle/login", body, token="")).status for _ in range(2)
        ]
        assert statuses == [200, 429]

    run()


@with_node
async def test_nobody_locks_a_role_out_from_where_it_is_not_for(node: NodeUnderTest) -> None:
    await prepared(node, secret_id_bound_cidrs="10.0.0.0/8")
    made = await secret_id(node)
    for _ in range(6):
        assert "source address" in errors(await login(node, "wrong"))[0]
    inside = {"role_id": "app-id", "secret_id": made["secret_id"]}
    answer = await node.write("auth/approle/login", inside, token="", peer="10.0.0.1:1")
    assert answer.status == 200


@pytest.mark.parametrize(
    "metadata",
    [
        {f"key{number}": "x" for number in range(65)},
        {"": "x"},
        {"k" * 129: "x"},
        {"key": "x" * 513},
    ],
)
def test_metadata_is_bounded(metadata: dict[str, str]) -> None:
    @with_node
    async def run(node: NodeUnderTest) -> None:
        await prepared(node)
        refused = await node.write(f"{ROLE}/secret-id", {"metadata": json.dumps(metadata)})
        assert errors(refused)[0].startswith("metadata: ")

    run()
