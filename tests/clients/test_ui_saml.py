"""People log in at the web page by SimpleSAMLphp, which opens in a window of its own."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api import Api, tcp
from tests.chromium import chromium, screenshot
from tests.clients.ui import expect_accessible, expect_logged_in, expect_nowhere, fact, visiting
from tests.servers import Server, wardgate_dev
from tests.simplesamlphp import PASSWORD, Sp, simplesamlphp

BUTTON = "Log in with the provider"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """With a mount for this page, and one whose answers come by another name of the server."""
    with (
        wardgate_dev() as server,
        simplesamlphp() as idp,
        Api(tcp(server.port), server.root_token) as api,
    ):
        known = []
        for mount, host in (("saml", "127.0.0.1"), ("named/saml", "localhost")):
            below = f"http://{host}:{server.port}/v1/auth/{mount}"
            known.append(Sp(entity_id=below, acs_url=f"{below}/callback"))
            body: dict[str, Any] = {"type": "saml", "config": {"listing_visibility": "unauth"}}
            assert api.post(f"sys/auth/{mount}", body).status == 204
            config = {
                "entity_id": below,
                "acs_urls": [f"{below}/callback"],
                "default_role": "people",
                "idp_metadata_url": idp.metadata_url,
            }
            assert api.post(f"auth/{mount}/config", config).status == 200
            for role, name in (("people", "ada@example.com"), ("few", "nobody@example.com")):
                body = {"token_policies": "shop", "bound_subjects": [name]}
                assert api.post(f"auth/{mount}/role/{role}", body).status == 204
        idp.know(*known)
        yield server


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


def log_in_at_the_provider(window: Page) -> None:
    window.locator("#username").fill("ada")
    window.locator("#password").fill(PASSWORD)
    window.locator("#password").press("Enter")


@pytest.mark.parametrize("mount", ["saml", "named/saml"])
def test_the_provider_and_the_person_let_the_page_in(
    server: Server, browser: Browser, mount: str
) -> None:
    with visiting(browser, server, f"?with={mount}") as page:
        expect(page.get_by_label("Role")).to_be_visible()
        window = begin(page)
        log_in_at_the_provider(window)
        expect(window.get_by_role("heading")).to_have_text("Did you begin this login?")
        expect_accessible(page)
        screenshot(page, "ui-saml-waiting")
        with page.expect_response(
            lambda response: response.url.endswith("/token") and response.ok
        ) as found:
            window.get_by_role("button", name="Yes, log in").click()
        expect_logged_in(page)
        expect(fact(page, "Policies")).to_have_text("default, shop")
        expect_nowhere(page, found.value.json()["auth"]["client_token"])


def test_a_role_that_is_for_others_says_so(server: Server, browser: Browser) -> None:
    with visiting(browser, server, "?with=saml") as page:
        window = begin(page, "few")
        log_in_at_the_provider(window)
        expect(window.get_by_role("alert")).to_be_visible()
        expect(page.get_by_role("alert")).to_be_focused()
        screenshot(page, "ui-saml-refused")


def test_it_can_be_cancelled(server: Server, browser: Browser) -> None:
    with visiting(browser, server, "?with=saml") as page:
        begin(page)
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("button", name=BUTTON)).to_be_visible()
        expect(page.get_by_role("alert")).to_be_hidden()


def test_a_role_that_is_not_there_is_told(server: Server, browser: Browser) -> None:
    with visiting(browser, server, "?with=saml") as page:
        window = begin(page, "nobody")
        expect(page.get_by_role("alert")).to_have_text("role: there is none of this name")
        assert window.is_closed()
