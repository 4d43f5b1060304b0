"""Strangers who want to know which names there are (security case 18)."""

from tests.authenticator import Authenticator, Tricks, b64, unb64
from tests.node import PEER, NodeUnderTest, with_node
from tests.passkeys import LOGIN_FAILED, MOUNT, REGISTRATION_FAILED, Passkeys, refusal
from wardgate.core.ids import new_uuid
from wardgate.core.operation import Operation
from wardgate.core.request import Request


@with_node
async def test_18_with_self_registration_off_every_name_is_answered_alike(
    node: NodeUnderTest,
) -> None:
    people, ada = await Passkeys.enabled(node, auto_registration=False), Authenticator()
    await people.enrol(ada, "ada")
    await people.user("bob")
    await people.user("cleo")
    await people.code("cleo")
    for name in ("ada", "bob", "cleo", "nobody"):
        for code in ("", b64(bytes(32))):
            body = {"username": name, "enrolment_code": code}
            assert refusal(await people.send("register/begin", body)) == REGISTRATION_FAILED


@with_node
async def test_18_a_token_is_looked_up_whether_or_not_somebody_has_the_name(
    node: NodeUnderTest,
) -> None:
    people, ada = await Passkeys.enabled(node, auto_registration=False), Authenticator()
    await people.enrol(ada, "ada")
    await people.enrol(Authenticator(), "bob")
    own = (await people.log_in(ada, "ada"))["client_token"]
    heavy = (await node.token(policies=["default"], metadata={"x": "y" * 400}))["client_token"]
    for token in ("", own, heavy, "s.nothing"):
        read = []
        for name in ("bob", "nobody"):
            request = Request(
                Operation.UPDATE,
                f"{MOUNT}/register/begin",
                id=new_uuid(),
                time=node.clock.now(),
                body={"username": name},
                client_token=token,
                peer=PEER,
            )
            assert refusal(await node.node.pipeline.handle(request)) == REGISTRATION_FAILED
            read.append({key.replace(f"/{name}", "/NAME") for key in request.transaction.reads})
        assert read[0] == read[1]


@with_node
async def test_18_a_name_that_nobody_has_looks_like_one_that_somebody_has(
    node: NodeUnderTest,
) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.enrol(ada)
    await people.user("bob")
    real = (await people.begin("login", {"username": "ada"}))["publicKey"]
    for name in ("bob", "nobody", "a" * 256, "x@example.com"):
        shown = (await people.begin("login", {"username": name}))["publicKey"]
        again = (await people.begin("login", {"username": name.upper()}))["publicKey"]
        assert set(shown) == set(real)
        assert shown["allowCredentials"] == again["allowCredentials"]
        assert shown["challenge"] != again["challenge"]
        assert len(unb64(shown["challenge"])) == len(unb64(real["challenge"]))
        for each in shown["allowCredentials"]:
            assert set(each) >= {"type", "id"}
            assert set(each) <= set(real["allowCredentials"][0])
            assert len(unb64(each["id"])) in (16, 20, 32, 48, 64)
            response = await people.try_to_log_in(
                ada, name, Tricks(credential_id=unb64(each["id"]))
            )
            assert refusal(response) == LOGIN_FAILED
    names = [f"name-{number}" for number in range(200)]
    answers = [(await people.begin("login", {"username": each}))["publicKey"] for each in names]
    counts = [len(each["allowCredentials"]) for each in answers]
    assert set(counts) == {1, 2}
    assert counts.count(1) > counts.count(2)
    ids = [each["id"] for answer in answers for each in answer["allowCredentials"]]
    assert len(set(ids)) == len(ids)


@with_node
async def test_18_made_up_keys_are_another_mounts_at_another_mount(node: NodeUnderTest) -> None:
    one, other = await Passkeys.enabled(node), await Passkeys.enabled(node, "auth/other")
    shown = [
        (await each.begin("login", {"username": "bob"}))["publicKey"]["allowCredentials"]
        for each in (one, other)
    ]
    assert shown[0] != shown[1]


@with_node
async def test_18_registering_an_id_that_was_shown_does_not_tell_whether_it_is_a_keys(
    node: NodeUnderTest,
) -> None:
    people, eve = await Passkeys.enabled(node, auto_registration=False), Authenticator()
    await people.enrol(Authenticator(), "ada")
    await people.enrol(eve, "eve")
    token = (await people.log_in(eve, "eve"))["client_token"]
    for name in ("ada", *(f"nobody-{number}" for number in range(20))):
        shown = (await people.begin("login", {"username": name}))["publicKey"]
        for each in shown["allowCredentials"]:
            tricks = Tricks(credential_id=unb64(each["id"]))
            response = await people.try_to_register(eve, "eve", tricks, token=token)
            assert refusal(response) == REGISTRATION_FAILED
    await people.register(eve, "eve", Tricks(credential_id=bytes(16)), token=token)
    await people.register(eve, "eve", Tricks(credential_id=b"short"), token=token)
