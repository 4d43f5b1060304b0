"""Userpass: users, passwords, logins and renewals."""

from typing import Any

import pytest

from tests.node import NodeUnderTest, errors, with_node
from wardgate.auth.userpass import USER, USERS

USER_PATH = "auth/userpass/users/ada"
WRONG = ["invalid username or password"]


async def _logged_in(node: NodeUnderTest, **options: Any) -> dict[str, Any]:
    response = await node.login(**options)
    assert response.status == 200, response.data
    assert response.auth is not None
    return response.auth


@with_node
async def test_a_login_gives_a_token_with_the_users_settings(node: NodeUnderTest) -> None:
    await node.user(token_policies="dev, Ops", token_ttl="10m", token_num_uses=5)
    auth = await _logged_in(node)
    assert auth["policies"] == ["default", "dev", "ops"]
    assert (auth["lease_duration"], auth["num_uses"], auth["orphan"]) == (600, 5, True)
    assert auth["metadata"] == {"username": "ada"}
    looked = await node.ok("auth/token/lookup", {"token": auth["client_token"]})
    assert looked.data["display_name"] == "userpass-ada"
    assert looked.data["path"] == "auth/userpass/login/ada"


@with_node
async def test_a_wrong_password_and_an_unknown_user_are_answered_alike(node: NodeUnderTest) -> None:
    await node.user()
    for name, password in (("ada", "wrong"), ("bob", "correct horse"), ("ada", "Correct horse")):
        response = await node.login(name, password)
        assert (response.status, errors(response)) == (400, WRONG)
    assert errors(await node.login("ada", "")) == errors(await node.login("bob", ""))


@with_node
async def test_a_password_is_stored_as_a_bcrypt_hash_only(node: NodeUnderTest) -> None:
    await node.user(password="correct horse")
    transaction = await node.core.storage.begin()
    mount = (await node.core.mounts.table(transaction)).by_path["auth/userpass/"]
    user = await transaction.get(f"{mount.storage_prefix}{USERS}ada", USER)
    assert user is not None
    assert user.password_hash.startswith(b"$2b$10$")
    shown = (await node.read(USER_PATH)).data
    assert not {name for name in shown if "password" in name or "hash" in name}


@with_node
async def test_a_password_has_at_most_72_bytes_and_all_of_them_count(node: NodeUnderTest) -> None:
    longest = "x" * 71 + "y"
    await node.user(password=longest)
    await _logged_in(node, password=longest)
    for password in ("x" * 72, longest + "z", longest * 2, longest[:-1]):
        assert errors(await node.login(password=password)) == WRONG
    for password in ("x" * 73, "é" * 37):
        for path, body in (
            (USER_PATH, {"password": password}),
            (f"{USER_PATH}/password", {"password": password}),
        ):
            assert errors(await node.write(path, body)) == ["password: at most 72 bytes"]
    await _logged_in(node, password=longest)


@with_node
async def test_a_password_may_have_any_characters(node: NodeUnderTest) -> None:
    for password in ("é日本", "\0nul", " spaces ", "\n"):
        await node.user(password=password)
        await _logged_in(node, password=password)
        assert errors(await node.login(password=password + "x")) == WRONG


@with_node
async def test_a_new_password_replaces_the_old_one_and_leaves_tokens(node: NodeUnderTest) -> None:
    await node.user()
    token = (await _logged_in(node))["client_token"]
    await node.ok(f"{USER_PATH}/password", {"password": "new"})
    assert errors(await node.login()) == WRONG
    await _logged_in(node, password="new")
    assert await node.lives(token)


@with_node
async def test_writing_a_user_keeps_what_is_not_given(node: NodeUnderTest) -> None:
    await node.user(token_policies="dev", token_ttl="10m")
    await node.ok(USER_PATH, {"token_ttl": "20m"})
    shown = (await node.read(USER_PATH)).data
    assert (shown["token_policies"], shown["token_ttl"]) == (("dev",), 1200)
    await _logged_in(node)
    await node.ok(f"{USER_PATH}/policies", {"token_policies": "ops"})
    assert (await _logged_in(node))["policies"] == ["default", "ops"]


@with_node
async def test_old_names_are_taken_and_shown_while_they_were_the_last(node: NodeUnderTest) -> None:
    await node.user(policies="dev", ttl="10m")
    shown = (await node.read(USER_PATH)).data
    assert (shown["policies"], shown["token_policies"]) == (("dev",), ("dev",))
    assert (shown["ttl"], shown["token_ttl"]) == (600, 600)
    await node.ok(USER_PATH, {"policies": "old", "token_policies": "new"})
    assert (await node.read(USER_PATH)).data["token_policies"] == ("new",)
    await node.ok(USER_PATH, {"token_policies": "newer"})
    shown = (await node.read(USER_PATH)).data
    assert shown["token_policies"] == ("newer",)
    assert "policies" not in shown


@pytest.mark.parametrize(
    "body",
    [
        {"token_type": "hunter2"},
        {"token_num_uses": -1},
        {"token_ttl": "2h", "token_max_ttl": "1h"},
        {"token_type": "batch", "token_num_uses": 1},
        {"token_type": "batch", "token_period": "1h"},
        {"token_bound_cidrs": "hunter2"},
        {"token_bound_cidrs": "10.0.0.0/8", "token_strictly_bind_ip": True},
        {"token_policies": "response-wrapping"},
        {"token_ttl": "hunter2"},
    ],
)
def test_settings_that_cannot_be_are_refused(body: dict[str, Any]) -> None:
    @with_node
    async def test(node: NodeUnderTest) -> None:
        await node.user()
        before = (await node.read(USER_PATH)).data
        message = errors(await node.write(USER_PATH, body))[0]
        assert "hunter2" not in message
        assert (await node.read(USER_PATH)).data == before

    test()


@with_node
async def test_a_new_user_needs_a_password_and_a_proper_name(node: NodeUnderTest) -> None:
    await node.user()
    assert errors(await node.write("auth/userpass/users/bob", {})) == [
        "must provide either password or password_hash"
    ]
    for name in ("a b", "a:b", "a" * 129, "*", "a;b", "日本"):
        message = errors(await node.write(f"auth/userpass/users/{name}", {"password": "x"}))[0]
        assert message.startswith("username: ")
    for name in ("a@b.c", "a-b_c", "a+b", "1"):
        await node.user(name)
        await _logged_in(node, name=name)


@with_node
async def test_users_that_do_not_exist_cannot_be_changed_or_read(node: NodeUnderTest) -> None:
    await node.user()
    path = "auth/userpass/users/bob"
    assert (await node.read(path)).status == 404
    assert (await node.delete(path)).status == 204
    for what in ("password", "policies"):
        message = errors(await node.write(f"{path}/{what}", {"password": "x"}))
        assert message == ["username does not exist"]


@with_node
async def test_users_are_listed_page_by_page(node: NodeUnderTest) -> None:
    for name in ("cy", "ada", "Bob"):
        await node.user(name)
    assert (await node.listing("auth/userpass/users")).data["keys"] == ["ada", "bob", "cy"]
    page = await node.listing("auth/userpass/users", query={"after": "ada", "limit": "1"})
    assert page.data["keys"] == ["bob"]
    for name in ("cy", "ada", "bob"):
        await node.delete(f"auth/userpass/users/{name}")
    assert (await node.listing("auth/userpass/users")).status == 404


@with_node
async def test_addresses_bind_the_login_and_the_token(node: NodeUnderTest) -> None:
    await node.user(token_bound_cidrs="10.0.0.0/8")
    assert (await node.login()).status == 403
    auth = await _logged_in(node, peer="10.1.1.1:5")
    token = auth["client_token"]
    for peer, status in (("10.2.2.2:5", 200), ("11.0.0.1:5", 403)):
        response = await node.read("auth/token/lookup-self", token=token, peer=peer)
        assert response.status == status


@with_node
async def test_a_token_can_be_bound_to_the_address_that_logged_in(node: NodeUnderTest) -> None:
    await node.user(token_strictly_bind_ip=True)
    token = (await _logged_in(node, peer="10.1.1.1:5"))["client_token"]
    for peer, status in (("10.1.1.1:77", 200), ("10.1.1.2:5", 403)):
        response = await node.read("auth/token/lookup-self", token=token, peer=peer)
        assert response.status == status


@with_node
async def test_a_renewal_asks_for_the_user_again(node: NodeUnderTest) -> None:
    await node.user(token_policies="dev", token_ttl="10m")
    token = (await _logged_in(node))["client_token"]
    await node.ok(USER_PATH, {"token_ttl": "20m"})
    renewed = await node.ok("auth/token/renew-self", {}, token=token)
    assert renewed.auth is not None
    assert renewed.auth["lease_duration"] == 1200
    await node.ok(USER_PATH, {"token_policies": "ops"})
    refused = await node.write("auth/token/renew-self", {}, token=token)
    assert errors(refused) == ["policies have changed, not renewing"]
    await node.ok(USER_PATH, {"token_policies": "dev"})
    await node.ok("auth/token/renew-self", {}, token=token)
    await node.delete(USER_PATH)
    refused = await node.write("auth/token/renew-self", {}, token=token)
    assert "no longer exists" in errors(refused)[0]
    assert await node.lives(token)


@with_node
async def test_a_password_policy_holds_new_passwords(node: NodeUnderTest) -> None:
    await node.user()
    policy = 'length = 8\nrule "charset" { charset = "0123456789"\nmin-chars = 2 }'
    missing = await node.write("auth/userpass/password_policy/strict", {})
    assert errors(missing)[0].startswith("policy_name: no such password policy")
    await node.ok("sys/policies/password/strict", {"policy": policy})
    await node.ok("auth/userpass/password_policy/strict", {})
    for password in ("short12", "long enough but no digits"):
        for path in (USER_PATH, f"{USER_PATH}/password", "auth/userpass/users/bob"):
            message = errors(await node.write(path, {"password": password}))[0]
            assert message.startswith("password: ")
            assert password not in message
    await _logged_in(node)
    made = (await node.read("sys/policies/password/strict/generate")).data["password"]
    await node.user(password=made)
    await _logged_in(node, password=made)
    await node.delete("sys/policies/password/strict")
    message = errors(await node.write(USER_PATH, {"password": "longer than 12"}))[0]
    assert "password policy is gone" in message


@with_node
async def test_two_mounts_have_users_of_their_own(node: NodeUnderTest) -> None:
    await node.user(password="first")
    await node.ok("sys/auth/staff", {"type": "userpass"})
    assert (await node.listing("auth/staff/users")).status == 404
    await node.ok("auth/staff/users/ada", {"password": "second"})
    login = await node.write("auth/staff/login/ada", {"password": "second"}, token="")
    assert login.auth is not None
    assert login.auth["entity_id"] != (await _logged_in(node, password="first"))["entity_id"]
    wrong = await node.write("auth/staff/login/ada", {"password": "first"}, token="")
    assert errors(wrong) == WRONG


@with_node
async def test_the_mount_may_force_a_kind_of_token(node: NodeUnderTest) -> None:
    await node.user()
    for forced, kind in (
        ("batch", "batch"),
        ("service", "service"),
        ("default-batch", "batch"),
        ("default-service", "service"),
    ):
        await node.ok("sys/auth/userpass/tune", {"token_type": forced})
        auth = await _logged_in(node)
        assert (auth["token_type"], auth["renewable"]) == (kind, kind == "service")
        assert await node.lives(auth["client_token"])
