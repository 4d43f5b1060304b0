"""People log in at the web page with what needs no other server: passwords and tokens."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.api import Api, tcp
from tests.chromium import chromium, screenshot
from tests.clients.ui import (
    PASSWORD,
    expect_accessible,
    expect_logged_in,
    expect_nowhere,
    fact,
    log_in_by_password,
    log_out,
    make_user,
    password_server,
    visiting,
)
from tests.servers import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with password_server() as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.mark.parametrize("dark", [False, True])
def test_somebody_logs_in_by_password_and_out_again(
    server: Server, browser: Browser, dark: bool
) -> None:
    shade = "dark" if dark else "light"
    with visiting(browser, server, dark=dark) as page:
        expect(page.get_by_role("link", name="People of userpass")).to_be_visible()
        expect(page.get_by_label("Username")).to_have_attribute("autocomplete", "username")
        password = page.get_by_label("Password", exact=True)
        expect(password).to_have_attribute("autocomplete", "current-password")
        expect_accessible(page)
        screenshot(page, f"ui-login-{shade}")
        token = log_in_by_password(page, "ada")

        expect(fact(page, "Name")).to_have_text("userpass-ada")
        expect(fact(page, "Policies")).to_have_text("app, default")
        expect(fact(page, "Time left")).to_contain_text("1 h 59 min")
        expect(fact(page, "Entity")).to_contain_text("entity_")
        assert page.url == f"{server.address}/ui/account"
        expect_accessible(page)
        expect_nowhere(page, token, PASSWORD)
        screenshot(page, f"ui-account-{shade}")
        log_out(page)
        screenshot(page, f"ui-logged-out-{shade}")
        expect_nowhere(page, token, PASSWORD)
    with Api(tcp(server.port), token) as api:
        assert api.get("auth/token/lookup-self").status == 403


@pytest.mark.parametrize("dark", [False, True])
def test_a_wrong_password_is_told_and_the_name_stays(
    server: Server, browser: Browser, dark: bool
) -> None:
    with visiting(browser, server, dark=dark) as page:
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password", exact=True).fill("wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_have_text("invalid username or password")
        expect(page.get_by_role("alert")).to_be_focused()
        expect(page.get_by_label("Username")).to_have_value("ada")
        expect(page.get_by_label("Password", exact=True)).to_have_value("")
        expect_accessible(page)
        screenshot(page, f"ui-wrong-password-{'dark' if dark else 'light'}")
        log_in_by_password(page, "ada")


def test_what_is_left_empty_is_asked_for(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        page.get_by_label("Username").fill("ada")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_have_text("Password: must not be empty.")
        expect(page.get_by_label("Password", exact=True)).to_be_focused()
        expect_accessible(page)


def test_all_works_by_the_keyboard_alone(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        expect(page.get_by_label("Username")).to_be_focused()
        page.keyboard.press("Shift+Tab")
        expect(page.get_by_role("link", name="Another method")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_label("Token")).to_be_visible()
        expect(page.get_by_label("Method")).to_be_focused()
        page.keyboard.type("Username")
        expect(page.get_by_label("Username")).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_label("Mount path")).to_be_focused()
        page.keyboard.type("hidden/staff")
        page.keyboard.press("Tab")
        page.keyboard.type("grace")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="You are logged in")).to_be_focused()
        for name in ("Copy token", "Renew", "Log out"):
            page.keyboard.press("Tab")
            expect(page.get_by_role("button", name=name)).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_text("You are logged out")).to_be_visible()


def test_a_mount_that_is_not_listed_is_reached_by_its_path_only(
    server: Server, browser: Browser
) -> None:
    with visiting(browser, server) as page:
        expect(page.get_by_role("link", name="Another method")).to_be_visible()
        assert "hidden/staff" not in page.content()
    with visiting(browser, server, "?with=hidden/staff/") as page:
        expect(page.get_by_label("Mount path")).to_have_value("hidden/staff")
        expect(page.get_by_label("Method")).to_have_value("")
        expect(page.get_by_role("textbox")).to_have_count(1)  # the path: no password before
        expect(page.get_by_role("button")).to_have_count(0)
        screenshot(page, "ui-another-method")
        expect_accessible(page)
        page.get_by_label("Method").select_option("userpass")
        log_in_by_password(page, "grace")
        expect(fact(page, "Method")).to_have_text("Username and password (hidden/staff)")


def test_the_address_says_what_is_at_a_path(server: Server, browser: Browser) -> None:
    with visiting(browser, server, "?with=hidden/staff&method=userpass") as page:
        expect(page.get_by_label("Mount path")).to_have_value("hidden/staff")
        log_in_by_password(page, "grace")
    with visiting(browser, server, "?with=hidden/oidc&method=oidc") as page:
        expect(page.get_by_label("Role")).to_be_visible()
        expect(page.get_by_label("Mount path")).to_have_value("hidden/oidc")
    for odd in ("constructor", "none", ""):
        with visiting(browser, server, f"?with=hidden/staff&method={odd}") as page:
            expect(page.get_by_label("Method")).to_have_value("")


def test_the_address_chooses_a_method(server: Server, browser: Browser) -> None:
    for asked in ("userpass", "userpass/", "userpass%2F"):
        with visiting(browser, server, f"?with={asked}") as page:
            chosen = page.get_by_role("link", name="People of userpass")
            expect(chosen).to_have_attribute("aria-current", "true")
    with visiting(browser, server, "?with=token") as page:
        expect(page.get_by_label("Token")).to_be_visible()
        expect(page.get_by_label("Mount path")).to_be_hidden()


def test_a_token_logs_in_and_is_copied_for_other_programs(server: Server, browser: Browser) -> None:
    with Api(tcp(server.port), server.root_token) as api:
        auth = api.post("auth/token/create", {"policies": ["app"], "ttl": "1h"}).auth
    token = auth["client_token"]
    with visiting(browser, server, "?with=token") as page:
        page.context.grant_permissions(["clipboard-write"])
        page.get_by_label("Token").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_be_focused()
        expect(page.get_by_label("Token")).to_have_value("")
        page.get_by_label("Token").fill(f" {token} ")
        page.keyboard.press("Enter")
        expect_logged_in(page)
        expect(fact(page, "Name")).to_have_text("token")
        page.get_by_role("button", name="Copy token").click()
        expect(page.get_by_text("Copied. The clipboard").first).to_be_visible()
        expect_nowhere(page, token)
        screenshot(page, "ui-copied")
        other = page.context.new_page()
        other.goto(f"{server.address}/ui/login?with=token")
        other.get_by_label("Token").focus()
        other.keyboard.press("Control+V")
        other.keyboard.press("Enter")
        expect_logged_in(other)


def test_a_token_that_was_brought_along_ends_only_when_asked_for(
    server: Server, browser: Browser
) -> None:
    """Else whoever tries the page with the root token, or one that a program lives by, ends it."""
    with Api(tcp(server.port), server.root_token) as api:
        token = api.post("auth/token/create", {"ttl": "1h"}).auth["client_token"]
        for leave, said, status in (
            ("Log out", "You are logged out. Your token has not ended", 200),
            ("Revoke", "You are logged out, and your token has ended.", 403),
        ):
            with visiting(browser, server, "?with=token") as page:
                page.get_by_label("Token").fill(token)
                page.keyboard.press("Enter")
                page.get_by_role("button", name=leave).click()
                expect(page.get_by_text(said)).to_be_visible()
                expect_nowhere(page, token)
            assert api.call("GET", "auth/token/lookup-self", token=token).status == status


@pytest.mark.parametrize("uses", [1, 3])
def test_a_login_of_few_uses_is_shown_without_spending_one(
    server: Server, browser: Browser, uses: int
) -> None:
    make_user(server, "few", token_num_uses=uses)
    with visiting(browser, server) as page:
        token = log_in_by_password(page, "few")
        expect(fact(page, "Uses left")).to_have_text(str(uses))
        expect(page.get_by_role("button", name="Renew")).to_be_visible(visible=uses > 1)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        with Api(tcp(server.port), token) as api:
            assert api.get("auth/token/lookup-self").data["num_uses"] == (uses - 1 or -1)


def test_the_use_that_a_typed_token_loses_is_told(server: Server, browser: Browser) -> None:
    with Api(tcp(server.port), server.root_token) as api:
        one, three = (
            api.post("auth/token/create", {"num_uses": uses, "ttl": "1h"}).auth["client_token"]
            for uses in (1, 3)
        )
    with visiting(browser, server, "?with=token") as page:
        page.get_by_label("Token").fill(one)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("it has ended")
        page.get_by_label("Token").fill(three)
        page.keyboard.press("Enter")
        expect_logged_in(page)
        expect(fact(page, "Uses left")).to_contain_text("2; this page has spent one")
        page.get_by_role("button", name="Renew").click()
        expect(fact(page, "Uses left")).to_contain_text("1;")
        expect(page.get_by_role("button", name="Renew")).to_be_hidden()


def test_a_batch_token_lives_on_and_the_page_says_so(server: Server, browser: Browser) -> None:
    make_user(server, "batch", token_type="batch")
    with visiting(browser, server) as page:
        token = log_in_by_password(page, "batch")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("alert")).to_contain_text("the server has not ended it")
        expect_nowhere(page, token)


def test_without_a_clipboard_the_token_is_shown_for_a_while(
    server: Server, browser: Browser
) -> None:
    with visiting(browser, server) as page:
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
        page.clock.install()
        page.reload()
        token = log_in_by_password(page, "ada")
        page.get_by_role("button", name="Copy token").click()
        expect(page.get_by_label("Token, shown for 30 seconds")).to_have_value(token)
        expect_accessible(page)
        page.clock.fast_forward("00:31")
        expect(page.get_by_label("Token, shown for 30 seconds")).to_be_hidden()
        expect_nowhere(page, token)


def test_a_clipboard_that_is_refused_leaves_the_token_to_be_shown(
    server: Server, browser: Browser
) -> None:
    with visiting(browser, server) as page:
        page.add_init_script(
            "navigator.clipboard.writeText = () => Promise.reject(new DOMException('no'))"
        )
        page.reload()
        token = log_in_by_password(page, "ada")
        page.get_by_role("button", name="Copy token").click()
        expect(page.locator("main").get_by_text("does not let this page")).to_be_visible()
        expect_nowhere(page, token)
        page.get_by_role("button", name="Show the token").click()
        expect(page.get_by_label("Token, shown for 30 seconds")).to_have_value(token)
        expect_accessible(page)
        page.evaluate(
            """Object.defineProperty(document, "visibilityState", {value: "hidden"});
            document.dispatchEvent(new Event("visibilitychange"))"""
        )
        expect_nowhere(page, token)


def test_what_a_renewal_says_is_seen(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        log_in_by_password(page, "ada")
        answer = {"auth": {"lease_duration": 60, "renewable": True}, "warnings": ["TTL was capped"]}
        page.route("**/renew-self", lambda route: route.fulfill(json=answer))
        page.get_by_role("button", name="Renew").click()
        for said in ("Renewed.", "TTL was capped"):
            expect(page.locator("main").get_by_text(said)).to_be_visible()
        expect_accessible(page)


def test_a_reload_asks_again_and_the_token_lives(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        token = log_in_by_password(page, "ada")
        page.reload()
        expect(page.get_by_label("Username")).to_be_visible()
        assert page.url == f"{server.address}/ui/login"
        expect_nowhere(page, token)
    with Api(tcp(server.port), token) as api:
        assert api.get("auth/token/lookup-self").status == 200


def test_another_fragment_in_the_address_does_not_end_the_login(
    server: Server, browser: Browser
) -> None:
    with visiting(browser, server) as page:
        log_in_by_password(page, "ada")
        page.evaluate("location.hash = 'enrol=grace'")
        page.wait_for_url(f"{server.address}/ui/account")
        page.get_by_role("button", name="Renew").click()
        expect(page.get_by_text("Renewed.").first).to_be_visible()
        expect_logged_in(page)


def test_two_tabs_are_two_logins(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        first = log_in_by_password(page, "ada")
        other = page.context.new_page()
        other.goto(page.url)
        second = log_in_by_password(other, "ada")
        log_out(other)
        page.get_by_role("button", name="Renew").click()
        expect(page.get_by_text("Renewed.").first).to_be_visible()
        expect(page.get_by_role("alert")).to_be_hidden()
    with Api(tcp(server.port)) as api:
        assert api.call("GET", "auth/token/lookup-self", token=first).status == 200
        assert api.call("GET", "auth/token/lookup-self", token=second).status == 403


def test_the_end_is_announced_and_everything_is_forgotten_then(
    server: Server, browser: Browser
) -> None:
    with visiting(browser, server) as page:
        page.clock.install()
        page.reload()
        token = log_in_by_password(page, "ada")
        page.clock.fast_forward("01:56:30")
        expect(page.get_by_text(re.compile(r"Your login ends in \d min"))).to_be_attached()
        screenshot(page, "ui-ends-soon")
        expect_accessible(page)
        with Api(tcp(server.port), token) as api:
            assert api.post("auth/token/revoke-self", {}).status == 204
        page.clock.fast_forward("05:00")
        expect(page.get_by_text("Your login has ended. Log in again.")).to_be_visible()
        expect(page.get_by_label("Username")).to_be_visible()
        expect_nowhere(page, token)


def test_only_the_server_says_that_a_login_has_ended(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        page.clock.install()
        page.reload()
        token = log_in_by_password(page, "ada")
        page.route("**/lookup-self", lambda route: route.fulfill(status=500, body="{}"))
        page.clock.fast_forward("02:10:00")
        expect(fact(page, "Time left")).to_have_text("0 s")
        page.unroute("**/lookup-self")
        page.clock.fast_forward("00:10")
        expect(fact(page, "Time left")).to_contain_text("1 h 59 min")  # what the server says
        with Api(tcp(server.port), token) as api:
            assert api.post("auth/token/revoke-self", {}).status == 204
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.get_by_role("alert")).to_contain_text("Your login has ended")


def test_a_renewal_that_is_refused_ends_the_login_only_if_the_token_has(
    server: Server, browser: Browser
) -> None:
    with visiting(browser, server) as page:
        token = log_in_by_password(page, "ada")
        refusal = {"errors": ["permission denied"]}
        page.route("**/renew-self", lambda route: route.fulfill(status=403, json=refusal))
        page.get_by_role("button", name="Renew").click()
        expect(page.get_by_role("alert")).to_have_text("Permission denied.")
        expect_logged_in(page)
        with Api(tcp(server.port), token) as api:
            assert api.post("auth/token/revoke-self", {}).status == 204
        page.get_by_role("button", name="Renew").click()
        expect(page.get_by_role("alert")).to_contain_text("Your login has ended")
        expect_nowhere(page, token)
