"""Ways round a policy that other spellings, queries and wrapping once offered."""

import pytest

from tests.node import NodeUnderTest, with_node

READ_A = 'path "a" { capabilities = ["read"] }'


@pytest.mark.parametrize("name", ["ADA", "aDA", " ada", "ada ", "Ada"])
@pytest.mark.parametrize("below", ["", "/password", "/policies"])
def test_a_deny_on_a_user_holds_in_every_spelling(name: str, below: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.ok("sys/auth/userpass", {"type": "userpass"})
        await node.ok("auth/userpass/users/ada", {"password": "right"})
        token = await node.policy_token(
            'path "auth/userpass/users/*" { capabilities = ["create", "read", "update"] }'
            'path "auth/userpass/users/ada" { capabilities = ["deny"] }'
            'path "auth/userpass/users/ada/*" { capabilities = ["deny"] }'
        )
        path = f"auth/userpass/users/{name}{below}"
        assert (await node.write(path, {"password": "mine"}, token=token)).status == 403
        assert (await node.read(path, token=token)).status in (403, 405)
        await node.ok("auth/userpass/login/ada", {"password": "right"}, token="")

    body()


@pytest.mark.parametrize(
    "path", ["sys/policies/acl/ADMIN", "sys/policy/Admin", "sys/policy/ admin "]
)
def test_a_deny_on_a_policy_holds_in_every_spelling(path: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        token = await node.policy_token(
            'path "sys/policies/acl/*" { capabilities = ["create", "read", "update", "delete"] }'
            'path "sys/policies/acl/admin" { capabilities = ["deny"] }'
            'path "sys/policy/*" { capabilities = ["create", "read", "update", "delete"] }'
            'path "sys/policy/admin" { capabilities = ["deny"] }'
        )
        assert (await node.write(path, {"policy": READ_A}, token=token)).status == 403
        assert (await node.delete(path, token=token)).status == 403
        assert (await node.read("sys/policies/acl/admin")).status == 404

    body()


@with_node
async def test_wrapping_does_not_uncover_what_a_filter_hides(node: NodeUnderTest) -> None:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    for name in ("hid", "vis"):
        await node.ok(f"kv/{name}", {"x": "y"})
    token = await node.policy_token(
        'path "kv/" { capabilities = ["list"]'
        ' list_scan_response_keys_filter_path = "kv/{{ .key }}" }'
        'path "kv/vis" { capabilities = ["read"] }'
    )
    plain = await node.listing("kv", token=token)
    assert plain.data["keys"] == ["vis"]
    wrapped = await node.http("LIST", "/v1/kv", token=token, headers={"X-Vault-Wrap-TTL": "60"})
    wrapping_token = wrapped.json()["wrap_info"]["token"]
    unwrapped = await node.http("POST", "/v1/sys/wrapping/unwrap", token=wrapping_token)
    assert unwrapped.json()["data"]["keys"] == ["vis"]


@with_node
async def test_the_query_of_a_write_does_not_stand_in_for_its_body(node: NodeUnderTest) -> None:
    token = await node.policy_token(
        'path "auth/token/create" { capabilities = ["update"] required_parameters = ["ttl"] }'
    )
    answer = await node.http("POST", "/v1/auth/token/create", token=token, query="ttl=1h")
    assert answer.status == 403
    answer = await node.http("POST", "/v1/auth/token/create", {"ttl": "1h"}, token=token)
    assert answer.status == 200


@with_node
async def test_an_orphan_leaves_its_makers_entity_behind(node: NodeUnderTest) -> None:
    await node.user(token_policies="maker")
    await node.ok(
        "sys/policies/acl/maker",
        {"policy": 'path "auth/token/create*" { capabilities = ["update", "sudo"] }'},
    )
    login = (await node.login()).auth
    assert login is not None
    token = login["client_token"]
    child = await node.ok("auth/token/create", {}, token=token)
    assert child.auth is not None
    assert child.auth["entity_id"] == login["entity_id"] != ""
    for path, body in (
        ("auth/token/create-orphan", {}),
        ("auth/token/create", {"no_parent": True}),
    ):
        orphan = await node.ok(path, body, token=token)
        assert orphan.auth is not None
        assert orphan.auth["entity_id"] == ""


@with_node
async def test_unwrapping_for_somebody_else_is_a_use(node: NodeUnderTest) -> None:
    caller = (await node.token(policies=["default"], num_uses=1))["client_token"]
    tokens = []
    for _ in range(2):
        wrapped = await node.http(
            "POST", "/v1/sys/wrapping/wrap", {"a": "b"}, headers={"X-Vault-Wrap-TTL": "60"}
        )
        tokens.append(wrapped.json()["wrap_info"]["token"])
    first = await node.write("sys/wrapping/unwrap", {"token": tokens[0]}, token=caller)
    second = await node.write("sys/wrapping/unwrap", {"token": tokens[1]}, token=caller)
    assert (first.status, second.status) == (200, 403)


@with_node
async def test_a_pagination_limit_bounds_every_list(node: NodeUnderTest) -> None:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    for name in "abc":
        await node.ok(f"kv/{name}", {"x": "y"})
        await node.ok(f"auth/token/roles/{name}", {})
    token = await node.policy_token(
        'path "kv/" { capabilities = ["list", "scan"] pagination_limit = 2 }'
        'path "auth/token/roles/" { capabilities = ["list"] pagination_limit = 2 }'
    )
    for method, path in (("LIST", "kv/"), ("SCAN", "kv/"), ("LIST", "auth/token/roles/")):
        answer = await node.http(method, f"/v1/{path}", token=token)
        assert answer.json()["data"]["keys"] == ["a", "b"], (method, path)
        assert answer.json()["warnings"] is None


@pytest.mark.parametrize("value", [2, -1, "2", "yes", [True]])
def test_a_flag_is_true_or_false_and_nothing_else(value: object) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        assert (await node.write("auth/token/create", {"no_parent": value})).status == 400

    body()
