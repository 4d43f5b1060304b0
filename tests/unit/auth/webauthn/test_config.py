"""The configuration of a WebAuthn mount."""

from typing import Any

import pytest

from tests.authenticator import Authenticator
from tests.node import NodeUnderTest, errors, with_node
from tests.passkeys import MOUNT, Passkeys, plain

CONFIG = f"{MOUNT}/config"
EMPTY: list[Any] = [None, "", []]
GOOD: dict[str, Any] = {"rp_id": "example.com", "rp_origins": "https://vault.example.com"}


async def _enabled(node: NodeUnderTest) -> None:
    await node.ok(f"sys/{MOUNT}", {"type": "webauthn"})


@with_node
async def test_what_is_not_written_is_not_found(node: NodeUnderTest) -> None:
    await _enabled(node)
    assert (await node.read(CONFIG)).status == 404


@with_node
async def test_defaults_are_shown(node: NodeUnderTest) -> None:
    await _enabled(node)
    assert (await node.write(CONFIG, GOOD)).status == 204
    assert plain((await node.read(CONFIG)).data) == {
        "auto_registration": True,
        "rp_display_name": "example.com",
        "rp_id": "example.com",
        "rp_origins": ["https://vault.example.com"],
        "user_verification": "preferred",
    }


@with_node
async def test_a_write_changes_what_it_names(node: NodeUnderTest) -> None:
    await _enabled(node)
    await node.ok(CONFIG, {**GOOD, "auto_registration": False, "rp_display_name": "Wardgate"})
    await node.ok(CONFIG, {"user_verification": "required"})
    await node.ok(CONFIG, {"rp_origins": ["https://example.com", "https://a.example.com:8200"]})
    assert plain((await node.read(CONFIG)).data) == {
        "auto_registration": False,
        "rp_display_name": "Wardgate",
        "rp_id": "example.com",
        "rp_origins": ["https://example.com", "https://a.example.com:8200"],
        "user_verification": "required",
    }


@with_node
async def test_the_first_write_needs_domain_and_origins(node: NodeUnderTest) -> None:
    await _enabled(node)
    for missing in GOOD:
        for empty in EMPTY:
            response = await node.write(CONFIG, {**GOOD, missing: empty})
            assert response.status == 400
            assert missing in errors(response)[0]
    assert (await node.read(CONFIG)).status == 404


@with_node
async def test_origins_are_kept_as_browsers_write_them(node: NodeUnderTest) -> None:
    await _enabled(node)
    origins = [
        "HTTPS://Vault.Example.com/",
        "https://vault.example.com:443",
        "https://vault.example.com:8443",
    ]
    await node.ok(CONFIG, {"rp_id": "EXAMPLE.com", "rp_origins": origins})
    shown = plain((await node.read(CONFIG)).data)
    assert shown["rp_id"] == "example.com"
    assert shown["rp_origins"] == ["https://vault.example.com", "https://vault.example.com:8443"]
    for local in ("http://localhost:8200", "http://localhost", "https://localhost:1"):
        await node.ok(CONFIG, {"rp_id": "localhost", "rp_origins": local})
    await node.ok(CONFIG, {"rp_id": "vault", "rp_origins": "https://vault:8200"})


BAD: list[tuple[dict[str, Any], str]] = [
    ({"rp_id": "https://example.com"}, "rp_id"),
    ({"rp_id": "example.com:8200"}, "rp_id"),
    ({"rp_id": "127.0.0.1"}, "rp_id"),
    ({"rp_id": "::1"}, "rp_id"),
    ({"rp_id": ".example.com"}, "rp_id"),
    ({"rp_id": "exa mple.com"}, "rp_id"),
    ({"rp_id": ""}, "rp_id"),
    ({"rp_id": "com"}, "rp_origins"),
    ({"rp_id": "com", "rp_origins": "https://example.com"}, "rp_origins"),
    ({"rp_id": "other.example"}, "rp_origins"),
    ({"rp_id": "vault.example.com.evil"}, "rp_origins"),
    ({"rp_origins": "https://example.com.evil"}, "rp_origins"),
    ({"rp_origins": "https://notexample.com"}, "rp_origins"),
    ({"rp_origins": "http://vault.example.com"}, "rp_origins"),
    ({"rp_origins": "vault.example.com"}, "rp_origins"),
    ({"rp_origins": "https://vault.example.com/ui"}, "rp_origins"),
    ({"rp_origins": "https://vault.example.com?x"}, "rp_origins"),
    ({"rp_origins": "https://ada@vault.example.com"}, "rp_origins"),
    ({"rp_origins": "https://vault.example.com:0"}, "rp_origins"),
    ({"rp_origins": "https://vault.example.com:99999"}, "rp_origins"),
    ({"rp_origins": "https://[::1"}, "rp_origins"),
    ({"rp_origins": "android:apk-key-hash:x"}, "rp_origins"),
    ({"rp_origins": "null"}, "rp_origins"),
    ({"rp_origins": ["https://vault.example.com", "*"]}, "rp_origins"),
    ({"rp_origins": []}, "rp_origins"),
    ({"rp_origins": [f"https://a{number}.example.com" for number in range(65)]}, "rp_origins"),
    ({"user_verification": "always"}, "user_verification"),
    ({"user_verification": ""}, "user_verification"),
    ({"rp_display_name": "x" * 257}, "rp_display_name"),
    ({"auto_registration": "perhaps"}, "auto_registration"),
]


@pytest.mark.parametrize(("change", "named"), BAD, ids=lambda value: str(value)[:40])
def test_what_cannot_work_is_refused_and_changes_nothing(
    change: dict[str, Any], named: str
) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await _enabled(node)
        await node.ok(CONFIG, GOOD)
        before = (await node.read(CONFIG)).data
        response = await node.write(CONFIG, change)
        assert response.status == 400
        assert named in errors(response)[0]
        assert "evil" not in errors(response)[0]
        assert (await node.read(CONFIG)).data == before

    body()


@with_node
async def test_without_configuration_nothing_begins(node: NodeUnderTest) -> None:
    await _enabled(node)
    people = Passkeys(node)
    await people.user()
    for path, body in (
        ("register/begin", {"username": "bob"}),
        ("register/finish", {"username": "bob", "credential": {"id": "x"}}),
        ("login/begin", {}),
        ("login/finish", {"credential": {"id": "x"}}),
    ):
        assert "not configured" in errors(await people.send(path, body))[0]
    response = await node.write(f"{MOUNT}/user/ada/enrolment-code")
    assert "not configured" in errors(response)[0]


@with_node
async def test_the_configuration_is_what_browsers_are_asked(node: NodeUnderTest) -> None:
    people = await Passkeys.enabled(
        node, rp_display_name="Wardgate", user_verification="discouraged"
    )
    options = (await people.begin("register", {"username": "ada"}))["publicKey"]
    assert options["rp"] == {"id": "localhost", "name": "Wardgate"}
    assert options["attestation"] == "none"
    assert options["authenticatorSelection"]["userVerification"] == "discouraged"
    assert options["timeout"] == 300_000
    login = (await people.begin("login", {}))["publicKey"]
    assert (login["rpId"], login["userVerification"]) == ("localhost", "discouraged")
    browser = Authenticator(flags=0x01)
    await people.register(browser)
    await people.log_in(browser)


@with_node
async def test_the_mounts_secret_stays_when_it_is_configured_anew(node: NodeUnderTest) -> None:
    people = await Passkeys.enabled(node)
    await people.user()
    code = await people.code()
    before = (await people.begin("login", {"username": "bob"}))["publicKey"]["allowCredentials"]
    await people.configure(rp_display_name="Other")
    after = (await people.begin("login", {"username": "bob"}))["publicKey"]["allowCredentials"]
    assert before == after
    await people.register(Authenticator(), code=code)
