"""What no authenticator makes (security case 18): keys that are none, huge and deep CBOR, attestations
that lie."""

from typing import Any

import pytest
from fido2 import cbor

from tests.authenticator import (
    AT,
    ED,
    EDDSA,
    ES256,
    RS256,
    UP,
    Authenticator,
    Credential,
    Tricks,
    b64,
)
from tests.node import NodeUnderTest, errors, with_node
from tests.passkeys import LOGIN_FAILED, REGISTRATION_FAILED, JsonMap, Passkeys, refusal

RS1, ES256K = -65535, -47  # algorithms that nobody asked for


POINT = bytes(32)
BAD_KEYS: dict[str, Any] = {
    "an algorithm that was not asked for": {1: 3, 3: RS1, -1: b"\xff" * 256, -2: b"\x01\0\x01"},
    "another curve's": {1: 2, 3: ES256K, -1: 8, -2: POINT, -3: POINT},
    "no algorithm": {1: 2, -1: 1, -2: POINT, -3: POINT},
    "an unknown algorithm": {1: 2, 3: -7777, -1: 1, -2: POINT, -3: POINT},
    "an algorithm that is a text": {1: 2, 3: "ES256", -1: 1, -2: POINT, -3: POINT},
    "a point that is not on the curve": {1: 2, 3: ES256, -1: 1, -2: POINT, -3: POINT},
    "a curve that does not belong": {1: 2, 3: ES256, -1: 6, -2: POINT, -3: POINT},
    "coordinates that are numbers": {1: 2, 3: ES256, -1: 1, -2: 5, -3: 7},
    "without coordinates": {1: 2, 3: ES256, -1: 1},
    "a short Edwards point": {1: 1, 3: EDDSA, -1: 6, -2: b"\0"},
    "RSA with exponent 1": {1: 3, 3: RS256, -1: b"\xff" * 256, -2: b"\x01"},
    "RSA with modulus 0": {1: 3, 3: RS256, -1: b"", -2: b"\x01\0\x01"},
    "RSA of 100,000 bits": {1: 3, 3: RS256, -1: b"\xff" * 12_500, -2: b"\xff" * 2000},
    "a text": "key",
    "a list": [1, 2, 3],
    "a number": 7,
    "nothing": {},
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_18_a_key_that_is_none_is_not_registered(name: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        people = await Passkeys.enabled(node)
        response = await people.try_to_register(Authenticator(), "ada", Tricks(cose=BAD_KEYS[name]))
        assert refusal(response) == REGISTRATION_FAILED
        assert await people.read_user() == {}

    body()


DEEP = b"\x81" * 16_000
BAD_CBOR: dict[str, bytes] = {
    "empty": b"\0",
    "deep": DEEP,
    "deep maps": b"\xa1\x00" * 8_000,
    "wide": b"\x99\x3e\x70" + bytes(15_984),
    "a list of 2^64 things": b"\x9b" + b"\xff" * 8,
    "a map of 2^64 things": b"\xbb" + b"\xff" * 8,
    "2^64 bytes": b"\x5b" + b"\xff" * 8,
    "endless": b"\x9f" + b"\x01" * 100,
    "a tag": b"\xc2\x49" + b"\xff" * 9,
    "a float": b"\xfb" + bytes(8),
    "lists as names": b"\xa1\x80\x00",
    "a text that is none": b"\x62\xff\xff",
    "a list": cbor.encode([1, 2, 3]),
    "without data": cbor.encode({"fmt": "none", "attStmt": {}}),
    "data that is text": cbor.encode({"fmt": "none", "attStmt": {}, "authData": "x"}),
    "data that is short": cbor.encode({"fmt": "none", "attStmt": {}, "authData": b"x" * 36}),
    "data without a key": cbor.encode({"fmt": "none", "attStmt": {}, "authData": bytes(37)}),
    "an id that is too long": cbor.encode(
        {"fmt": "none", "attStmt": {}, "authData": bytes(32) + b"\x41" + bytes(20) + b"\xff\xff"}
    ),
}


@pytest.mark.parametrize("name", BAD_CBOR)
def test_18_cbor_that_no_authenticator_makes_is_refused(name: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        people = await Passkeys.enabled(node)
        tricks = Tricks(attestation_object=BAD_CBOR[name])
        response = await people.try_to_register(Authenticator(), "ada", tricks)
        assert refusal(response) == REGISTRATION_FAILED
        assert await people.read_user() == {}

    body()


EXTENSIONS: dict[str, bytes] = {
    "none": b"",
    "a number": b"\0",
    "a list": b"\x80",
    "deep": DEEP[:9000],
    "deep maps": b"\xa1\x00" * 4000,
    "2^64 bytes": b"\x5b" + b"\xff" * 8,
    "a map of 2^64 things": b"\xbb" + b"\xff" * 8,
    "two": b"\xa0\xa0",
}


@pytest.mark.parametrize("name", EXTENSIONS)
def test_18_extensions_that_no_authenticator_makes_are_refused(name: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        people, ada = await Passkeys.enabled(node), Authenticator()
        tricks = Tricks(flags=UP | AT | ED, end=EXTENSIONS[name])
        response = await people.try_to_register(ada, "ada", tricks)
        assert refusal(response) == REGISTRATION_FAILED
        assert await people.read_user() == {}
        await people.register(ada)
        tricks = Tricks(flags=UP | ED, end=EXTENSIONS[name][:1900])
        assert refusal(await people.try_to_log_in(ada, "ada", tricks)) == LOGIN_FAILED

    body()


@with_node
async def test_18_what_is_larger_than_authenticators_make_is_not_looked_at(
    node: NodeUnderTest,
) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    tricks = Tricks(attestation_object=b"\x81" * 1_000_000)
    response = await people.try_to_register(ada, "ada", tricks)
    assert response.status == 400
    assert "credential.response.attestationObject: give at most" in errors(response)[0]
    await people.register(ada)
    for field, size in (
        ("clientDataJSON", 4097),
        ("authenticatorData", 2049),
        ("signature", 2049),
        ("userHandle", 65),
    ):
        body: JsonMap = {"credential": ada.get(await people.begin("login", {}))}
        body["credential"]["response"][field] = b64(b" " * size)
        response = await people.send("login/finish", body)
        assert errors(response)[0].startswith(f"credential.response.{field}: give at most")


@with_node
async def test_18_data_behind_the_authenticators_data_is_refused(node: NodeUnderTest) -> None:
    people, ada = await Passkeys.enabled(node), Authenticator()
    await people.register(ada)
    for flags, end in ((UP, b"\0"), (UP | AT, bytes(18)), (UP | AT, bytes(16) + b"\xff\xff")):
        response = await people.try_to_log_in(ada, "ada", Tricks(flags=flags, end=end))
        assert refusal(response) == LOGIN_FAILED


# Attestations that lie


def _self_signed(key: Credential, signed: bytes) -> JsonMap:
    return {"alg": key.algorithm, "sig": key.sign(signed)}


ATTESTATIONS: dict[str, Tricks] = {
    "none, with something in it": Tricks(statement=lambda key, signed: {"sig": b"x"}),
    "packed, signed by nobody": Tricks(
        fmt="packed", statement=lambda key, signed: {"alg": key.algorithm, "sig": b"x" * 70}
    ),
    "packed, of other data": Tricks(
        fmt="packed", statement=lambda key, signed: _self_signed(key, signed + b"x")
    ),
    "packed, with another algorithm": Tricks(
        fmt="packed", statement=lambda key, signed: {**_self_signed(key, signed), "alg": EDDSA}
    ),
    "packed, with a certificate that is none": Tricks(
        fmt="packed", statement=lambda key, signed: {**_self_signed(key, signed), "x5c": [b"x"]}
    ),
    "packed, empty": Tricks(fmt="packed"),
    "u2f, empty": Tricks(fmt="fido-u2f"),
    "tpm, empty": Tricks(fmt="tpm"),
    "apple, empty": Tricks(fmt="apple"),
    "android, empty": Tricks(fmt="android-safetynet"),
    "packed, a list": Tricks(fmt="packed", statement=lambda key, signed: [1]),
}


@pytest.mark.parametrize("name", ATTESTATIONS)
def test_18_an_attestation_that_lies_is_refused(name: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        people = await Passkeys.enabled(node)
        response = await people.try_to_register(Authenticator(), "ada", ATTESTATIONS[name])
        assert refusal(response) == REGISTRATION_FAILED
        assert await people.read_user() == {}

    body()
