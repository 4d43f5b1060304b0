"""People log in at SimpleSAMLphp: with a real browser, for `wardgate login -method=saml`."""

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api import Api, tcp
from tests.chromium import chromium, open_page, screenshot
from tests.clients.shell import BIN
from tests.login_program import LoginProgram
from tests.saml_idp import request_of
from tests.servers import Server, wardgate_dev
from tests.simplesamlphp import PASSWORD, Idp, Sp, simplesamlphp
from tests.visitor import Visitor

GCM = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
CBC = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
MOUNTS: dict[str, dict[str, Any]] = {
    "saml": {"default_role": "people"},
    "strict": {"validate_response_signature": True, "validate_assertion_signature": True},
    "gcm": {},
    "cbc": {},
}
ENCRYPTION = {"gcm": GCM, "cbc": CBC}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with wardgate_dev() as server:
        yield server


@pytest.fixture(scope="module")
def idp(server: Server) -> Iterator[Idp]:
    with simplesamlphp() as idp, Api(tcp(server.port), server.root_token) as api:
        idp.know(*(_mounted(api, server, idp, mount) for mount in MOUNTS))
        yield idp


def _mounted(api: Api, server: Server, idp: Idp, mount: str) -> Sp:
    """A mount that people of the provider may log in to."""
    below = f"{server.address}/v1/auth/{mount}"
    config = {
        "entity_id": below,
        "acs_urls": [f"{below}/callback"],
        "idp_metadata_url": idp.metadata_url,
        **MOUNTS[mount],
    }
    assert api.post(f"sys/auth/{mount}", {"type": "saml"}).status == 204
    answer = api.post(f"auth/{mount}/config", config)
    assert answer.status == 200, answer.body  # warnings: nothing here has TLS
    role = {
        "bound_subjects": "*@example.com",
        "bound_subjects_type": "glob",
        "bound_attributes": {"groups": "engineers"},
        "groups_attribute": "groups",
        "token_policies": "default",
    }
    assert api.post(f"auth/{mount}/role/people", role).status == 204
    with urllib.request.urlopen(f"{below}/metadata") as response:
        found = re.search("<ds:X509Certificate>(.*)</ds:X509Certificate>", response.read().decode())
    assert found is not None
    return Sp(
        entity_id=below,
        acs_url=f"{below}/callback",
        encryption=ENCRYPTION.get(mount, ""),
        certificate=found[1],
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def login(server: Server, home: Path, *settings: str) -> LoginProgram:
    command = [str(BIN / "wardgate"), "login", "-method=saml", "-format=json"]
    return LoginProgram([*command, *settings, "skip_browser=true"], server, home)


def _log_in(page: Page, name: str = "ada") -> None:
    page.locator("#username").fill(name)
    page.locator("#password").fill(PASSWORD)
    page.locator("#submit_button").click()


@pytest.mark.parametrize("dark", [False, True])
def test_somebody_logs_in_with_a_browser(
    server: Server, idp: Idp, browser: Browser, tmp_path: Path, dark: bool
) -> None:
    shade = "dark" if dark else "light"
    with (
        login(server, tmp_path, "role=people") as waiting,
        open_page(browser, dark=dark) as page,
    ):
        page.goto(waiting.page())
        _log_in(page)

        expect(page.get_by_role("heading")).to_have_text("Did you begin this login?")
        expect(page.get_by_role("definition").first).to_have_text("ada@example.com")
        screenshot(page, f"saml-confirmation-{shade}")
        page.keyboard.press("Tab")  # by the keyboard alone
        expect(page.get_by_role("button", name="Yes, log in")).to_be_focused()
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading")).to_have_text("You are logged in")
        screenshot(page, f"saml-logged-in-{shade}")
        ended = waiting.ended()
    assert ended.code == 0, ended.said
    auth = json.loads(ended.output)["auth"]
    assert auth["metadata"] == {"role": "people"}
    assert page.url == f"{server.address}/v1/auth/saml/callback"
    assert (tmp_path / ".vault-token").read_text() == auth["client_token"]


@pytest.mark.parametrize("mount", MOUNTS)
def test_answers_are_signed_and_encrypted_as_the_provider_likes(
    server: Server, idp: Idp, tmp_path: Path, mount: str
) -> None:
    with login(server, tmp_path, "role=people", f"-path={mount}", "-no-store") as waiting:
        visitor = Visitor()
        fields = {"username": "ada", "password": PASSWORD}
        last = visitor.fill_in(visitor.open(waiting.page()), fields)
        assert "You are logged in" in last.text
        ended = waiting.ended()
    assert ended.code == 0, ended.said
    assert json.loads(ended.output)["auth"]["metadata"] == {"role": "people"}
    assert not (tmp_path / ".vault-token").exists()


def test_whoever_the_role_is_not_for_is_told_so(server: Server, idp: Idp, tmp_path: Path) -> None:
    with login(server, tmp_path) as waiting:
        visitor = Visitor()
        fields = {"username": "grace", "password": PASSWORD}
        last = visitor.fill_in(visitor.open(waiting.page()), fields)
        assert last.status == 403
        assert "bound_attributes" in last.text
        ended = waiting.ended()
    assert ended.code == 2
    assert "bound_attributes" in ended.said


def test_the_answer_may_come_to_the_address_that_the_program_knows(
    server: Server, idp: Idp, tmp_path: Path
) -> None:
    """Where the server has several, and the program names none."""
    with Api(tcp(server.port), server.root_token) as api:
        below = f"{server.address}/v1/auth/several"
        config = {
            "entity_id": below,
            "acs_urls": ["https://elsewhere.example.test/callback", f"{below}/callback"],
            "idp_metadata_url": idp.metadata_url,
            "default_role": "people",
        }
        api.post("sys/auth/several", {"type": "saml"})
        assert api.post("auth/several/config", config).status == 200
        assert api.post("auth/several/role/people", {"bound_subjects": "ada"}).status == 204
    with login(server, tmp_path, "-path=several") as waiting:
        request, _ = request_of(waiting.page())
    assert request.get("AssertionConsumerServiceURL") == f"{below}/callback"


def test_a_role_that_is_not_there_is_told(server: Server, idp: Idp, tmp_path: Path) -> None:
    with login(server, tmp_path, "role=nobody") as waiting:
        ended = waiting.ended()
    assert ended.code == 2
    assert "role: there is none of this name" in ended.said


@pytest.mark.parametrize("word", ["skip_browser=maybe", "port=1"])
def test_a_wrong_setting_is_refused(server: Server, tmp_path: Path, word: str) -> None:
    command = [str(BIN / "wardgate"), "login", "-method=saml", word]
    with LoginProgram(command, server, tmp_path) as program:
        assert program.ended().code == 1
