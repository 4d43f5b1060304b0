"""Somebody logs in with a real browser, at a real provider, for a program that waits."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.api import Api, tcp
from tests.chromium import chromium, open_page, screenshot
from tests.clients.shell import BIN
from tests.login_program import LoginProgram
from tests.providers import CLIENT_ID, CLIENT_SECRET, Provider, oidc_provider
from tests.servers import Server, free_port, wardgate_dev


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with wardgate_dev() as server:
        yield server


@pytest.fixture(scope="module")
def provider(server: Server) -> Iterator[Provider]:
    callbacks = ["http://localhost/oidc/callback", f"{server.address}/v1/auth/oidc/oidc/callback"]
    with oidc_provider(callbacks) as provider, Api(tcp(server.port), server.root_token) as api:
        for mount, mode in (("oidc", "query"), ("posted", "form_post")):
            api.post(f"sys/auth/{mount}", {"type": "oidc"})
            config = {
                "oidc_discovery_url": provider.issuer,
                "oidc_client_id": CLIENT_ID,
                "oidc_client_secret": CLIENT_SECRET,
                "oidc_response_mode": mode,
            }
            assert api.post(f"auth/{mount}/config", config).status == 204
            for role, callback_mode in (("people", "client"), ("direct", "direct")):
                body = {
                    "user_claim": "sub",
                    "callback_mode": callback_mode,
                    "poll_interval": 1,
                    "allowed_redirect_uris": callbacks,
                }
                assert api.post(f"auth/{mount}/role/{role}", body).status == 204
        yield provider


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def login(server: Server, home: Path, *settings: str) -> LoginProgram:
    command = [str(BIN / "wardgate"), "login", "-method=oidc", "-format=json"]
    return LoginProgram([*command, *settings, "skip_browser=true"], server, home)


@pytest.mark.parametrize("dark", [False, True])
def test_the_server_asks_whether_it_was_you(
    server: Server, provider: Provider, browser: Browser, tmp_path: Path, dark: bool
) -> None:
    shade = "dark" if dark else "light"
    with (
        login(server, tmp_path, "role=direct", "callbackmode=direct") as waiting,
        open_page(browser, dark=dark) as page,
    ):
        page.goto(waiting.page())
        page.get_by_label("Name").fill("ada")
        page.get_by_role("button", name="Log in").click()

        expect(page.get_by_role("heading")).to_have_text("Did you begin this login?")
        expect(page.get_by_role("definition").first).to_have_text("127.0.0.1")
        screenshot(page, f"oidc-confirmation-{shade}")
        page.keyboard.press("Tab")  # by the keyboard alone
        expect(page.get_by_role("button", name="Yes, log in")).to_be_focused()
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading")).to_have_text("You are logged in")
        screenshot(page, f"oidc-logged-in-{shade}")
        ended = waiting.ended()
    assert ended.code == 0, ended.said
    auth = json.loads(ended.output)["auth"]
    assert auth["metadata"] == {"role": "direct"}
    assert auth["client_token"] not in page.url


@pytest.mark.parametrize("mount", ["oidc", "posted"])
def test_the_browser_comes_back_to_the_program(
    server: Server, provider: Provider, browser: Browser, tmp_path: Path, mount: str
) -> None:
    settings = (f"-path={mount}", "role=people", f"port={free_port()}")
    with login(server, tmp_path, *settings) as waiting, open_page(browser) as page:
        page.goto(waiting.page())
        page.get_by_label("Name").fill("ada")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading")).to_have_text("You are logged in")
        ended = waiting.ended()
    assert ended.code == 0, ended.said
    assert json.loads(ended.output)["auth"]["metadata"] == {"role": "people"}


def test_a_refusal_is_told_to_whoever_looks_at_the_browser(
    server: Server, provider: Provider, browser: Browser, tmp_path: Path
) -> None:
    with (
        login(server, tmp_path, "role=people", f"port={free_port()}") as waiting,
        open_page(browser) as page,
    ):
        page.goto(waiting.page())
        page.get_by_role("button", name="Deny").click()
        expect(page.get_by_role("alert")).to_contain_text("access_denied")
        screenshot(page, "oidc-refused")
        ended = waiting.ended()
    assert ended.code == 2
    assert "access_denied" in ended.said
