"""Tokens are leases too: they are listed, looked up and revoked by a lease id that tells nothing."""

from typing import Any

from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.leases.places import LEASES
from wardgate.core.request import Response


async def _leases(node: NodeUnderTest, prefix: str = "") -> list[str]:
    answer = await node.listing(f"sys/leases/lookup/{prefix}")
    return [] if answer.status == 404 else list(answer.data["keys"])


async def _lookup(node: NodeUnderTest, lease_id: str) -> Response:
    return await node.write("sys/leases/lookup", {"lease_id": lease_id})


async def _made(node: NodeUnderTest, **fields: Any) -> tuple[str, str]:
    """A new token and its lease id."""
    before = set(await _leases(node, "auth/token/create"))
    token = (await node.token(**fields))["client_token"]
    (new,) = set(await _leases(node, "auth/token/create")) - before
    return token, f"auth/token/create/{new}"


@with_node
async def test_a_new_server_has_no_leases(node: NodeUnderTest) -> None:
    assert (await node.listing("sys/leases/lookup")).status == 404


@with_node
async def test_a_token_is_shown_as_a_lease(node: NodeUnderTest) -> None:
    token, lease_id = await _made(node, ttl="1h")
    assert token not in lease_id
    assert (await _lookup(node, lease_id)).data == {
        "expire_time": "2023-11-14T23:13:20Z",
        "id": lease_id,
        "issue_time": "2023-11-14T22:13:20Z",
        "last_renewal": None,
        "path": "auth/token/create",
        "renewable": True,
        "ttl": 3600,
    }
    node.clock.advance(600)
    await node.ok("auth/token/renew-self", {}, token=token)
    assert (await _lookup(node, lease_id)).data["last_renewal"] == "2023-11-14T22:23:20Z"
    refused = await node.write("sys/leases/renew", {"lease_id": lease_id})
    assert errors(refused) == ["tokens cannot be renewed through this endpoint"]


@with_node
async def test_revoking_the_lease_ends_the_token_and_its_children(node: NodeUnderTest) -> None:
    token, lease_id = await _made(node, ttl="1h", policies=["root"])
    child = (await node.token(by=token, ttl="1h"))["client_token"]
    await node.ok("sys/leases/revoke", {"lease_id": lease_id})
    assert not await node.lives(token)
    assert not await node.lives(child)
    assert errors(await _lookup(node, lease_id)) == ["invalid lease"]
    await node.sweep()
    assert await _leases(node) == []


@with_node
async def test_a_prefix_logs_people_out(node: NodeUnderTest) -> None:
    await node.user()
    await node.user("bob")
    logins = [await node.login(), await node.login(), await node.login("bob")]
    tokens = [login.auth["client_token"] for login in logins if login.auth]
    assert await _leases(node, "auth/userpass/login") == ["ada/", "bob/"]
    await node.ok("sys/leases/revoke-prefix/auth/userpass/login/ada")
    assert [await node.lives(token) for token in tokens] == [False, False, True]
    await node.ok("sys/leases/revoke-prefix/auth")
    assert not await node.lives(tokens[2])
    assert await node.lives("root")
    assert await _leases(node) == []


@with_node
async def test_the_path_of_a_role_is_part_of_the_lease_id(node: NodeUnderTest) -> None:
    await node.ok("auth/token/roles/ci", {"path_suffix": "team-x"})
    await node.token(path="create/ci")
    assert await _leases(node, "auth/token/create/ci") == ["team-x/"]
    assert len(await _leases(node, "auth/token/create/ci/team-x")) == 1


@with_node
async def test_wrapping_tokens_lie_at_the_path_of_what_they_wrap(node: NodeUnderTest) -> None:
    wrap = {"x-vault-wrap-ttl": "60"}
    await node.http("GET", "/v1/sys/mounts", headers=wrap)
    listed = await node.http("LIST", "/v1/sys/policies/acl", headers=wrap)
    token = listed.json()["wrap_info"]["token"]
    assert await _leases(node, "sys") == ["mounts/", "policies/"]
    (found,) = await _leases(node, "sys/policies/acl")
    shown = await _lookup(node, f"sys/policies/acl/{found}")
    assert (shown.data["renewable"], shown.data["ttl"]) == (False, 60)
    await node.ok("sys/leases/revoke-prefix/sys/policies")
    unwrapped = await node.http("PUT", "/v1/sys/wrapping/unwrap", token=token)
    assert unwrapped.status == 400


@with_node
async def test_batch_tokens_have_no_lease(node: NodeUnderTest) -> None:
    await node.token(type="batch", policies=["default"])
    assert await _leases(node) == []


@with_node
async def test_tokens_of_old_data_directories_go_on_working(node: NodeUnderTest) -> None:
    """Those that were made before tokens were leases lack their place among them."""
    token, lease_id = await _made(node, ttl="1h", policies=["root"])
    key = LEASES + lease_id
    transaction = await node.core.storage.begin()
    transaction.delete(key)
    await transaction.commit()
    assert await node.lives(token)
    assert (await _lookup(node, lease_id)).status == 200
    await node.ok("auth/token/renew-self", {}, token=token)
    child = (await node.token(by=token, ttl="1h"))["client_token"]
    await node.ok("sys/leases/revoke", {"lease_id": lease_id})
    assert not await node.lives(child)
    await node.sweep()
    assert len(await node.keys_below("token/")) == 2


@with_node
async def test_tokens_of_old_data_directories_find_their_place(node: NodeUnderTest) -> None:
    tokens = [(await node.token(ttl="1h"))["client_token"] for _ in range(250)]
    kept = await node.keys_below("lease/")
    transaction = await node.core.storage.begin()
    for key in (*kept, "core/leased-tokens"):
        transaction.delete(key)
    await transaction.commit()
    await node.core.sweeper.round()  # and here the process dies
    other = await node.another()
    await other.sweep()
    assert await node.keys_below("lease/") == kept
    await node.ok("sys/leases/revoke-prefix/auth/token")
    assert [await node.lives(token) for token in tokens[::50]] == [False] * 5
    assert await node.lives("root")


@with_node
async def test_a_lease_id_is_taken_as_it_is(node: NodeUnderTest) -> None:
    _, lease_id = await _made(node, ttl="1h")
    path, _, suffix = lease_id.rpartition("/")
    wrong = (
        suffix,
        f"{lease_id}/",
        f"/{lease_id}",
        f"auth//token/create/{suffix}",
        f"auth/token/{suffix}",
        f"other/{suffix}",
        f"{path}/{suffix.upper()}",
        f"{path}/{suffix}0",
        f"{path}/{suffix[1:]}",
        f"{path}/h",
        "/",
        "\0/\0",
        "\ud800/x",
        "x" * 5000 + "/x",
        "a/" * 3000 + "b",
    )
    for text in wrong:
        assert errors(await _lookup(node, text)) == ["invalid lease"], text
        assert (await node.write("sys/leases/revoke", {"lease_id": text})).status == 204
        assert errors(await node.write("sys/leases/renew", {"lease_id": text})) == [
            "lease not found"
        ]
    assert (await _lookup(node, lease_id)).status == 200
