"""Passkeys of a real browser, Chromium with a virtual authenticator: what it takes and gives is what
the server gives and takes. The page has nothing but what the test lets it do."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.api import Api, tcp
from tests.chromium import chromium, open_page
from tests.servers import ROOT_TOKEN, wardgate_dev

PATH = "auth/webauthn"
CREATE = """async (options) => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey);
  return (await navigator.credentials.create({publicKey})).toJSON();
}"""
GET = """async (options) => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey);
  return (await navigator.credentials.get({publicKey})).toJSON();
}"""
POST = """async ([path, body]) => {
  const headers = {"Content-Type": "application/json"};
  const request = {method: "POST", headers, body: JSON.stringify(body)};
  return (await fetch("/v1/" + path, request)).json();
}"""


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with wardgate_dev() as server, Api(tcp(server.port), ROOT_TOKEN) as api:
        origin = f"http://localhost:{server.port}"
        config = {"rp_id": "localhost", "rp_origins": [origin], "auto_registration": False}
        assert api.post(f"sys/{PATH}", {"type": "webauthn"}).status == 204
        assert api.post(f"{PATH}/config", config).status == 204
        yield api


@pytest.fixture(scope="module")
def page(api: Api) -> Iterator[Page]:
    """A page of the server, with an authenticator that keeps passkeys and agrees to everything."""
    origin = api.get(f"{PATH}/config").data["rp_origins"][0]
    with chromium() as browser, open_page(browser) as page:
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        page.goto(f"{origin}/v1/sys/health")
        yield page


def _post(page: Page, path: str, body: dict[str, Any]) -> Any:
    return page.evaluate(POST, [f"{PATH}/{path}", body])


def _enrolled(api: Api, page: Page, name: str) -> dict[str, Any]:
    """What the browser made for a user who has a code."""
    assert api.post(f"{PATH}/user/{name}", {"token_policies": "default"}).status == 204
    code = api.post(f"{PATH}/user/{name}/enrolment-code", {}).data["enrolment_code"]
    begun = _post(page, "register/begin", {"username": name, "enrolment_code": code})
    made: dict[str, Any] = page.evaluate(CREATE, begun["data"])
    answer = _post(page, "register/finish", {"username": name, "credential": made})
    assert answer["data"] == {"username": name, "message": "registration successful"}
    return made


def test_a_passkey_is_registered_and_logs_in_with_the_name_and_without(
    api: Api, page: Page
) -> None:
    made = _enrolled(api, page, "ada")
    assert api.get(f"{PATH}/user/ada").data["credential_ids"] == [made["id"]]
    for body in ({"username": "ada"}, {}):
        begun = _post(page, "login/begin", body)
        signed = page.evaluate(GET, begun["data"])
        answer = _post(page, "login/finish", {**body, "credential": signed})
        assert answer["auth"]["metadata"]["username"] == "ada"
        assert answer["auth"]["metadata"]["attestation_type"] == "none"


def test_a_browser_registers_no_key_twice(api: Api, page: Page) -> None:
    _enrolled(api, page, "bob")
    code = api.post(f"{PATH}/user/bob/enrolment-code", {}).data["enrolment_code"]
    begun = _post(page, "register/begin", {"username": "bob", "enrolment_code": code})
    failure = page.evaluate(
        f"(options) => ({CREATE})(options).then(() => '', error => error.name)", begun["data"]
    )
    assert failure == "InvalidStateError"


def test_a_browser_has_none_of_the_keys_that_are_made_up(page: Page) -> None:
    begun = _post(page, "login/begin", {"username": "nobody"})
    begun["data"]["publicKey"]["timeout"] = 1
    failure = page.evaluate(
        f"(options) => ({GET})(options).then(() => '', error => error.name)", begun["data"]
    )
    assert failure == "NotAllowedError"
