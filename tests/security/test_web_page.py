"""The web page forgets everything at logout: line 43 of CASES.md (CVE-2021-38554)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api import Api, tcp
from tests.chromium import chromium
from tests.clients.ui import (
    PASSWORD,
    expect_nowhere,
    fact,
    log_in_by_password,
    log_out,
    make_user,
    visiting,
)
from tests.servers import Server, wardgate_dev

NAME = "ada.lovelace"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with wardgate_dev() as server:
        with Api(tcp(server.port), server.root_token) as api:
            config = {"listing_visibility": "unauth"}
            body = {"type": "userpass", "config": config}
            assert api.post("sys/auth/userpass", body).status == 204
        make_user(server, NAME)
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def expect_forgotten(page: Page, token: str) -> None:
    """The page is as strangers see it."""
    expect(page.get_by_label("Username")).to_have_value("")
    expect_nowhere(page, token, PASSWORD, NAME)


def heap(page: Page) -> str:
    """All that the page's scripts hold, after what nobody needs was thrown away."""
    devtools = page.context.new_cdp_session(page)
    pieces: list[str] = []
    devtools.on("HeapProfiler.addHeapSnapshotChunk", lambda event: pieces.append(event["chunk"]))
    devtools.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    devtools.detach()
    return "".join(pieces)


def test_43_nothing_is_left_after_a_logout(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        token = log_in_by_password(page, NAME)
        assert token in heap(page)
        log_out(page)
        expect_forgotten(page, token)
        left = heap(page)
        assert token not in left
        assert PASSWORD not in left
    with Api(tcp(server.port), token) as api:
        assert api.get("auth/token/lookup-self").status == 403


def test_43_going_back_shows_nothing(server: Server, browser: Browser) -> None:
    with visiting(browser, server, "?with=token") as page:
        page.goto(f"{server.address}/ui/login")
        token = log_in_by_password(page, NAME)
        log_out(page)
        for move in (page.go_back, page.go_forward, page.reload, page.go_back):
            move()
            expect(page.get_by_role("heading", name="Log in")).to_be_visible()
            expect_nowhere(page, token, PASSWORD, NAME)


def test_43_a_page_that_was_left_is_forgotten_too(server: Server, browser: Browser) -> None:
    """As when somebody goes elsewhere without logging out, and somebody else goes back."""
    with visiting(browser, server) as page:
        token = log_in_by_password(page, NAME)
        page.goto(f"{server.address}/ui/static/icon.svg")
        page.go_back()
        expect_forgotten(page, token)


def test_43_the_page_forgets_although_the_server_cannot_be_told(
    server: Server, browser: Browser
) -> None:
    with visiting(browser, server) as page:
        token = log_in_by_password(page, NAME)
        page.route("**/revoke-self", lambda route: route.fulfill(status=500, body="{}"))
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_text("the server has not ended it")).to_be_visible()
        expect_forgotten(page, token)
        page.go_back()
        page.go_forward()
        expect_forgotten(page, token)


def test_43_a_token_that_has_ended_elsewhere_is_forgotten(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        token = log_in_by_password(page, NAME)
        with Api(tcp(server.port), token) as api:
            assert api.post("auth/token/revoke-self", {}).status == 204
        page.get_by_role("button", name="Renew").click()
        expect(page.get_by_role("alert")).to_contain_text("Your login has ended")
        expect_forgotten(page, token)


def test_43_the_next_one_sees_nothing_of_the_one_before(server: Server, browser: Browser) -> None:
    make_user(server, "grace")
    with visiting(browser, server) as page:
        token = log_in_by_password(page, NAME)
        log_out(page)
        log_in_by_password(page, "grace")
        expect(fact(page, "Name")).to_have_text("userpass-grace")
        expect_nowhere(page, token, NAME)


def test_43_no_document_may_be_kept(server: Server, browser: Browser) -> None:
    with visiting(browser, server) as page:
        for path in ("/ui/login", "/ui/account", "/ui/vault/auth/oidc/oidc/callback", "/ui/none"):
            answer = page.goto(server.address + path)
            assert answer is not None
            assert answer.headers["cache-control"] == "no-store"
