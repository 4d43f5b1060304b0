"""People log in at the web page by an OpenID provider, which opens in a window of its own."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.api import Api, tcp
from tests.chromium import chromium, screenshot
from tests.clients.ui import (
    expect_accessible,
    expect_logged_in,
    expect_nowhere,
    fact,
    visiting,
)
from tests.providers import (
    CLIENT_ID,
    CLIENT_SECRET,
    DEVICE_CLIENT_ID,
    Provider,
    oidc_provider,
)
from tests.servers import Server, wardgate_dev

PAGE = "ui/vault/auth/oidc/oidc/callback"
SERVER = "v1/auth/oidc/oidc/callback"
BUTTON = "Log in with the provider"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with wardgate_dev() as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def provider(server: Server) -> Iterator[Provider]:
    """Roles for each way to end a login, one that the page may not use, and a mount that has the
    provider post its answers."""
    page, direct = f"{server.address}/{PAGE}", f"{server.address}/{SERVER}"
    posted = f"{server.address}/v1/auth/posted/oidc/callback"
    roles: dict[str, dict[str, Any]] = {
        "people": {"allowed_redirect_uris": [page]},
        "direct": {"allowed_redirect_uris": [direct], "callback_mode": "direct"},
        "both": {"allowed_redirect_uris": [page, direct], "callback_mode": "direct"},
        "terminal": {"allowed_redirect_uris": ["http://localhost:8250/oidc/callback"]},
        "device": {"allowed_redirect_uris": [page], "callback_mode": "device"},
    }
    with (
        oidc_provider([page, direct, posted]) as provider,
        Api(tcp(server.port), server.root_token) as api,
    ):
        for mount, config in (
            ("oidc", {"default_role": "people"}),
            ("posted", {"oidc_response_mode": "form_post"}),
            ("devices", {"oidc_client_id": DEVICE_CLIENT_ID}),
        ):
            body = {"type": "oidc", "config": {"listing_visibility": "unauth"}}
            assert api.post(f"sys/auth/{mount}", body).status == 204
            common = {
                "oidc_discovery_url": provider.issuer,
                "oidc_client_id": CLIENT_ID,
                "oidc_client_secret": CLIENT_SECRET,
            }
            assert api.post(f"auth/{mount}/config", {**common, **config}).status == 204
            for name, fields in roles.items():
                role = {"user_claim": "sub", "poll_interval": 1, "token_ttl": "1h", **fields}
                if mount == "posted":
                    page_there = page.replace("/oidc/", "/posted/", 1)
                    role["allowed_redirect_uris"] = [page_there, posted]
                assert api.post(f"auth/{mount}/role/{name}", role).status == 204
        yield provider


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def begin(page: Page, role: str = "") -> Page:
    """Click, and answer the window that opens."""
    page.get_by_label("Role").fill(role)
    with page.expect_popup() as found:
        page.get_by_role("button", name=BUTTON).click()
    return found.value


def log_in_at_the_provider(window: Page, name: str = "ada") -> None:
    window.get_by_label("Name").fill(name)
    window.get_by_role("button", name="Log in").click()


def test_the_provider_sends_the_browser_back_to_the_page(server: Server, browser: Browser) -> None:
    with visiting(browser, server, "?with=oidc") as page:
        expect(page.get_by_label("Role")).to_be_visible()
        expect_accessible(page)
        screenshot(page, "ui-oidc")
        window = begin(page)
        expect(page.get_by_role("heading", name="Log in in the window")).to_be_focused()
        expect(window.get_by_label("Name")).to_be_visible()
        assert window.evaluate("window.opener") is None
        expect_accessible(page)
        screenshot(page, "ui-oidc-waiting")
        with (
            page.expect_response("**/oidc/callback?*") as found,
            window.expect_event("close"),  # by itself
        ):
            log_in_at_the_provider(window)
        token = found.value.json()["auth"]["client_token"]
        expect_logged_in(page)
        expect(fact(page, "Name")).to_have_text("oidc-ada")
        expect_nowhere(page, token)


@pytest.mark.parametrize("role", ["direct", "both"])
def test_the_server_keeps_the_login_until_the_page_asks(
    server: Server, browser: Browser, role: str
) -> None:
    with visiting(browser, server, "?with=oidc") as page:
        window = begin(page, role)
        log_in_at_the_provider(window)
        expect(window.get_by_role("heading")).to_have_text("Did you begin this login?")
        window.get_by_role("button", name="Yes, log in").click()
        expect_logged_in(page)


def test_a_provider_that_posts_its_answer_needs_the_mode_direct(
    server: Server, browser: Browser
) -> None:
    with visiting(browser, server, "?with=posted") as page:
        window = begin(page, "direct")
        log_in_at_the_provider(window)
        window.get_by_role("button", name="Yes, log in").click()
        expect_logged_in(page)
    with visiting(browser, server, "?with=posted") as page:
        begin(page, "people")
        expect(page.get_by_role("alert")).to_contain_text("callback_mode=direct")


def test_a_device_login_is_confirmed_at_the_provider(server: Server, browser: Browser) -> None:
    with visiting(browser, server, "?with=devices") as page:
        window = begin(page, "device")
        window.get_by_role("button", name="Continue").click()
        log_in_at_the_provider(window)
        expect_logged_in(page)


def test_a_refusal_of_the_provider_is_told(server: Server, browser: Browser) -> None:
    with visiting(browser, server, "?with=oidc") as page:
        window = begin(page)
        window.get_by_role("button", name="Deny").click()
        expect(page.get_by_role("alert")).to_contain_text("access_denied")
        expect(page.get_by_role("alert")).to_be_focused()
        screenshot(page, "ui-oidc-refused")
        log_in_at_the_provider(begin(page))
        expect_logged_in(page)


def test_a_role_for_other_programs_says_what_it_needs(server: Server, browser: Browser) -> None:
    with visiting(browser, server, "?with=oidc") as page:
        window = begin(page, "terminal")
        expect(page.get_by_role("alert")).to_contain_text(f"{server.address}/{PAGE}")
        expect(page.get_by_label("Role")).to_have_value("terminal")
        assert window.is_closed()
        begin(page, "nobody")
        expect(page.get_by_role("alert")).to_have_text("role: there is none of this name")


def test_it_can_be_cancelled(server: Server, browser: Browser) -> None:
    with visiting(browser, server, "?with=oidc") as page:
        window = begin(page)
        expect(window.get_by_label("Name")).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("button", name=BUTTON)).to_be_visible()
        expect(page.get_by_role("alert")).to_be_hidden()
        log_in_at_the_provider(window)
        expect(window.get_by_role("heading")).to_have_text("No login waits for this")
        screenshot(window, "ui-oidc-nobody-waits")


def test_a_window_that_is_blocked_is_a_link(server: Server, browser: Browser) -> None:
    with visiting(browser, server, "?with=oidc") as page:
        page.evaluate("window.open = () => null")  # as a browser that blocks windows
        page.get_by_role("button", name=BUTTON).click()
        link = page.get_by_role("link", name="Open the provider's page")
        expect(link).to_be_visible()
        screenshot(page, "ui-oidc-blocked")
        with page.expect_popup() as found:
            link.click()
        log_in_at_the_provider(found.value)
        expect_logged_in(page)


def test_two_tabs_do_not_take_each_others_answers(server: Server, browser: Browser) -> None:
    with visiting(browser, server, "?with=oidc") as page:
        other = page.context.new_page()
        other.goto(page.url)
        first, second = begin(page), begin(other)
        log_in_at_the_provider(second, "grace")
        expect_logged_in(other)
        expect(fact(other, "Name")).to_have_text("oidc-grace")
        expect(page.get_by_role("button", name="Cancel")).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        assert not first.is_closed()


def test_what_the_provider_brings_leaves_the_address(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        state = "s" * 40
        page.goto(f"{server.address}/{PAGE}?state={state}&code=hunter2")
        expect(page.get_by_role("heading")).to_have_text("No login waits for this")
        assert page.url == f"{server.address}/{PAGE}"
        expect_accessible(page)
        page.goto(f"{server.address}/{PAGE}")
        expect(page.get_by_role("heading")).to_have_text("Nothing to see here")


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(server: Server, browser: Browser, status: int) -> None:
    with visiting(browser, server, "?with=oidc") as page:
        answers = iter([status])

        def busy_once(route: Route) -> None:
            answer = next(answers, None)
            if answer is None:
                route.continue_()
            else:
                route.fulfill(status=answer, json={"errors": ["come back later"]})

        page.route("**/oidc/poll", busy_once)
        with page.expect_response(lambda response: response.status == status):
            window = begin(page, "direct")
        log_in_at_the_provider(window)
        window.get_by_role("button", name="Yes, log in").click()
        expect_logged_in(page)
