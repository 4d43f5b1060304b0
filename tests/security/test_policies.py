"""Attacks on policies and paths (security cases 29 and 34 to 36)."""

from typing import Any

import pytest

from tests.node import NodeUnderTest, errors, with_node
from tests.odd import mount_odd
from wardgate.core.operation import Operation
from wardgate.core.request import TokenGrant


@pytest.mark.parametrize("name", ["root", "Root", " ROOT", "root "])
def test_29_no_login_gives_root(name: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await mount_odd(node, TokenGrant(display_name="a", policies=("x", name)))
        before = await node.keys_below("token/")
        response = await node.write("auth/odd/login", token="")
        assert errors(response) == ["auth methods cannot create root tokens"]
        assert response.auth is None
        assert await node.keys_below("token/") == before

    body()


@pytest.mark.parametrize("name", ["root", "Root", " ROOT", "root ", "\troot"])
def test_29_no_user_and_no_role_leads_to_root(name: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.user(token_policies=[name])
        assert (await node.login()).auth is None
        await node.ok("auth/token/roles/r", {"allowed_policies": [name, "x"]})
        await node.policy("maker", {"auth/token/create/*": "update,sudo"})
        maker = (await node.token(policies=["maker"]))["client_token"]
        bodies: tuple[dict[str, Any], ...] = ({}, {"policies": [name]}, {"policies": ["x", name]})
        for fields in bodies:
            made = await node.write("auth/token/create/r", {"ttl": "1h", **fields}, token=maker)
            assert made.auth is None, fields

    body()


@pytest.mark.parametrize("name", ["*", "+", "a/*", "x,y", "a/b", "a+b", "+/secret"])
def test_34_a_name_with_special_characters_opens_nothing_more(name: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.ok("sys/mounts/kv", {"type": "kv"})
        for path in ("kv/users/ada/secret", "kv/users/x/secret"):
            await node.ok(path, {"a": "b"})
        await mount_odd(node, TokenGrant(display_name="x", alias=name, policies=("own",)))
        accessor = (await node.read("sys/auth/odd")).data["accessor"]
        text = "{{identity.entity.aliases." + accessor + ".name}}"
        await node.policy("own", {f"kv/users/{text}/*": "read", f"kv/users/{text}": "list"})
        login = await node.write("auth/odd/login", token="")
        assert login.auth is not None
        token = login.auth["client_token"]
        for path in ("kv/users/ada/secret", "kv/users/x/secret"):
            assert (await node.read(path, token=token)).status == 403
        assert (await node.listing("kv/users/ada", token=token)).status == 403

    body()


@with_node
async def test_35_a_list_obeys_a_more_specific_deny(node: NodeUnderTest) -> None:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    await node.ok("kv/team/private/a", {"b": "c"})
    await node.policy("p", {"kv/team/*": "list,read", "kv/team/private/*": "deny"})
    await node.policy("q", {"kv/team/*": "list,read", "kv/team/private": "deny"})
    for policy in ("p", "q"):
        token = (await node.token(policies=[policy]))["client_token"]
        assert (await node.listing("kv/team/", token=token)).status == 200
        path = "kv/team/private/" if policy == "p" else "kv/team/private"
        assert (await node.listing(path, token=token)).status == 403
    assert (await node.listing("kv/team/private/", token=token)).status in (200, 403)


@with_node
async def test_35_no_limit_gets_round_a_pagination_limit(node: NodeUnderTest) -> None:
    text = 'path "auth/userpass/users" { capabilities = ["list"]\npagination_limit = 2 }'
    await node.ok("sys/policies/acl/p", {"policy": text})
    for name in ("a", "b", "c"):
        await node.user(name)
    token = (await node.token(policies=["p"]))["client_token"]
    path = "auth/userpass/users"
    assert (await node.listing(path, token=token, query={"limit": "2"})).data["keys"] == ["a", "b"]
    for query in (None, {"limit": "0"}, {"limit": "-1"}, {"limit": "3"}, {"limit": ""}):
        response = await node.listing(path, token=token, query=query)
        assert response.status == 403 or len(response.data["keys"]) <= 2, query


@with_node
async def test_35_a_limit_holds_for_a_list_under_any_name(node: NodeUnderTest) -> None:
    """sys/policy gives its list as `keys` and as `policies`."""
    text = 'path "sys/policy" { capabilities = ["list"]\npagination_limit = 1 }'
    await node.ok("sys/policies/acl/p", {"policy": text})
    token = (await node.token(policies=["p"]))["client_token"]
    shown = (await node.listing("sys/policy", token=token)).data
    assert shown == {"keys": ["default"], "policies": ["default"]}


@pytest.mark.parametrize(
    "path",
    [
        "allowed/../denied/a",
        "allowed/./../denied/a",
        "./denied/a",
        "allowed/..",
        "allowed/\\..\\denied",
        "allowed//../denied/a",
        "/denied/a",
        "allowed/a\0",
    ],
)
def test_36_no_dots_lead_out_of_a_path(path: str) -> None:
    """The wire's percent-encoding is undone before the path comes here."""

    @with_node
    async def body(node: NodeUnderTest) -> None:
        for token in ("root", None):
            for method in ("GET", "POST", "LIST", "DELETE"):
                answer = await node.http(method, f"/v1/{path}", token=token)
                assert answer.status == 400

    body()


@with_node
async def test_36_what_is_still_encoded_is_a_name_like_any_other(node: NodeUnderTest) -> None:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    await node.policy("p", {"kv/allowed/*": "create,update,read"})
    await node.ok("kv/denied", {"a": "b"})
    token = (await node.token(policies=["p"]))["client_token"]
    path = "kv/allowed/%2e%2e/denied"
    assert (await node.read(path, token=token)).status == 404
    written = await node.call(Operation.UPDATE, path, {"c": "d"}, token=token)
    assert written.status == 204
    assert (await node.read("kv/denied")).data == (await node.read("kv/denied")).data
