"""Answers that no honest browser sends (security case 18): lies about the page and the person, wrong
signatures, JSON of the wrong shape."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.authenticator import AT, EDDSA, ES256, RS256, UP, UV, Authenticator, Tricks, b64
from tests.node import NodeUnderTest, with_node
from tests.passkeys import LOGIN_FAILED, REGISTRATION_FAILED, JsonMap, Passkeys, refusal

# What the browser and the authenticator say

LIES: dict[str, Tricks] = {
    "another origin": Tricks(origin="https://localhost"),
    "another port": Tricks(origin="http://localhost:8201"),
    "no port": Tricks(origin="http://localhost"),
    "a longer port": Tricks(origin="http://localhost:82000"),
    "a slash": Tricks(origin="http://localhost:8200/"),
    "upper case": Tricks(origin="HTTP://LOCALHOST:8200"),
    "a host below": Tricks(origin="http://evil.localhost:8200"),
    "a host that ends alike": Tricks(origin="http://evillocalhost:8200"),
    "a name before it": Tricks(origin="http://localhost:8200@evil.example"),
    "no origin": Tricks(origin=""),
    "null": Tricks(origin="null"),
    "another domain": Tricks(rp_id="example.com"),
    "no domain": Tricks(rp_id=" "),
    "the origin as domain": Tricks(rp_id="http://localhost:8200"),
    "the other ceremony": Tricks(type="webauthn.create"),
    "payment": Tricks(type="payment.get"),
    "no ceremony": Tricks(type="x"),
    "a page in a page": Tricks(client_data={"crossOrigin": True}),
    "a page around it": Tricks(client_data={"topOrigin": "https://evil.example"}),
    "a token binding": Tricks(client_data={"tokenBinding": {"status": "present", "id": "eA"}}),
    "a token binding of no kind": Tricks(client_data={"tokenBinding": {"status": [1]}}),
    "nobody there": Tricks(flags=UV),
    "nobody there, nobody verified": Tricks(flags=0),
    "backed up, which it cannot be": Tricks(flags=UP | UV | 0x10),
    "a made-up challenge": Tricks(challenge=b64(b"st_0000" + b"x" * 43)),
    "no challenge": Tricks(challenge=""),
    "a short challenge": Tricks(challenge=b64(b"st_")),
    "a challenge that is no text": Tricks(challenge=b64(b"\xff" * 50)),
}


@pytest.mark.parametrize("lie", LIES)
def test_18_a_login_with_a_lie_fails(lie: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        people, ada = await Passkeys.enabled(node), Authenticator()
        await people.register(ada)
        for name in ("ada", ""):
            response = await people.try_to_log_in(ada, name, LIES[lie])
            assert refusal(response) == LOGIN_FAILED
        await people.log_in(ada)

    body()


@pytest.mark.parametrize("lie", LIES)
def test_18_a_registration_with_a_lie_fails_and_leaves_nothing(lie: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        people, tricks = await Passkeys.enabled(node), LIES[lie]
        if tricks.type == "webauthn.create":
            tricks = Tricks(type="webauthn.get")
        if tricks.flags is not None:
            tricks = Tricks(flags=tricks.flags | AT)
        response = await people.try_to_register(Authenticator(), "ada", tricks)
        assert refusal(response) == REGISTRATION_FAILED
        assert await people.read_user() == {}

    body()


SIGNATURES: dict[str, Tricks] = {
    "empty": Tricks(authenticator_data=lambda data: data, signature=b"\x00"),
    "of no kind": Tricks(signature=b"\xff" * 64),
    "zero": Tricks(signature=bytes.fromhex("3006020100020100")),
    "of other data": Tricks(
        authenticator_data=lambda data: data[:33] + b"\0\0\0\x09", signs_before=True
    ),
    "with flags added": Tricks(
        flags=UP, authenticator_data=lambda data: data[:32] + b"\x1d" + data[33:], signs_before=True
    ),
}


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
@pytest.mark.parametrize("signature", SIGNATURES)
def test_18_a_wrong_signature_fails(algorithm: int, signature: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        people, ada = await Passkeys.enabled(node), Authenticator()
        await people.register(ada, algorithm=algorithm)
        for name in ("ada", ""):
            response = await people.try_to_log_in(ada, name, SIGNATURES[signature])
            assert refusal(response) == LOGIN_FAILED
        await people.log_in(ada)

    body()


@with_node
async def test_18_who_must_be_verified_must_be_verified(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node, user_verification="required"), Authenticator()
    await people.register(ada)
    for name in ("ada", ""):
        response = await people.try_to_log_in(ada, name, Tricks(flags=ada.flags & ~UV))
        assert refusal(response) == LOGIN_FAILED
    response = await people.try_to_register(ada, "bob", Tricks(flags=(ada.flags | AT) & ~UV))
    assert refusal(response) == REGISTRATION_FAILED
    await people.log_in(ada)


@with_node
async def test_18_a_key_does_not_become_one_that_can_be_copied(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator(flags=UP | UV)
    await people.register(ada)
    response = await people.try_to_log_in(ada, "ada", Tricks(flags=UP | UV | 0x08))
    assert refusal(response) == LOGIN_FAILED
    await people.log_in(ada)


# Bodies of the wrong shape

ODD: list[Any] = [None, "", "x", 7, True, [], ["x"], {}, {"x": {"x": "x"}}, "\ud800", "A" * 9999]


@with_node
async def test_18_json_of_other_types_is_refused_everywhere(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.register(ada)
    before = await people.read_user()
    login = {
        "username": "ada",
        "credential": ada.get(await people.begin("login", {"username": "ada"})),
    }
    options = await people.begin("register", {"username": "bob"})
    register = {"username": "bob", "credential": ada.create(options)}
    optional = (
        "authenticatorAttachment",
        "clientExtensionResults",
        "transports",
        "rawId",
        "userHandle",
    )
    for path, right in (("login/finish", login), ("register/finish", register)):
        for place in _places(right):
            for odd in ODD:
                if place[-1] in optional and odd in (None, "", [], ["x"]):
                    continue
                if place[-1] in optional[:2]:
                    continue
                response = await people.send(path, _with(right, place, odd))
                assert response.status == 400, (path, place, odd)
                assert response.auth is None
    assert await people.read_user() == before
    assert await people.read_user("bob") == {}


def _places(body: JsonMap) -> Iterator[tuple[str, ...]]:
    for name, value in body.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, *place) for place in _places(value))


def _with(body: JsonMap, place: tuple[str, ...], value: Any) -> JsonMap:
    name, *rest = place
    return {**body, name: _with(body[name], tuple(rest), value) if rest else value}


@with_node
async def test_18_client_data_of_other_types_is_refused(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.register(ada)
    odds: list[Any] = [7, None, [], {}, True]
    for odd in odds:
        for name in ("type", "challenge", "origin"):
            response = await people.try_to_log_in(ada, "ada", Tricks(client_data={name: odd}))
            assert response.status == 400
    for name in ("crossOrigin", "topOrigin", "tokenBinding"):
        response = await people.try_to_log_in(ada, "ada", Tricks(client_data={name: 7}))
        assert response.status == 400
    for client in (b"", b"[]", b"{", b"\xff", b"[" * 4000, b"7"):
        body: JsonMap = {"credential": ada.get(await people.begin("login", {}))}
        body["credential"]["response"]["clientDataJSON"] = b64(client)
        assert (await people.send("login/finish", body)).status == 400
