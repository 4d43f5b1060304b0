"""Attacks on users with passkeys (security case 18): takeover, keys of others, copies and
replays."""

import asyncio
import logging

import pytest

from tests.authenticator import HONEST, Authenticator, Tricks, copied
from tests.node import NodeUnderTest, with_node
from tests.passkeys import LOGIN_FAILED, MOUNT, REGISTRATION_FAILED, Passkeys, refusal

# Takeover of a user


@with_node
async def test_18_a_user_without_a_key_is_not_for_whoever_knows_the_name(
    node: NodeUnderTest,
) -> None:
    people = await Passkeys.enabled(node)
    await people.user(token_policies="ops")
    for body in (
        {"username": "ada"},
        {"username": "ADA"},
        {"username": "ada", "enrolment_code": "x" * 43},
        {"username": "ada", "enrolment_code": "\ud800"},
    ):
        response = await people.send("register/begin", body)
        assert refusal(response) == REGISTRATION_FAILED
    assert (await people.read_user())["credentials"] == 0


@with_node
async def test_18_who_began_to_take_a_free_name_does_not_get_it_when_it_is_taken(
    node: NodeUnderTest,
) -> None:
    people, stranger = await Passkeys.enabled(node), Authenticator()
    options = await people.begin("register", {"username": "ada"})
    body = {"username": "ada", "credential": stranger.create(options)}
    await people.user(token_policies="ops")
    assert refusal(await people.send("register/finish", body)) == REGISTRATION_FAILED
    assert (await people.read_user())["credentials"] == 0


@with_node
async def test_18_a_user_with_a_key_gets_no_second_one_from_a_stranger(
    node: NodeUnderTest,
) -> None:
    people, ada, eve = await Passkeys.enabled(node), Authenticator(), Authenticator()
    await node.policy("maker", {"auth/token/create": "update"})
    await people.enrol(ada, token_policies="maker")
    await people.register(eve, "eve")
    of_eve = (await people.log_in(eve, "eve"))["client_token"]
    child = (await node.token(by=(await people.log_in(ada))["client_token"]))["client_token"]
    for token in ("", "s.nothing", of_eve, child, "root"):
        response = await people.send("register/begin", {"username": "ada"}, token=token)
        assert refusal(response) == REGISTRATION_FAILED


@with_node
async def test_18_a_token_of_the_same_name_elsewhere_registers_no_key(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.enrol(ada)
    other, eve = await Passkeys.enabled(node, "auth/other"), Authenticator()
    await other.register(eve, "ada")
    await node.user("ada")
    by_password = (await node.login("ada")).auth
    assert by_password is not None
    for token in ((await other.log_in(eve))["client_token"], by_password["client_token"]):
        response = await people.send("register/begin", {"username": "ada"}, token=token)
        assert refusal(response) == REGISTRATION_FAILED


@with_node
async def test_18_the_end_of_a_registration_needs_the_token_of_its_beginning(
    node: NodeUnderTest,
) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.enrol(ada)
    token = (await people.log_in(ada))["client_token"]
    options = await people.begin("register", {"username": "ada"}, token=token)
    body = {"username": "ada", "credential": Authenticator().create(options)}
    assert refusal(await people.send("register/finish", body)) == REGISTRATION_FAILED
    await node.ok("auth/token/revoke", {"token": token})
    response = await people.send("register/finish", body, token=token)
    assert refusal(response) == REGISTRATION_FAILED


@with_node
async def test_18_a_token_adds_no_key_later_than_a_quarter_of_an_hour_after_its_login(
    node: NodeUnderTest,
) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.enrol(ada, token_period="1h")
    token = (await people.log_in(ada))["client_token"]
    node.clock.advance(900)
    await people.register(Authenticator(), token=token)
    begun = await people.begin("register", {"username": "ada"}, token=token)
    node.clock.advance(1)
    await node.ok("auth/token/renew-self", token=token)
    response = await people.send("register/begin", {"username": "ada"}, token=token)
    assert refusal(response) == REGISTRATION_FAILED
    node.clock.advance(200)  # what has begun in time may end
    body = {"username": "ada", "credential": Authenticator().create(begun)}
    assert (await people.send("register/finish", body, token=token)).status == 200
    anew = (await people.log_in(ada, key=ada.credentials[0]))["client_token"]
    await people.register(Authenticator(), token=anew)


@with_node
async def test_18_a_code_is_for_one_user_and_one_key(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.user("ada")
    await people.user("bob")
    code = await people.code("ada")
    response = await people.send("register/begin", {"username": "bob", "enrolment_code": code})
    assert refusal(response) == REGISTRATION_FAILED
    begun = [
        await people.begin("register", {"username": "ada", "enrolment_code": code})
        for _ in range(8)
    ]
    bodies = [{"username": "ada", "credential": ada.create(options)} for options in begun]
    answers = await asyncio.gather(*(people.send("register/finish", body) for body in bodies))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 7
    assert (await people.read_user("ada"))["credentials"] == 1
    response = await people.send("register/begin", {"username": "ada", "enrolment_code": code})
    assert refusal(response) == REGISTRATION_FAILED


@with_node
async def test_18_the_rights_of_somebody_who_left_are_not_for_strangers(
    node: NodeUnderTest,
) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.register(ada)
    entity = (await people.log_in(ada))["entity_id"]
    await node.ok(f"identity/entity/id/{entity}", {"policies": "ops"})
    await node.delete(f"{MOUNT}/user/ada")
    response = await people.send("register/begin", {"username": "ada"})
    assert refusal(response) == REGISTRATION_FAILED


@with_node
async def test_18_an_operator_is_warned_who_gives_rights_or_a_code_to_whoever_took_the_name(
    node: NodeUnderTest,
) -> None:
    people = await Passkeys.enabled(node)
    await people.register(Authenticator(), "ada")
    await people.enrol(Authenticator(), "bob")
    for name, warned in (("ada", True), ("bob", False)):
        assert (await people.read_user(name))["self_registered"] is warned
        for path in (f"user/{name}", f"user/{name}/policies"):
            response = await node.write(f"{MOUNT}/{path}", {"token_policies": "ops"})
            assert response.status == (200 if warned else 204)
            assert bool(response.warnings) is warned
        response = await node.ok(f"{MOUNT}/user/{name}/enrolment-code")
        assert bool(response.warnings) is warned
    await node.delete(f"{MOUNT}/user/ada")
    await people.user("ada")
    assert (await people.read_user("ada"))["self_registered"] is False


@with_node
async def test_18_spellings_of_a_name_are_one_user(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.register(ada, "Ada")
    entities = {(await people.log_in(ada, name))["entity_id"] for name in ("ada", "ADA", "aDa", "")}
    assert len(entities) == 1
    assert (await node.listing(f"{MOUNT}/user")).data == {"keys": ["ada"]}
    for name in ("ADA", "aDA"):
        response = await people.send("register/begin", {"username": name})
        assert refusal(response) == REGISTRATION_FAILED
    for name in (" ada", "ada ", "ada\n", "ada\u017f", "\uff41da", ""):
        assert (await people.send("register/begin", {"username": name})).status == 400


@with_node
async def test_18_a_credential_id_belongs_to_one_user(node: NodeUnderTest) -> None:
    people, ada, eve = await Passkeys.enabled(node), Authenticator(), Authenticator()
    key = await people.register(ada, "ada")
    response = await people.try_to_register(eve, "eve", Tricks(credential_id=key.id))
    assert refusal(response) == REGISTRATION_FAILED
    assert await people.read_user("eve") == {}
    await people.log_in(ada)


# Another user's key


@with_node
async def test_18_another_users_credential_id_lets_nobody_in(node: NodeUnderTest) -> None:
    people, ada, eve = await Passkeys.enabled(node), Authenticator(), Authenticator()
    of_ada = await people.register(ada, "ada")
    of_eve = await people.register(eve, "eve")
    handle = of_ada.user_handle
    for name, tricks in (
        ("ada", HONEST),  # eve's key for ada's name
        ("ada", Tricks(credential_id=of_ada.id)),
        ("ada", Tricks(credential_id=of_ada.id, user_handle=handle)),
        ("ada", Tricks(user_handle=handle)),
        ("eve", Tricks(user_handle=handle)),
        ("eve", Tricks(credential_id=of_ada.id)),
        ("", Tricks(user_handle=handle)),
        ("", Tricks(user_handle=handle, credential_id=of_ada.id)),
        ("", Tricks(credential_id=of_ada.id)),
        ("", Tricks(user_handle=b"")),
        ("", Tricks(user_handle=b"ada")),
        ("", Tricks(user_handle=bytes(64))),
    ):
        response = await people.try_to_log_in(eve, name, tricks, key=of_eve)
        assert refusal(response) == LOGIN_FAILED, (name, tricks)


@with_node
async def test_18_a_challenge_is_for_the_user_whom_it_was_begun_for(node: NodeUnderTest) -> None:
    people, ada, eve = await Passkeys.enabled(node), Authenticator(), Authenticator()
    await people.register(ada, "ada")
    await people.register(eve, "eve")
    for begun, ended in (("ada", "eve"), ("eve", ""), ("", "eve")):
        options = await people.begin("login", {"username": begun} if begun else {})
        answer = eve.get(options, key=eve.credentials[0])
        body = {"username": ended, "credential": answer}
        assert refusal(await people.send("login/finish", body)) == LOGIN_FAILED
    options = await people.begin("register", {"username": "new"})
    body = {"username": "newer", "credential": eve.create(options)}
    assert refusal(await people.send("register/finish", body)) == REGISTRATION_FAILED


# Clones


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, "wardgate")
    return caplog


def test_18_a_counter_that_goes_back_or_stays_is_refused(
    warnings: pytest.LogCaptureFixture,
) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        people, ada = await Passkeys.enabled(node), Authenticator(step=1)
        key = await people.register(ada)
        clone = copied(key)
        for _ in range(3):
            await people.log_in(ada, key=key)
        assert not warnings.records
        assert refusal(await people.try_to_log_in(ada, key=clone)) == LOGIN_FAILED
        assert "ada" in warnings.text
        assert "copy" in warnings.text
        for counter in (0, 1, 3):
            tricks = Tricks(counter=counter)
            assert refusal(await people.try_to_log_in(ada, "", tricks)) == LOGIN_FAILED
        await people.log_in(ada, key=key)

    body()


@with_node
async def test_18_of_two_answers_with_one_count_one_is_let_in(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.register(ada)
    tricks = Tricks(counter=7)
    answers = await asyncio.gather(*(people.try_to_log_in(ada, "", tricks) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 7


# Replays


@with_node
async def test_18_a_hundred_answers_to_one_challenge_give_one_token(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.register(ada)
    body = {"credential": ada.get(await people.begin("login", {}))}
    other = Passkeys(await node.another())
    answers = await asyncio.gather(
        *((other if turn % 2 else people).send("login/finish", body) for turn in range(100))
    )
    assert sorted(answer.status for answer in answers) == [200] + [400] * 99
    assert refusal(await people.send("login/finish", body)) == LOGIN_FAILED


@with_node
async def test_18_a_challenge_is_open_after_a_refused_answer_and_ends_with_the_login(
    node: NodeUnderTest,
) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.register(ada)
    options = await people.begin("login", {})
    wrong = {"credential": ada.get(options, Tricks(signature=b"\x30\x00"))}
    right = {"credential": ada.get(options)}
    assert refusal(await people.send("login/finish", wrong)) == LOGIN_FAILED
    assert (await people.send("login/finish", right)).status == 200
    assert refusal(await people.send("login/finish", right)) == LOGIN_FAILED


@with_node
async def test_18_a_registration_is_not_replayed(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    options = await people.begin("register", {"username": "ada"})
    body = {"username": "ada", "credential": ada.create(options)}
    assert (await people.send("register/finish", body)).status == 200
    await node.delete(f"{MOUNT}/user/ada")
    assert refusal(await people.send("register/finish", body)) == REGISTRATION_FAILED


@with_node
async def test_18_a_challenge_ends_after_five_minutes(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.register(ada)
    for seconds, good in ((299, True), (300, False)):
        login = await people.begin("login", {"username": "ada"})
        name = f"new-{seconds}"
        register = await people.begin("register", {"username": name})
        node.clock.advance(seconds)
        body = {"username": "ada", "credential": ada.get(login, key=ada.credentials[0])}
        assert ((await people.send("login/finish", body)).status == 200) is good
        body = {"username": name, "credential": ada.create(register)}
        assert ((await people.send("register/finish", body)).status == 200) is good


@with_node
async def test_18_a_challenge_is_for_one_purpose_and_one_mount(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    other = await Passkeys.enabled(node, "auth/other")
    await people.register(ada)
    await other.register(ada)
    options = await other.begin("login", {"username": "ada"})
    body = {"username": "ada", "credential": ada.get(options, key=ada.credentials[0])}
    assert refusal(await people.send("login/finish", body)) == LOGIN_FAILED
    register = await people.begin("register", {"username": "bob"})
    login = await people.begin("login", {"username": "ada"})
    challenge = register["publicKey"]["challenge"]
    tricks = Tricks(challenge=challenge)
    body = {"username": "ada", "credential": ada.get(login, tricks, key=ada.credentials[0])}
    assert refusal(await people.send("login/finish", body)) == LOGIN_FAILED
    tricks = Tricks(challenge=login["publicKey"]["challenge"])
    body = {"username": "bob", "credential": ada.create(register, tricks)}
    assert refusal(await people.send("register/finish", body)) == REGISTRATION_FAILED


@with_node
async def test_18_a_challenge_ends_when_the_mount_asks_for_something_else(
    node: NodeUnderTest,
) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.register(ada)
    for change in (
        {"rp_origins": "http://localhost:8200,https://localhost"},
        {"user_verification": "required"},
        {"rp_id": "example.com", "rp_origins": "https://vault.example.com"},
    ):
        options = await people.begin("login", {"username": "ada"})
        await people.configure(**change)
        body = {"username": "ada", "credential": ada.get(options)}
        assert refusal(await people.send("login/finish", body)) == LOGIN_FAILED
