"""People register passkeys at the web page and log in with them, in a browser that has a virtual
authenticator (Chrome DevTools Protocol, domain WebAuthn)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Dialog, Page, expect

from tests.api import Api, tcp
from tests.chromium import chromium, screenshot
from tests.clients.ui import (
    expect_accessible,
    expect_logged_in,
    expect_no_sideways_scrolling,
    expect_nowhere,
    fact,
    log_out,
    visiting,
)
from tests.servers import Server, wardgate_dev

FORBIDDEN_LIST = "Your policies do not let you see them."
OWN_KEYS = """
path "auth/webauthn/user/+" { capabilities = ["read"] }
path "auth/webauthn/user/+/credential/*" { capabilities = ["delete"] }
"""


@dataclass(frozen=True)
class Authenticator:
    """A virtual authenticator of one page's browser. Somebody touches it whenever it is asked."""

    devtools: CDPSession
    id: str

    @classmethod
    def of(cls, page: Page, **options: Any) -> "Authenticator":
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        standard = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = devtools.send(
            "WebAuthn.addVirtualAuthenticator", {"options": {**standard, **options}}
        )
        return cls(devtools, made["authenticatorId"])

    def credentials(self) -> list[Any]:
        found: list[Any] = self.devtools.send(
            "WebAuthn.getCredentials", {"authenticatorId": self.id}
        )["credentials"]
        return found

    def remove(self) -> None:
        """Take it out of the machine."""
        self.devtools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.id})

    def refuse(self) -> None:
        """From now on, whoever holds it fails to prove that they are its owner."""
        self.devtools.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": False}
        )


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Passkeys are for localhost; the one mount is listed and lets anybody register, the other is not
    and lets nobody without a code."""
    with wardgate_dev() as started, Api(tcp(started.port), started.root_token) as api:
        server = Server("localhost", started.port, started.pid)
        policy = {"policy": OWN_KEYS}
        assert api.post("sys/policies/acl/own-keys", policy).status == 204
        for path, free in (("webauthn", True), ("closed", False)):
            visibility = {"listing_visibility": "unauth" if free else "hidden"}
            body = {"type": "webauthn", "config": visibility}
            assert api.post(f"sys/auth/{path}", body).status == 204
            config = {
                "rp_id": "localhost",
                "rp_origins": [server.address],
                "rp_display_name": "Wardgate of the tests",
                "auto_registration": free,
            }
            assert api.post(f"auth/{path}/config", config).status in (200, 204)
        yield server


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    with Api(tcp(server.port), server.root_token) as api:
        yield api


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def register(page: Page, name: str, code: str = "") -> None:
    """Fill in the registration and send it; the form of the login is there before."""
    page.get_by_role("button", name="Register a passkey").click()
    page.get_by_label("Username").fill(name)
    page.get_by_label("Enrolment code").fill(code)
    page.get_by_role("button", name="Make a passkey").click()


def use_passkey(page: Page, name: str = "") -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_role("button", name="Use a passkey").click()


def expect_registered(page: Page) -> None:
    expect(page.get_by_text("Your passkey is registered. Log in with it now.")).to_be_visible()


def test_a_passkey_is_registered_and_logs_in_without_a_name(
    server: Server, browser: Browser
) -> None:
    with visiting(browser, server) as page:
        key = Authenticator.of(page)
        expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()
        expect_accessible(page)
        screenshot(page, "ui-passkey")
        page.get_by_role("button", name="Register a passkey").click()
        expect(page.get_by_role("heading", name="Register a passkey")).to_be_focused()
        expect_accessible(page)
        screenshot(page, "ui-passkey-registration")
        page.get_by_role("button", name="Log in instead").click()
        register(page, "ada")
        expect_registered(page)
        expect(page.get_by_label("Username")).to_have_value("ada")
        (credential,) = key.credentials()
        assert (credential["isResidentCredential"], credential["rpId"]) == (True, "localhost")
        screenshot(page, "ui-passkey-registered")

        with page.expect_response("**/login/finish") as found:
            use_passkey(page)
        token = found.value.json()["auth"]["client_token"]
        expect_logged_in(page)
        expect(fact(page, "Method")).to_have_text("Passkey")
        expect(fact(page, "Policies")).to_have_text("default")
        expect(page.get_by_text(FORBIDDEN_LIST)).to_be_visible()
        expect_accessible(page)
        screenshot(page, "ui-passkey-account")
        expect_nowhere(page, token)
        log_out(page)
        use_passkey(page, "ada")
        expect_logged_in(page)


def test_all_works_by_the_keyboard_alone(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        Authenticator.of(page)
        expect(page.get_by_label("Username")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Register a passkey")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("keyboard")
        page.keyboard.press("Enter")
        expect_registered(page)
        expect(page.get_by_role("status").filter(has_text="registered")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect_logged_in(page)


def test_a_second_key_and_the_removal_of_the_first(
    server: Server, browser: Browser, api: Api
) -> None:
    assert api.post("auth/closed/user/grace", {"token_policies": "own-keys"}).status == 204
    policy = OWN_KEYS.replace("auth/webauthn", "auth/closed")
    assert api.post("sys/policies/acl/own-keys", {"policy": OWN_KEYS + policy}).status == 204
    code = api.post("auth/closed/user/grace/enrolment-code", {}).data["enrolment_code"]
    with visiting(browser, server, "?with=closed") as page:
        page.get_by_label("Method").select_option("webauthn")
        first = Authenticator.of(page)
        register(page, "grace", code)
        expect_registered(page)
        use_passkey(page)
        expect_logged_in(page)
        expect(page.get_by_role("listitem")).to_have_count(1)
        expect(page.get_by_role("listitem")).to_contain_text("in use now")

        page.get_by_role("button", name="Add a passkey").click()
        expect(page.get_by_text("registered already")).to_be_visible()  # by the same authenticator
        first.remove()
        second = Authenticator.of(page, transport="usb")
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.get_by_role("listitem")).to_have_count(2)
        expect_accessible(page)
        screenshot(page, "ui-passkey-two")
        page.set_viewport_size({"width": 320, "height": 800})
        expect_no_sideways_scrolling(page)
        box = page.get_by_role("button", name="Remove the passkey").first.bounding_box()
        assert box is not None
        assert box["height"] < 60  # its word is not broken
        room = page.get_by_role("list").bounding_box()
        assert room is not None
        assert box["x"] + box["width"] <= room["x"] + room["width"]
        screenshot(page, "ui-passkey-two-narrow")
        asked = answering_yes(page)
        in_use = page.get_by_role("listitem").filter(has_text="in use now")
        in_use.get_by_role("button", name="Remove the passkey").click()
        expect(page.get_by_role("listitem")).to_have_count(1)
        assert "this login cannot add passkeys any more" in asked[0]
        assert "your only one" not in asked[0]
        expect(page.get_by_text("the one that you logged in with is removed")).to_be_visible()
        expect(page.get_by_role("button", name="Add a passkey")).to_be_hidden()
        (kept,) = api.get("auth/closed/user/grace").data["credential_ids"]
        assert kept.replace("-", "+").replace("_", "/") in second.credentials()[0]["credentialId"]
        log_out(page)
        assert "with=" not in page.url
        page.goto(f"{server.address}/ui/login?with=closed")
        page.get_by_label("Method").select_option("webauthn")
        use_passkey(page)
        expect_logged_in(page)
        asked.clear()
        page.get_by_role("button", name="Remove the passkey").click()
        expect(page.get_by_role("listitem")).to_have_count(0)
        assert "you will need an enrolment code to register again" in asked[0]


def answering_yes(page: Page) -> list[str]:
    """Agree whenever the page asks. What it has asked comes into the list."""
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept()

    page.on("dialog", agree)
    return asked


def test_a_login_that_cannot_add_a_key_is_not_offered_to(
    server: Server, browser: Browser, api: Api
) -> None:
    for name, fields, why in (
        ("batch", {"token_type": "batch"}, "its token is a batch token"),
        ("few", {"token_num_uses": 3}, "your token may be used only a few times"),
    ):
        assert api.post(f"auth/closed/user/{name}", fields).status == 204
        code = api.post(f"auth/closed/user/{name}/enrolment-code", {}).data["enrolment_code"]
        with visiting(browser, server, f"?with=closed#enrol={name}") as page:
            Authenticator.of(page)
            page.get_by_label("Enrolment code").fill(code)
            page.get_by_role("button", name="Make a passkey").click()
            expect_registered(page)
            use_passkey(page)
            expect_logged_in(page)
            expect(page.get_by_text(why)).to_be_visible()
            expect(page.get_by_role("button", name="Add a passkey")).to_be_hidden()


def test_a_key_that_the_server_does_not_take_any_more_is_explained(
    server: Server, browser: Browser
) -> None:
    with visiting(browser, server) as page:
        Authenticator.of(page)
        register(page, "late")
        expect_registered(page)
        use_passkey(page)
        expect_logged_in(page)
        refusal = {"errors": ["registration failed"]}
        page.route("**/register/begin", lambda route: route.fulfill(status=400, json=refusal))
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.get_by_text("then add the new one within 15 minutes")).to_be_visible()


def test_a_key_that_was_removed_is_refused(server: Server, browser: Browser, api: Api) -> None:
    with visiting(browser, server) as page:
        Authenticator.of(page)
        register(page, "removed")
        expect_registered(page)
        (credential,) = api.get("auth/webauthn/user/removed").data["credential_ids"]
        assert api.delete(f"auth/webauthn/user/removed/credential/{credential}").status == 204
        use_passkey(page)
        expect(page.get_by_role("alert")).to_have_text("login failed")
        expect(page.get_by_role("alert")).to_be_focused()


def test_a_user_who_was_made_before_needs_the_code(
    server: Server, browser: Browser, api: Api
) -> None:
    assert api.post("auth/closed/user/linus", {}).status == 204
    code = api.post("auth/closed/user/linus/enrolment-code", {}).data["enrolment_code"]
    with visiting(browser, server, "?with=closed#enrol=linus") as page:
        assert page.url.endswith("/ui/login?with=closed")
        Authenticator.of(page)
        expect(page.get_by_label("Username")).to_have_value("linus")
        page.get_by_role("button", name="Make a passkey").click()
        expect(page.get_by_role("alert")).to_have_text("registration failed")
        expect(page.get_by_label("Username")).to_have_value("linus")
        page.get_by_label("Enrolment code").fill(code)
        page.get_by_role("button", name="Make a passkey").click()
        expect_registered(page)
        expect_nowhere(page, code)


def test_a_code_in_a_link_is_not_used(server: Server, browser: Browser) -> None:
    """Browsers keep addresses in their history, so nobody is to be tempted to send such links."""
    with visiting(browser, server, "?with=closed#enrol=dora&code=from-a-link") as page:
        expect(page.get_by_label("Username")).to_have_value("dora")
        expect(page.get_by_label("Enrolment code")).to_have_value("")
        assert page.url.endswith("/ui/login?with=closed")


def test_somebody_who_does_not_prove_to_be_the_owner_is_told(
    server: Server, browser: Browser
) -> None:
    with visiting(browser, server) as page:
        key = Authenticator.of(page)
        register(page, "owner")
        expect_registered(page)
        key.remove()
        Authenticator.of(page)  # which has no passkey
        use_passkey(page)
        expect(page.get_by_role("alert")).to_contain_text("No passkey was used")


def test_browsers_without_the_json_of_the_standard_do_as_well(
    server: Server, browser: Browser
) -> None:
    with visiting(browser, server) as page:
        page.add_init_script(
            """delete PublicKeyCredential.parseCreationOptionsFromJSON;
            delete PublicKeyCredential.parseRequestOptionsFromJSON;
            delete PublicKeyCredential.prototype.toJSON;"""
        )
        page.reload()
        Authenticator.of(page)
        register(page, "older")
        expect_registered(page)
        use_passkey(page, "older")
        expect_logged_in(page)
        log_out(page)
        use_passkey(page)
        expect_logged_in(page)


def test_without_https_the_page_says_why_there_are_no_passkeys(
    server: Server, browser: Browser
) -> None:
    with visiting(browser, server) as page:
        page.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false})")
        page.reload()
        expect(page.get_by_text("Passkeys need https")).to_be_visible()
        expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
        expect_accessible(page)


def test_a_page_under_another_name_is_told(server: Server, browser: Browser) -> None:
    """http://127.0.0.1 is secure for browsers, but no domain that passkeys are for."""
    plain = Server("127.0.0.1", server.port)
    with visiting(browser, plain) as page:
        Authenticator.of(page)
        register(page, "ada2")
        right = f"{server.address}/ui/login"
        expect(page.get_by_role("alert")).to_contain_text(f"open this page under {right}.")
        page.get_by_role("button", name="Log in instead").click()
        use_passkey(page)
        expect(page.get_by_role("alert")).to_contain_text(f"open this page under {right}.")


def test_an_origin_that_the_server_does_not_take_is_named(
    server: Server, browser: Browser, api: Api
) -> None:
    assert api.post("sys/auth/elsewhere", {"type": "webauthn"}).status == 204
    config = {"rp_id": "localhost", "rp_origins": ["http://localhost:1"], "auto_registration": True}
    assert api.post("auth/elsewhere/config", config).status in (200, 204)
    with visiting(browser, server, "?with=elsewhere&method=webauthn") as page:
        Authenticator.of(page)
        register(page, "ada3")
        expect(page.get_by_role("alert")).to_contain_text(f"adds {server.address} to rp_origins")
