"""The web page as such: what it keeps, fits into and holds to, and a server that is sealed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.api import Api, tcp
from tests.chromium import chromium, screenshot
from tests.clients.ui import (
    NOTHING_KEPT,
    PASSWORD,
    expect_accessible,
    expect_logged_in,
    expect_no_sideways_scrolling,
    fact,
    log_in_by_password,
    make_user,
    password_server,
    visiting,
    what_is_kept,
)
from tests.server_process import initialise, unseal
from tests.servers import Server, wardgate_uninitialised


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with password_server() as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def test_an_odd_name_in_the_address_does_no_harm(server: Server, browser: Browser) -> None:
    for asked in ("constructor", "__proto__", "../../sys", "%22%3E%3Cscript%3E", "/", "%00"):
        with visiting(browser, server, f"?with={asked}") as page:
            if asked == "/":
                expect(page.get_by_role("button", name="Log in")).to_be_visible()
                continue
            expect(page.get_by_label("Method")).to_have_value("")
            if asked == "../../sys":
                page.get_by_label("Method").select_option("userpass")
                page.get_by_label("Username").fill("ada")
                page.get_by_label("Password", exact=True).fill(PASSWORD)
                page.keyboard.press("Enter")
                expect(page.get_by_role("alert")).to_contain_text("must not be '.' or '..'")


def test_where_other_origins_are_named_the_page_says_what_it_needs(
    server: Server, browser: Browser
) -> None:
    with Api(tcp(server.port), server.root_token) as api:
        cors = {"allowed_origins": ["https://example.com"]}
        assert api.post("sys/config/cors", {"enabled": True, **cors}).status == 204
        try:
            with visiting(browser, server) as page:
                page.get_by_label("Username").fill("ada")
                page.get_by_label("Password", exact=True).fill(PASSWORD)
                page.keyboard.press("Enter")
                expect(page.get_by_role("alert")).to_contain_text(f"Add {server.address} to")
                cors["allowed_origins"].append(server.address)
                assert api.post("sys/config/cors", {"enabled": True, **cors}).status == 204
                log_in_by_password(page, "ada")
        finally:
            assert api.delete("sys/config/cors").status == 204


def test_it_fits_into_a_narrow_window_and_a_large_zoom(server: Server, browser: Browser) -> None:
    with visiting(browser, server, "?with=hidden/staff") as page:
        page.set_viewport_size({"width": 320, "height": 640})
        expect_no_sideways_scrolling(page)
        expect_accessible(page)
        screenshot(page, "ui-narrow")
        page.get_by_label("Method").select_option("userpass")
        log_in_by_password(page, "grace")
        expect_no_sideways_scrolling(page)
        screenshot(page, "ui-narrow-account")


def test_long_lists_and_texts_leave_room_for_the_rest(server: Server, browser: Browser) -> None:
    long = "People of the northern hemisphere " * 12 + "\u202e"
    policies = [f"policy-{number}" for number in range(300)]
    make_user(server, "many", token_policies=policies)
    with Api(tcp(server.port), server.root_token) as api:
        config = {"listing_visibility": "unauth"}
        body = {"type": "userpass", "description": long, "config": config}
        assert api.post("sys/auth/long", body).status == 204
        with visiting(browser, server, "?with=userpass") as page:
            page.set_viewport_size({"width": 320, "height": 800})
            pill = page.get_by_role("link", name="People of the northern")
            box = pill.bounding_box()
            assert box is not None
            assert box["height"] < 60  # one line
            expect_no_sideways_scrolling(page)
            screenshot(page, "ui-long-description")
            log_in_by_password(page, "many")
            expect(fact(page, "Policies").get_by_text("301 policies")).to_be_visible()
            expect(page.get_by_text("policy-299")).to_be_hidden()
            expect(page.get_by_role("button", name="Log out")).to_be_in_viewport()
            expect_accessible(page)
            screenshot(page, "ui-many-policies")
            page.get_by_text("301 policies").click()
            expect(page.get_by_text("policy-299")).to_be_visible()
            expect_no_sideways_scrolling(page)
        assert api.delete("sys/auth/long").status == 204


def test_an_address_that_leads_nowhere_says_so(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        answer = page.goto(f"{server.address}/ui/login/nowhere")
        assert answer is not None
        assert answer.status == 404
        expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
        expect_accessible(page)
        page.get_by_role("link", name="Go to the login").click()
        expect(page.get_by_label("Username")).to_be_visible()


def test_it_waits_for_a_sealed_server(browser: Browser) -> None:
    with wardgate_uninitialised("ui = true\n") as server, visiting(browser, server) as page:
        expect(page.get_by_role("heading", name="The server is new")).to_be_visible()
        expect_accessible(page)
        screenshot(page, "ui-uninitialised")
        with Api(tcp(server.port)) as api:
            keys = initialise(api, 2, 2)
            expect(page.get_by_role("heading", name="The server is sealed")).to_be_visible()
            assert api.call("PUT", "sys/unseal", {"key": keys[0]}).status == 200
            expect(page.get_by_text("1 of 2 shares")).to_be_visible()
            screenshot(page, "ui-sealed")
            unseal(api, keys[1:])
            expect(page.get_by_text("choose “Token” and give the root token")).to_be_visible()
            expect(page.get_by_label("Password", exact=True)).to_be_visible()
            expect_accessible(page)
            screenshot(page, "ui-nothing-listed")
            page.get_by_label("Method").select_option("token")
            page.get_by_label("Token").fill(api.token)
            page.keyboard.press("Enter")
            expect_logged_in(page)
            expect(fact(page, "Time left")).to_have_text("No end")


def test_a_server_that_is_sealed_meanwhile_is_waited_for(browser: Browser) -> None:
    with wardgate_uninitialised("ui = true\n") as server, Api(tcp(server.port)) as api:
        (key,) = initialise(api, 1, 1)
        unseal(api, [key])
        with visiting(browser, server, "?with=token") as page:
            page.get_by_label("Token").fill(api.token)
            page.keyboard.press("Enter")
            expect_logged_in(page)
            auth = api.post("auth/token/create", {"ttl": "1h"}).auth
            with visiting(browser, server, "?with=token") as other:
                other.get_by_label("Token").fill(auth["client_token"])
                other.keyboard.press("Enter")
                expect_logged_in(other)
                assert api.call("PUT", "sys/seal").status == 204
                other.get_by_role("button", name="Renew").click()
                expect(other.get_by_role("heading", name="The server is sealed")).to_be_visible()
                expect(other.get_by_role("button", name="Renew")).to_be_hidden()
                expect_accessible(other)
                page.get_by_role("button", name="Revoke").click()
                expect(page.get_by_role("heading", name="The server is sealed")).to_be_visible()
                unseal(api, [key])
                expect_logged_in(other)
                other.get_by_role("button", name="Renew").click()
                expect(other.get_by_text("Renewed.").first).to_be_visible()
            expect(page.get_by_text("the server has not ended it")).to_be_visible()
            expect(page.get_by_text("Vault is sealed")).to_be_hidden()
            expect(page.get_by_label("Method")).to_be_visible()


def test_nothing_is_kept_before_and_no_cookie_after(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        expect(page.get_by_label("Username")).to_be_visible()
        assert what_is_kept(page) == NOTHING_KEPT
        log_in_by_password(page, "ada")
        assert page.context.cookies() == []


def test_what_others_wrote_is_shown_as_text(server: Server, browser: Browser) -> None:
    odd = "<img src=x onerror=alert(1)><b>Staff</b>"
    with Api(tcp(server.port), server.root_token) as api:
        body = {
            "type": "userpass",
            "description": odd,
            "config": {"listing_visibility": "unauth"},
        }
        assert api.post("sys/auth/odd", body).status == 204
        with visiting(browser, server, "?with=odd") as page:
            expect(page.get_by_role("link", name="Staff")).to_have_text(odd)
            page.route(
                "**/login/*", lambda route: route.fulfill(status=400, json={"errors": [odd]})
            )
            page.get_by_label("Username").fill("ada")
            page.get_by_label("Password", exact=True).fill("x")
            page.keyboard.press("Enter")
            expect(page.get_by_role("alert")).to_have_text(odd)
        assert api.delete("sys/auth/odd").status == 204


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("document.body.innerHTML = '<p>x</p>'", "TrustedHTML"),
        ("document.body.setAttribute('style', 'color: red')", "style-src"),
        ("fetch('http://127.0.0.1:1/').catch(() => 0)", "connect-src"),
        (
            "document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:1/'}))",
            "img-src",
        ),
        ("document.querySelector('form').submit()", "form-action"),
    ],
)
def test_the_browser_holds_the_page_to_its_policy(
    server: Server, browser: Browser, script: str, why: str
) -> None:
    def run() -> None:
        with visiting(browser, server) as page:
            page.get_by_label("Username").fill("ada")
            with page.expect_console_message(lambda message: message.type == "error"):
                page.evaluate(f"() => {{ try {{ {script} }} catch {{}} }}")

    with pytest.raises(AssertionError, match=why):
        run()
