"""Users of a WebAuthn mount, their keys and their enrolment codes."""

import pytest

from tests.authenticator import Authenticator, Tricks, b64
from tests.node import NodeUnderTest, errors, with_node
from tests.passkeys import MOUNT, REGISTRATION_FAILED, JsonMap, Passkeys, plain, refusal
from wardgate.auth.webauthn.users import USER, USERS

WEEK = 7 * 24 * 3600


@with_node
async def test_a_user_is_shown_with_keys_and_settings(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.user("Ada", display_name="Ada L.", token_policies="ops", token_ttl="1h")
    shown = await people.read_user("ADA")
    assert (shown["username"], shown["display_name"]) == ("ada", "Ada L.")
    assert (shown["credentials"], shown["credential_ids"]) == (0, [])
    assert (shown["token_policies"], shown["token_ttl"]) == (["ops"], 3600)
    key = await people.register(ada, code=await people.code())
    shown = await people.read_user()
    assert (shown["credentials"], shown["credential_ids"]) == (1, [b64(key.id)])
    assert shown["user_id_b64"] == b64(key.user_handle)
    assert len(key.user_handle) == 64
    info = shown["credential_info"][b64(key.id)]
    assert (info["transports"], info["attestation_type"]) == (["internal", "hybrid"], "none")
    assert info["last_used_at"] == ""
    node.clock.advance(60)
    await people.log_in(ada)
    info = (await people.read_user())["credential_info"][b64(key.id)]
    assert info["registered_at"] < info["last_used_at"]


@with_node
async def test_a_name_is_the_display_name_where_none_is_given(node: NodeUnderTest) -> None:
    people = await Passkeys.enabled(node)
    await people.user()
    assert (await people.read_user())["display_name"] == "ada"
    body = {"username": "ada", "enrolment_code": await people.code()}
    assert (await people.begin("register", body))["publicKey"]["user"]["displayName"] == "ada"
    await people.user(display_name="Ada")
    assert (await people.begin("register", body))["publicKey"]["user"]["displayName"] == "Ada"
    response = await node.write(f"{MOUNT}/user/ada", {"display_name": "x" * 257})
    assert "display_name" in errors(response)[0]


@with_node
async def test_names_have_few_characters(node: NodeUnderTest) -> None:
    people = await Passkeys.enabled(node)
    for name in ("a", "a" * 256, "Ada.L-x_y@example.com", "-", "1"):
        await people.user(name)
        assert (await people.read_user(name))["username"] == name.lower()
    for name in ("a" * 257, "a b", "a+b", "a*", "ä", "a\u2028", "a:b"):
        response = await node.write(f"{MOUNT}/user/{name}")
        assert "username" in errors(response)[0]
        assert await people.read_user(name) == {}
    await people.user("kim")
    for name in ("\u212aim", "\u212aIM"):  # the Kelvin sign, whose small letter is a k
        assert await people.read_user(name) == {}
        assert (await node.delete(f"{MOUNT}/user/{name}")).status == 204
        for path in (name, f"{name}/policies", f"{name}/enrolment-code"):
            response = await node.write(f"{MOUNT}/user/{path}", {"token_policies": "ops"})
            assert response.status == 400
    assert (await people.read_user("kim"))["token_policies"] == []
    for name in (".", ".."):
        response = await people.send("register/begin", {"username": name})
        assert "username" in errors(response)[0]


@with_node
async def test_users_are_listed_in_pages(node: NodeUnderTest) -> None:
    people = await Passkeys.enabled(node)
    assert (await node.listing(f"{MOUNT}/user")).status == 404
    for name in ("cleo", "Ada", "bob"):
        await people.user(name)
    assert (await node.listing(f"{MOUNT}/user")).data == {"keys": ["ada", "bob", "cleo"]}
    page = await node.listing(f"{MOUNT}/user", query={"after": "ada", "limit": "1"})
    assert page.data == {"keys": ["bob"]}


@with_node
async def test_policies_can_be_given_alone(node: NodeUnderTest) -> None:
    people = await Passkeys.enabled(node)
    await people.user(token_ttl="1h")
    response = await node.write(f"{MOUNT}/user/ADA/policies", {"token_policies": "Dev,ops"})
    assert response.status == 204
    shown = await people.read_user()
    assert (shown["token_policies"], shown["token_ttl"]) == (["dev", "ops"], 3600)
    assert (await node.write(f"{MOUNT}/user/bob/policies", {"token_policies": "x"})).status == 400
    response = await node.write(f"{MOUNT}/user/ada/policies", {})
    assert errors(response) == ["token_policies: required"]


@with_node
async def test_a_removed_key_lets_nobody_in_and_the_last_one_leaves_a_code_to_be_made(
    node: NodeUnderTest,
) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    key = await people.register(ada)
    path = f"{MOUNT}/user/ada/credential/"
    for other in ("x", b64(b"other"), "====", b64(key.id) + "A"):
        assert (await node.delete(path + other)).status == 204
    await people.log_in(ada)
    assert (await node.delete(path + b64(key.id))).status == 204
    for name in ("ada", ""):
        assert (await people.try_to_log_in(ada, name)).status == 400
    assert refusal(await people.send("register/begin", {"username": "ada"})) == REGISTRATION_FAILED
    await people.register(ada, code=await people.code())
    await people.log_in(ada)


@with_node
async def test_a_deleted_user_is_gone_with_the_keys(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    before = await node.keys_below("mount/")
    key = await people.enrol(ada)
    assert (await node.delete(f"{MOUNT}/user/ADA")).status == 204
    left = {each for each in await node.keys_below("mount/") if "/challenge/" not in each}
    assert left == set(before)
    for name in ("ada", ""):
        assert (await people.try_to_log_in(ada, name)).status == 400
    assert (await node.delete(f"{MOUNT}/user/ada")).status == 204
    await people.user()
    assert (await people.read_user())["user_id_b64"] != b64(key.user_handle)


@with_node
async def test_a_key_of_a_deleted_user_can_be_registered_again(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    key = await people.enrol(ada)
    await node.delete(f"{MOUNT}/user/ada")
    await people.register(ada, "bob", Tricks(credential_id=key.id))


@with_node
async def test_self_registration_gives_the_default_policy_alone(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    options = await people.begin("register", {"username": "Ada"})
    assert await people.read_user() == {}
    assert options["publicKey"]["user"]["name"] == "ada"
    assert options["publicKey"]["excludeCredentials"] == []
    body = {"username": "ada", "credential": ada.create(options)}
    response = await people.send("register/finish", body)
    assert response.data == {"username": "ada", "message": "registration successful"}
    assert (await people.log_in(ada))["policies"] == ["default"]


@with_node
async def test_a_user_has_at_most_twenty_keys(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.user()
    body = {"username": "ada", "enrolment_code": ""}
    for _ in range(19):
        body["enrolment_code"] = await people.code()
        options = await people.begin("register", body)
        assert (
            await people.send(
                "register/finish", {"username": "ada", "credential": ada.create(options)}
            )
        ).status == 200
    body["enrolment_code"] = await people.code()
    options = await people.begin("register", body)
    token = (await people.log_in(ada))["client_token"]
    by_token = await people.begin("register", {"username": "ada"}, token=token)
    finish = {"username": "ada", "credential": ada.create(options)}
    assert (await people.send("register/finish", finish)).status == 200
    finish = {"username": "ada", "credential": ada.create(by_token)}
    response = await people.send("register/finish", finish, token=token)
    assert refusal(response) == REGISTRATION_FAILED
    response = await people.send("register/begin", {"username": "ada"}, token=token)
    assert "has 20 keys" in errors(response)[0]
    assert len((await people.read_user())["credential_ids"]) == 20


@with_node
async def test_browsers_are_told_which_keys_there_are_already(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    key = await people.enrol(ada)
    body = {"username": "ada", "enrolment_code": await people.code()}
    options = (await people.begin("register", body))["publicKey"]
    assert [each["id"] for each in options["excludeCredentials"]] == [b64(key.id)]
    assert options["user"]["id"] == b64(key.user_handle)


@with_node
async def test_a_code_is_good_for_a_week(node: NodeUnderTest) -> None:
    people = await Passkeys.enabled(node)
    for seconds, good in ((WEEK - 1, True), (WEEK, False)):
        await people.user()
        made = plain((await node.ok(f"{MOUNT}/user/ada/enrolment-code")).data)
        assert set(made) == {"username", "enrolment_code", "expires_at", "ttl"}
        assert (made["username"], made["ttl"]) == ("ada", WEEK)
        assert made["expires_at"].endswith("Z")
        assert len(made["enrolment_code"]) == 43
        node.clock.advance(seconds)
        body = {"username": "ada", "enrolment_code": made["enrolment_code"]}
        assert ((await people.send("register/begin", body)).status == 200) is good


@with_node
async def test_a_user_is_shown_with_the_end_of_the_code(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.user()

    async def shown() -> object:
        return (await people.read_user())["enrolment_code_expires_at"]

    assert await shown() == ""
    made = await node.ok(f"{MOUNT}/user/ada/enrolment-code")
    assert await shown() == made.data["expires_at"]
    await node.delete(f"{MOUNT}/user/ada/enrolment-code")
    assert await shown() == ""
    await people.register(ada, code=await people.code())
    assert await shown() == ""
    await people.code()
    node.clock.advance(WEEK)
    assert await shown() == ""


@with_node
async def test_a_code_that_ends_after_the_beginning_registers_nothing(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.user()

    async def begun() -> dict[str, object]:
        body = {"username": "ada", "enrolment_code": await people.code()}
        return {"username": "ada", "credential": ada.create(await people.begin("register", body))}

    body = await begun()
    await people.code()
    assert refusal(await people.send("register/finish", body)) == REGISTRATION_FAILED
    body = await begun()
    assert (await node.delete(f"{MOUNT}/user/ada/enrolment-code")).status == 204
    assert refusal(await people.send("register/finish", body)) == REGISTRATION_FAILED
    await people.code()
    node.clock.advance(WEEK - 100)
    body = await begun()
    await node.delete(f"{MOUNT}/user/ada")
    await people.user()
    assert refusal(await people.send("register/finish", body)) == REGISTRATION_FAILED


@with_node
async def test_a_code_is_used_up_by_the_end_and_not_by_the_beginning(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.user()
    code = await people.code()
    for _ in range(3):
        await people.begin("register", {"username": "ada", "enrolment_code": code})
    await people.register(ada, code=code)
    response = await people.send("register/begin", {"username": "ada", "enrolment_code": code})
    assert refusal(response) == REGISTRATION_FAILED


@with_node
async def test_a_code_needs_a_user_and_rights(node: NodeUnderTest) -> None:
    people = await Passkeys.enabled(node)
    response = await node.write(f"{MOUNT}/user/nobody/enrolment-code")
    assert "no such user" in errors(response)[0]
    assert (await node.delete(f"{MOUNT}/user/nobody/enrolment-code")).status == 204
    await people.user()
    plain_token = (await node.token(policies=["default"]))["client_token"]
    for token in ("", plain_token):
        for call in (node.write, node.delete):
            response = await call(f"{MOUNT}/user/ada/enrolment-code", token=token)
            assert response.status == 403


@with_node
async def test_codes_are_stored_as_hashes(node: NodeUnderTest) -> None:
    people = await Passkeys.enabled(node)
    await people.user()
    code = await people.code()
    transaction = await node.core.storage.begin()
    mount = (await node.core.mounts.table(transaction)).by_path[f"{MOUNT}/"]
    user = await transaction.get(f"{mount.storage_prefix}{USERS}ada", USER)
    assert user is not None
    assert code.encode() not in USER.encode(user)


@with_node
async def test_the_policy_of_the_docs_lets_people_look_after_their_own_keys(
    node: NodeUnderTest,
) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    accessor = plain((await node.read("sys/auth")).data)["webauthn/"]["accessor"]
    own = f"{MOUNT}/user/{{{{identity.entity.aliases.{accessor}.name}}}}"
    await node.policy("own-keys", {own: "read", f"{own}/credential/*": "delete"})
    key = await people.enrol(ada, token_policies="own-keys")
    other = await people.enrol(Authenticator(), "bob")
    token = (await people.log_in(ada))["client_token"]
    assert (await node.read(f"{MOUNT}/user/ada", token=token)).status == 200
    for path in ("user/bob", "user/ada/enrolment-code"):
        assert (await node.read(f"{MOUNT}/{path}", token=token)).status == 403
    for path in ("user/ada", "user/ada/policies", "user/ada/enrolment-code"):
        assert (await node.write(f"{MOUNT}/{path}", {}, token=token)).status == 403
    path = f"{MOUNT}/user/bob/credential/{b64(other.id)}"
    assert (await node.delete(path, token=token)).status == 403
    path = f"{MOUNT}/user/ada/credential/{b64(key.id)}"
    assert (await node.delete(path, token=token)).status == 204
    assert (await people.read_user())["credentials"] == 0


@with_node
async def test_a_deleted_user_leaves_nothing_to_a_later_one_of_the_name_when_the_entity_goes_too(
    node: NodeUnderTest,
) -> None:
    people, ada, later = await Passkeys.enabled(node), Authenticator(), Authenticator()
    accessor = plain((await node.read("sys/auth")).data)["webauthn/"]["accessor"]
    own = f"{MOUNT}/user/{{{{identity.entity.aliases.{accessor}.name}}}}"
    await node.policy("own-keys", {own: "read"})

    async def reads(auth: JsonMap) -> bool:
        read = await node.read(f"{MOUNT}/user/ada", token=auth["client_token"])
        return read.status == 200

    logins = []
    for kind in ("service", "batch"):
        await people.enrol(ada, token_policies="own-keys", token_type=kind)
        logins.append(await people.log_in(ada))
    query = {"alias_name": "ada", "alias_mount_accessor": accessor}
    entity = (await node.ok("identity/lookup/entity", query)).data["id"]
    assert {each["entity_id"] for each in logins} == {entity}
    await node.delete(f"{MOUNT}/user/ada")
    await people.user(token_policies="own-keys")
    assert [await reads(each) for each in logins] == [True, True]
    await node.ok(f"sys/leases/revoke-prefix/{MOUNT}/login/finish/ada", {"sync": True})
    assert [await reads(each) for each in logins] == [False, True]
    await node.delete(f"identity/entity/id/{entity}")
    await people.enrol(later, token_policies="own-keys")
    anew = await people.log_in(later)
    assert anew["entity_id"] != entity
    assert [await reads(each) for each in (*logins, anew)] == [False, False, True]


@pytest.mark.parametrize("name", ["token_type", "token_ttl"])
def test_settings_that_cannot_be_are_refused(name: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        people = await Passkeys.enabled(node)
        response = await node.write(f"{MOUNT}/user/ada", {name: "sometimes"})
        assert name in errors(response)[0]
        assert await people.read_user() == {}

    body()
