"""Logins with passkeys and security keys, and renewals."""

import asyncio
from pathlib import Path

import pytest

from tests.audit import audited_node, of_path
from tests.authenticator import EDDSA, ES256, RS256, UP, Authenticator, Tricks, b64, unb64
from tests.node import NodeUnderTest, errors, with_node
from tests.passkeys import LOGIN_FAILED, MOUNT, REGISTRATION_FAILED, Passkeys, plain, refusal


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
@pytest.mark.parametrize("name", ["ada", ""], ids=["named", "discoverable"])
def test_a_key_lets_its_user_in(name: str, algorithm: int) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        people, ada = await Passkeys.enabled(node), Authenticator(step=1)
        await people.enrol(ada, token_policies="ops", token_ttl="10m")
        await people.register(ada, "bob", algorithm=algorithm)
        await people.user("bob", token_policies="dev", token_ttl="20m")
        auth = await people.log_in(ada, name or "", key=ada.credentials[0])
        assert auth["policies"] == ["default", "ops"]
        assert auth["lease_duration"] == 600
        assert auth["metadata"] == {
            "username": "ada",
            "attestation_type": "none",
            "authenticator_sign_count": "1",
        }
        looked = await node.ok("auth/token/lookup", {"token": auth["client_token"]})
        assert looked.data["display_name"] == "webauthn-ada"
        auth = await people.log_in(ada, "bob" if name else "", key=ada.credentials[1])
        assert (auth["policies"], auth["lease_duration"]) == (["default", "dev"], 1200)
        alias = (await node.read(f"identity/entity/id/{auth['entity_id']}")).data["aliases"][0]
        assert alias["name"] == "bob"

    body()


@with_node
async def test_a_named_login_offers_the_users_keys_and_a_passkey_login_none(
    node: NodeUnderTest,
) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    first = await people.enrol(ada)
    second = await people.register(ada, code=await people.code())
    options = (await people.begin("login", {"username": "ADA"}))["publicKey"]
    assert options["allowCredentials"] == [
        {"type": "public-key", "id": b64(key.id), "transports": ["internal", "hybrid"]}
        for key in (first, second)
    ]
    assert unb64(options["challenge"]) != b""
    for body in ({}, {"username": ""}):
        assert "allowCredentials" not in (await people.begin("login", body))["publicKey"]


@with_node
async def test_each_of_several_keys_lets_in(node: NodeUnderTest) -> None:
    people, phone, stick = await Passkeys.enabled(node), Authenticator(), Authenticator(step=1)
    await people.enrol(phone)
    await people.register(stick, token=(await people.log_in(phone))["client_token"])
    for name in ("ada", ""):
        for browser in (phone, stick, phone):
            await people.log_in(browser, name)
    shown = await people.read_user()
    assert shown["credentials"] == 2
    counts = [each["sign_count"] for each in shown["credential_info"].values()]
    assert sorted(counts) == [0, 2]


@with_node
async def test_a_passkey_may_come_without_user_handle_where_the_name_is_given(
    node: NodeUnderTest,
) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.register(ada)
    response = await people.try_to_log_in(ada, "ada", Tricks(user_handle=b""))
    assert response.status == 200


@with_node
async def test_extensions_and_supported_token_bindings_do_no_harm(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.register(ada)
    for tricks in (
        Tricks(flags=0x9D, end=b"\xa1\x64test\x01"),
        Tricks(client_data={"tokenBinding": {"status": "supported"}}),
        Tricks(client_data={"other_keys_can_be_added_here": "do not compare"}),
        Tricks(client_data={"topOrigin": None}),
    ):
        assert (await people.try_to_log_in(ada, "ada", tricks)).status == 200


@with_node
async def test_a_self_signed_attestation_is_told_in_the_metadata(node: NodeUnderTest) -> None:
    people = await Passkeys.enabled(node)
    for fmt, told in (("packed", "packed"), ("compound", "none")):
        browser = Authenticator()
        tricks = Tricks(
            fmt=fmt,
            statement=lambda key, signed: {"alg": key.algorithm, "sig": key.sign(signed)},
        )
        await people.register(browser, fmt, tricks)
        assert (await people.log_in(browser, fmt))["metadata"]["attestation_type"] == told


@with_node
async def test_another_process_ends_what_one_has_begun(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    other = Passkeys(await node.another())
    options = await people.begin("register", {"username": "ada"})
    body = {"username": "ada", "credential": ada.create(options)}
    assert (await other.send("register/finish", body)).status == 200
    body = {
        "username": "ada",
        "credential": ada.get(await people.begin("login", {"username": "ada"})),
    }
    assert (await other.send("login/finish", body)).status == 200


@with_node
async def test_the_address_counts(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.enrol(ada, token_bound_cidrs="10.0.0.0/8")
    assert (await people.try_to_log_in(ada, peer="127.0.0.1:1")).status == 403
    assert (await people.try_to_log_in(ada, peer="10.1.2.3:1")).status == 200


@with_node
async def test_what_was_sent_is_not_repeated(node: NodeUnderTest) -> None:
    people = await Passkeys.enabled(node)
    sent = "hunter2"
    for path in ("login/finish", "register/finish"):
        for credential in (sent, [sent], {sent: sent}, {"id": [sent]}, {"id": sent, "type": sent}):
            body = {"username": "ada", "credential": credential}
            assert sent not in str(errors(await people.send(path, body)))
    for path in ("login/begin", "register/begin"):
        response = await people.send(path, {"username": f"{sent} {sent}"})
        assert sent not in str(errors(response))


@with_node
async def test_wrong_signatures_lock_the_name_out_and_passkeys_without_a_name_go_on(
    node: NodeUnderTest,
) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.register(ada)
    wrong = Tricks(origin="http://localhost:1")
    for name in ("ADA", "ada", "aDa", "Ada", "ada"):
        assert refusal(await people.try_to_log_in(ada, name, wrong)) == LOGIN_FAILED
    assert (await people.try_to_log_in(ada)).status == 403
    locked = (await node.read("sys/locked-users")).data["by_namespace"]
    assert "ada" in str(locked)
    await people.log_in(ada, "")
    node.clock.advance(900)
    await people.log_in(ada)


@with_node
async def test_what_answers_no_open_challenge_locks_nobody_out(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.register(ada)
    late = {
        "username": "ada",
        "credential": ada.get(await people.begin("login", {"username": "ada"})),
    }
    node.clock.advance(300)
    for _ in range(10):
        assert refusal(await people.send("login/finish", late)) == LOGIN_FAILED
    await people.log_in(ada)


@with_node
async def test_a_renewal_needs_the_user_the_policies_and_the_key(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.enrol(ada, token_policies="ops")
    first = ada.credentials[0]
    second = await people.register(ada, code=await people.code())
    tokens = [(await people.log_in(ada, key=key))["client_token"] for key in (first, first, second)]

    async def renewed(token: str) -> int:
        return (await node.write("auth/token/renew-self", token=token)).status

    assert [await renewed(token) for token in tokens] == [200, 200, 200]
    await people.user(token_policies="dev")
    assert [await renewed(token) for token in tokens] == [400, 400, 400]
    await people.user(token_policies="ops")
    await node.delete(f"{MOUNT}/user/ada/credential/{b64(first.id)}")
    assert [await renewed(token) for token in tokens] == [400, 400, 200]
    await node.delete(f"{MOUNT}/user/ada")
    assert [await renewed(token) for token in tokens] == [400, 400, 400]
    await people.user(token_policies="ops")
    assert [await renewed(token) for token in tokens] == [400, 400, 400]


@with_node
async def test_batch_tokens_and_those_with_few_uses_add_no_key(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    for fields in ({"token_type": "batch"}, {"token_num_uses": 5, "token_type": "default"}):
        name = f"ada-{len(fields)}"
        await people.enrol(ada, name, **fields)
        token = (await people.log_in(ada, name))["client_token"]
        response = await people.send("register/begin", {"username": name}, token=token)
        assert refusal(response) == REGISTRATION_FAILED


@with_node
async def test_a_disabled_entity_adds_no_key(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.enrol(ada)
    auth = await people.log_in(ada)
    await node.ok(f"identity/entity/id/{auth['entity_id']}", {"disabled": True})
    token = auth["client_token"]
    response = await people.send("register/begin", {"username": "ada"}, token=token)
    assert refusal(response) == REGISTRATION_FAILED
    assert (await people.try_to_log_in(ada)).status == 403


def test_audit_devices_record_which_key_it_was(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"

    async def body() -> None:
        node = await audited_node(log)
        try:
            people, ada = await Passkeys.enabled(node), Authenticator()
            await people.register(ada)
            await people.log_in(ada)
            answers = [
                each for each in of_path(log, f"{MOUNT}/login/finish") if each["type"] == "response"
            ]
            assert answers[0]["auth"]["credential_accessor"].startswith("hmac-sha256:")
            assert answers[0]["auth"]["metadata"]["username"] == "ada"
        finally:
            await node.node.stop()

    asyncio.run(body())


@with_node
async def test_a_plain_security_key_works(node: NodeUnderTest) -> None:
    people, stick = await Passkeys.enabled(node), Authenticator(step=3, flags=UP)
    await people.register(stick)
    for _ in range(3):
        auth = await people.log_in(stick)
    assert auth["metadata"]["authenticator_sign_count"] == "9"
    info = plain((await people.read_user())["credential_info"])
    assert [each["sign_count"] for each in info.values()] == [9]


@with_node
async def test_one_person_can_be_logged_out_everywhere(node: NodeUnderTest) -> None:
    people, ada, adam = await Passkeys.enabled(node), Authenticator(), Authenticator()
    lost = await people.enrol(ada, "ada", token_policies="maker")
    await people.enrol(adam, "adam")
    await node.policy("maker", {"auth/token/create": "update"})
    of_ada = [(await people.log_in(ada, name))["client_token"] for name in ("Ada", "", "ada")]
    of_ada.append((await node.token(by=of_ada[0]))["client_token"])
    of_adam = (await people.log_in(adam, ""))["client_token"]
    leases = await node.listing(f"sys/leases/lookup/{MOUNT}/login/finish")
    assert leases.data == {"keys": ["ada/", "adam/"]}
    assert (await node.delete(f"{MOUNT}/user/ada/credential/{b64(lost.id)}")).status == 204
    assert [await node.lives(token) for token in of_ada] == [True] * 4
    await node.ok(f"sys/leases/revoke-prefix/{MOUNT}/login/finish/ada", {"sync": True})
    assert [await node.lives(token) for token in of_ada] == [False] * 4
    assert await node.lives(of_adam)
    await people.register(ada, code=await people.code())
    await people.log_in(ada, "")


@with_node
async def test_a_disabled_entity_stops_batch_tokens_too_while_it_is(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.enrol(ada, token_type="batch")
    auth = await people.log_in(ada)
    entity, token = f"identity/entity/id/{auth['entity_id']}", auth["client_token"]
    for disabled in (True, False, True):
        await node.ok(entity, {"disabled": disabled})
        assert await node.lives(token) is not disabled
    assert (await people.try_to_log_in(ada)).status == 403
    await node.delete(entity)  # which does not give it back to those whom it was taken from
    assert (await people.log_in(ada))["entity_id"] != auth["entity_id"]
    assert not await node.lives(token)
