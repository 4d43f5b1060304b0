"""People log in at the web page by their directory."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.api import Api, tcp
from tests.chromium import chromium, screenshot
from tests.clients.ui import expect_accessible, expect_logged_in, expect_nowhere, fact, visiting
from tests.servers import Server, wardgate_dev
from tests.services.directory_entries import (
    GROUPS,
    ODD_NAME,
    PASSWORDS,
    PEOPLE,
    SERVICE,
    SERVICE_PASSWORD,
)
from tests.services.slapd import Slapd, slapd


@pytest.fixture(scope="module")
def directory() -> Iterator[Slapd]:
    with slapd() as directory:
        yield directory


@pytest.fixture(scope="module")
def server(directory: Slapd) -> Iterator[Server]:
    with wardgate_dev() as server, Api(tcp(server.port), server.root_token) as api:
        body = {
            "type": "ldap",
            "description": "Example Inc.",
            "config": {"listing_visibility": "unauth"},
        }
        assert api.post("sys/auth/corp/ldap", body).status == 204
        config = {
            "url": directory.url,
            "binddn": SERVICE,
            "bindpass": SERVICE_PASSWORD,
            "userdn": PEOPLE,
            "userattr": "uid",
            "groupdn": GROUPS,
            "token_policies": "shop",
        }
        assert api.post("auth/corp/ldap/config", config).status in (200, 204)
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def test_somebody_of_the_directory_logs_in(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        expect(page.get_by_role("link", name="Example Inc.")).to_be_visible()
        expect_accessible(page)
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password", exact=True).fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_be_focused()
        screenshot(page, "ui-ldap-refused")
        page.get_by_label("Password", exact=True).fill(PASSWORDS["ada"])
        page.keyboard.press("Enter")
        expect_logged_in(page)
        expect(fact(page, "Method")).to_have_text("LDAP (corp/ldap)")
        expect(fact(page, "Policies")).to_have_text("default, shop")
        expect_nowhere(page, PASSWORDS["ada"])


def test_an_odd_name_and_password_go_through_unharmed(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        page.get_by_label("Username").fill(ODD_NAME)
        page.get_by_label("Password", exact=True).fill(PASSWORDS["odd"])
        page.keyboard.press("Enter")
        expect_logged_in(page)


def test_a_directory_that_is_away_is_told(
    server: Server, browser: Browser, directory: Slapd
) -> None:
    directory.stop()
    try:
        with visiting(browser, server) as page:
            page.get_by_label("Username").fill("ada")
            page.get_by_label("Password", exact=True).fill(PASSWORDS["ada"])
            page.keyboard.press("Enter")
            expect(page.get_by_role("alert")).to_be_focused()
            expect(page.get_by_label("Username")).to_have_value("ada")
            screenshot(page, "ui-ldap-away")
    finally:
        directory.start()
