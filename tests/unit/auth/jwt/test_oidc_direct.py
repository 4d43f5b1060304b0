"""The browser goes to the server itself, and the program asks how it ended (callback mode direct)."""

import asyncio
from urllib.parse import urlencode

import pytest

from tests.node import NodeUnderTest, errors
from tests.odd_provider import OddProvider
from tests.unit.auth.jwt.browser_logins import (
    NONCE,
    begun,
    callback,
    configure,
    page_of,
    poll,
    posted,
    role,
    stored,
    with_provider,
)
from tests.visitor import forms_of

PEER = "203.0.113.7:4000"


async def back_from(node: NodeUnderTest, provider: OddProvider) -> dict[str, str]:
    """Begin a login by the role "direct", and log in at the provider."""
    data = await begun(node, role="direct", client_nonce=NONCE)
    return provider.authorize(data["auth_url"])


@with_provider
async def test_a_person_confirms_before_the_program_gets_a_token(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, "direct", callback_mode="direct", poll_interval=2)
    response = await node.write(
        "auth/oidc/oidc/auth_url",
        {"role": "direct", "client_nonce": NONCE, "redirect_uri": "http://localhost/oidc/callback"},
        token="",
        peer=PEER,
    )
    state = response.data["state"]
    assert response.data["poll_interval"] == "2"
    assert errors(await poll(node, state)) == ["authorization_pending"]

    back = provider.authorize(response.data["auth_url"])
    asked = await callback(node, back)
    text = page_of(asked)
    assert asked.status == 200
    assert "203.0.113.7" in text
    assert not provider.used  # nothing happens before the person says so
    assert errors(await poll(node, state)) == ["authorization_pending"]

    (form,) = forms_of(text)
    assert form.method == "get"
    done = await callback(node, form.fields)
    assert (done.status, "logged in" in page_of(done)) == (200, True)
    assert errors(await callback(node, form.fields)) == [
        "Login failed. Expired or missing OAuth state."
    ]
    both = await asyncio.gather(poll(node, state), poll(node, state))
    assert sorted(each.status for each in both) == [200, 400]
    assert not await stored(node)


@with_provider
async def test_a_role_may_leave_the_confirmation_to_the_provider(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, "direct", callback_mode="direct", oidc_disable_confirmation=True)
    back = await back_from(node, provider)
    assert "You are logged in" in page_of(await callback(node, back))
    assert (await poll(node, back["state"])).status == 200


@with_provider
async def test_only_the_program_that_began_the_login_gets_the_token(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, "direct", callback_mode="direct", oidc_disable_confirmation=True)
    response = await node.write(
        "auth/oidc/oidc/auth_url",
        {"role": "direct", "redirect_uri": "http://localhost/oidc/callback"},
        token="",
    )
    assert errors(response) == ["missing client_nonce"]
    back = await back_from(node, provider)
    await callback(node, back)
    for nonce in ("", "guessed"):
        assert errors(await poll(node, back["state"], nonce)) == ["invalid client_nonce"]
    assert (await poll(node, back["state"])).status == 200


@with_provider
async def test_the_program_hears_why_a_login_failed(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, "direct", callback_mode="direct", bound_claims={"team": "<b>core</b>"})
    back = await back_from(node, provider)
    page = await callback(node, {**back, "confirmation": "1"})
    assert page.status == 400
    assert "error validating claims" in page_of(page)
    assert 'claim "team" is missing' in errors(await poll(node, back["state"]))[0]
    assert errors(await poll(node, back["state"])) == [
        "Login failed. Expired or missing OAuth state."
    ]


@with_provider
async def test_nobody_ends_a_login_who_has_only_seen_its_state(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, "direct", callback_mode="direct", token_bound_cidrs="127.0.0.1")
    back = await back_from(node, provider)
    refused = {"state": back["state"], "error": "access_denied", "error_description": "<script>"}
    page = await callback(node, refused)
    assert page.status == 400
    assert "access_denied" in page_of(page)
    for sent in ({"error": "access_denied"}, {"code": "guessed"}, {"iss": "https://x"}, {}):
        query = {"state": back["state"], "confirmation": "1", **sent}
        assert (await callback(node, query)).status == 400
    assert (await callback(node, {**back, "confirmation": "1"}, peer=PEER)).status == 403
    assert errors(await poll(node, back["state"])) == ["authorization_pending"]
    assert (await callback(node, {**back, "confirmation": "1"})).status == 200
    assert (await poll(node, back["state"])).status == 200


@with_provider
async def test_addresses_that_a_role_is_bound_to_hold_for_browser_and_program(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, "direct", callback_mode="direct", token_bound_cidrs="127.0.0.1")
    back = await back_from(node, provider)
    page = await callback(node, {**back, "confirmation": "1"}, peer=PEER)
    assert (page.status, "permission denied" in page_of(page)) == (403, True)
    back = await back_from(node, provider)
    await callback(node, {**back, "confirmation": "1"})
    assert (await poll(node, back["state"], peer=PEER)).status == 403
    assert (await poll(node, back["state"])).status == 200


@with_provider
async def test_a_browser_gets_a_page_when_a_login_is_over(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    answer = await node.http(
        "GET",
        "/v1/auth/oidc/oidc/callback",
        query="state=x&error_description=<script>",
        headers={"accept": "text/html,*/*"},
        token=None,
    )
    assert answer.status == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert b"script" not in answer.body


@with_provider
async def test_a_role_that_was_changed_since_gives_no_token(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    same = {"callback_mode": "direct", "oidc_disable_confirmation": True}
    await role(node, "direct", **same)
    back = await back_from(node, provider)
    await callback(node, back)
    await role(node, "direct", **same, bound_claims={"team": "core"})
    assert errors(await poll(node, back["state"])) == [
        "Login failed. Role has changed; log in again."
    ]
    await role(node, "direct", **same, bound_claims={})
    assert (await poll(node, back["state"])).status == 400
    back = await back_from(node, provider)
    await callback(node, back)
    await role(node, "direct", **same)
    assert (await poll(node, back["state"])).status == 200


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_a_second_click_does_no_harm(mode: str) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        await configure(node, provider, oidc_response_mode=mode)
        await role(node, "direct", callback_mode="direct")
        back = await back_from(node, provider)
        asked = await (callback(node, back) if mode == "query" else posted(node, back))
        (form,) = forms_of(page_of(asked))
        answers = await asyncio.gather(*(callback(node, form.fields) for _ in range(3)))
        assert sorted(each.status for each in answers) == [200, 400, 400]
        assert len(provider.used) == 1
        page = await node.http(
            "GET",
            "/v1/auth/oidc/oidc/callback",
            query=urlencode(form.fields),
            headers={"accept": "text/html"},
            token=None,
        )
        assert (page.status, b"has ended already" in page.body) == (200, True)
        assert (await poll(node, back["state"])).status == 200

    check()


@pytest.mark.parametrize("types", [["code"], ["id_token"], ["code", "id_token"]])
def test_what_is_posted_waits_for_the_confirmation(types: list[str]) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        await configure(node, provider, oidc_response_mode="form_post", oidc_response_types=types)
        await role(node, "direct", callback_mode="direct")
        back = await back_from(node, provider)
        text = page_of(await posted(node, back))
        (form,) = forms_of(text)
        for secret in (back.get("code"), back.get("id_token")):
            assert secret is None or secret not in text
        assert "You are logged in" in page_of(await callback(node, form.fields))
        assert (await poll(node, back["state"])).status == 200

    check()
