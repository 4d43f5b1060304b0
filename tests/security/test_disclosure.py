"""What must not be told (security cases 40 to 42)."""

import json
import logging
from typing import Any

import pytest

from tests.node import NodeUnderTest, with_node

SECRET = "hunter2-Zq9"

WRONG: list[tuple[str, str, Any]] = [
    ("POST", "sys/init", {"secret_shares": SECRET}),
    ("POST", "sys/unseal", {"key": SECRET}),
    ("POST", "sys/unseal", {"key": "ok", "reset": SECRET}),
    ("POST", "auth/userpass/login/ada", {"password": SECRET}),
    ("POST", "auth/userpass/login/ada", {"password": [SECRET]}),
    ("POST", "auth/userpass/users/ada", {"password": {"a": SECRET}}),
    ("POST", "auth/userpass/users/ada", {"password": SECRET * 20}),
    ("POST", "auth/userpass/users/ada", {"token_ttl": SECRET}),
    ("POST", "auth/userpass/users/ada", {"token_bound_cidrs": SECRET}),
    ("POST", "auth/userpass/users/ada", {"token_type": SECRET}),
    ("POST", "auth/userpass/users/ada", {"token_num_uses": SECRET}),
    ("POST", "auth/token/create", {"id": f"s.{SECRET}"}),
    ("POST", "auth/token/create", {"ttl": SECRET}),
    ("POST", "auth/token/create", {"type": SECRET}),
    ("POST", "auth/token/create", {"meta": [SECRET]}),
    ("POST", "auth/token/create", {"entity_alias": SECRET}),
    ("POST", "auth/token/lookup", {"token": SECRET}),
    ("POST", "auth/token/renew", {"token": SECRET}),
    ("POST", "auth/token/revoke-orphan", {"token": SECRET}),
    ("POST", "auth/token/lookup-accessor", {"accessor": SECRET}),
    ("POST", "sys/capabilities", {"token": SECRET, "paths": ["a"]}),
    ("POST", "sys/policies/acl/p", {"policy": SECRET}),
    ("POST", "sys/policies/acl/p", {"policy": f'path "a" {{ capabilities = ["{SECRET}"] }}'}),
    ("POST", "sys/policies/acl/p", {"policy": f'{{"path": {{"a": "{SECRET}"}}}}'}),
    ("POST", "sys/policies/acl/p", {"policy": 'path "a" {}', "expiration": SECRET}),
    ("POST", "sys/policies/acl/p", {"policy": 'path "a" {}', "cas": SECRET}),
    ("POST", "sys/policies/password/p", {"policy": SECRET}),
    ("POST", "sys/policies/password/p", {"policy": f'{{"length": "{SECRET}"}}'}),
    ("POST", "sys/mounts/kv", {"type": "kv", "options": SECRET}),
    ("POST", "sys/mounts/kv", {"type": SECRET}),
    ("POST", "sys/mounts/kv", {"type": "kv", "config": {"max_lease_ttl": SECRET}}),
    ("POST", "sys/mounts/sys/tune", {"default_lease_ttl": SECRET}),
    ("POST", "sys/auth/userpass/tune", {"token_type": SECRET}),
    ("POST", "sys/remount", {"from": [SECRET], "to": "b"}),
]
RAW = [
    f'{{"password": "{SECRET}"',
    f'{{"password": {SECRET}}}',
    f'["{SECRET}"]',
    f'"{SECRET}"',
    '{"a":' * 200 + f'"{SECRET}"' + "}" * 200,
    f'{{"a": "\\ud800{SECRET}"}}',
]


@pytest.mark.parametrize(("method", "path", "body"), WRONG)
def test_40_no_refusal_repeats_a_value(method: str, path: str, body: Any) -> None:
    @with_node
    async def test(node: NodeUnderTest) -> None:
        await node.user("ada")
        answer = await node.http(method, f"/v1/{path}", body)
        assert answer.status >= 400, answer.body
        assert SECRET.encode() not in answer.body

    test()


@pytest.mark.parametrize("body", RAW)
@pytest.mark.parametrize("path", ["sys/init", "auth/token/create", "auth/userpass/login/ada", "x"])
def test_40_no_malformed_body_is_repeated(path: str, body: str) -> None:
    @with_node
    async def test(node: NodeUnderTest) -> None:
        for content_type in ("application/json", "application/x-www-form-urlencoded"):
            answer = await node.http(
                "POST", f"/v1/{path}", body.encode(), headers={"Content-Type": content_type}
            )
            values = json.loads(answer.body).get("errors", [])
            assert answer.status >= 400 or content_type != "application/json"
            assert SECRET not in "".join(values)

    test()


@with_node
async def test_40_no_header_is_repeated(node: NodeUnderTest) -> None:
    for headers in (
        {"X-Vault-Token": SECRET},
        {"X-Vault-Token": "", "Authorization": f"Bearer {SECRET}"},
        {"X-Vault-Wrap-TTL": SECRET},
    ):
        answer = await node.http("GET", "/v1/sys/mounts", headers=headers)
        assert answer.status in (400, 403)
        assert SECRET.encode() not in answer.body


@with_node
async def test_41_unknown_and_forbidden_mounts_look_the_same(node: NodeUnderTest) -> None:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    await node.ok("sys/auth/userpass", {"type": "userpass"})
    default = (await node.token(policies=["default"]))["client_token"]
    for token in (None, "s.unknown", "b.AAAA", default):
        for method in ("GET", "LIST", "POST", "DELETE", "PATCH"):
            headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
            answers = {
                (answer.status, answer.body)
                for path in ("kv/a", "never/a", "auth/userpass/users/ada", "auth/never/users/ada")
                for answer in [
                    await node.http(method, f"/v1/{path}", b"{}", token=token, headers=headers)
                ]
            }
            assert answers == {(403, b'{"errors":["permission denied"]}')}, (method, token)


def test_42_no_log_holds_a_secret(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when all goes well nor when something breaks with the secret in its hands."""
    caplog.set_level(logging.DEBUG)

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.user("ada", SECRET)
        login = await node.login("ada", SECRET)
        assert login.auth is not None
        token = login.auth["client_token"]
        await node.http("POST", "/v1/cubbyhole/a", {"b": SECRET}, token=token)
        await node.http(
            "POST", "/v1/auth/token/create", {"ttl": SECRET}, token=token, query=f"x={SECRET}"
        )

        def broken(*arguments: object) -> None:
            raise RuntimeError(f"cannot work with {SECRET} and {token}")

        monkeypatch.setattr("wardgate.auth.userpass._verify", broken)
        failed = await node.http("POST", "/v1/auth/userpass/login/ada", {"password": SECRET})
        assert (failed.status, failed.json()) == (500, {"errors": ["internal error"]})
        assert token not in caplog.text
        for key in node.keys:
            assert key.hex() not in caplog.text

    body()
    assert "path='/v1/auth/token/create'" in caplog.text
    assert "RuntimeError" in caplog.text
    assert SECRET not in caplog.text


@with_node
async def test_41_unknown_and_forbidden_mounts_look_the_same_to_the_system(
    node: NodeUnderTest,
) -> None:
    """Also where a mount is named in the path of another endpoint."""
    await node.ok("sys/mounts/kv", {"type": "kv"})
    await node.ok("sys/auth/userpass", {"type": "userpass"})
    default = (await node.token(policies=["default"]))["client_token"]
    for token in (None, "s.unknown", default):
        for method, path in (
            ("GET", "sys/mounts/{}"),
            ("GET", "sys/mounts/{}/tune"),
            ("POST", "sys/mounts/{}"),
            ("DELETE", "sys/mounts/{}"),
            ("GET", "sys/auth/{}"),
            ("GET", "sys/auth/{}/tune"),
            ("GET", "sys/internal/ui/mounts/{}"),
            ("GET", "sys/internal/ui/mounts/{}/a/b"),
            ("GET", "{}/config"),
            ("GET", "auth/{}/users"),
        ):
            answers = {
                (answer.status, answer.body, tuple(answer.headers))
                for name in ("kv", "userpass", "never")
                for answer in [
                    await node.http(method, f"/v1/{path.format(name)}", b"{}", token=token)
                ]
            }
            assert len(answers) == 1, (method, path, token)
            assert {status for status, *_ in answers} == {403}
