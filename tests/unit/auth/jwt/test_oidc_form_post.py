"""Providers that have the browser post what they say (OAuth 2.0 Form Post Response Mode)."""

from urllib.parse import quote

import pytest

from tests.issuer import signed
from tests.node import NodeUnderTest
from tests.odd_provider import CLIENT_ID, OddProvider
from tests.unit.auth.jwt.browser_logins import (
    NONCE,
    begun,
    callback,
    configure,
    page_of,
    posted,
    role,
    with_provider,
)
from tests.visitor import forms_of


async def back_to_program(node: NodeUnderTest, provider: OddProvider) -> dict[str, str]:
    """Begin a login, and log in at the provider; what the program forwards."""
    data = await begun(node, client_nonce=NONCE)
    return {**provider.authorize(data["auth_url"]), "client_nonce": NONCE}


@pytest.mark.parametrize("types", [[], ["id_token"]])
def test_a_login_is_posted_and_ended_by_the_program(types: list[str]) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        await configure(node, provider, oidc_response_mode="form_post", oidc_response_types=types)
        back = await back_to_program(node, provider)
        page = await posted(node, back)
        assert (page.status, "goes on" in page_of(page)) == (200, True)
        query = {"state": back["state"], "code": "no_code", "client_nonce": NONCE}
        assert (await callback(node, query)).auth is not None
        assert (await posted(node, back)).status == 400

    check()


@pytest.mark.parametrize("types", [["code"], ["id_token"]])
def test_a_page_that_is_loaded_again_asks_the_same_again(types: list[str]) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        await configure(node, provider, oidc_response_mode="form_post", oidc_response_types=types)
        await role(node, callback_mode="direct")
        data = await begun(node, client_nonce=NONCE)
        back = provider.authorize(data["auth_url"])
        page = page_of(await posted(node, back))
        assert page_of(await posted(node, back)) == page
        (form,) = forms_of(page)
        assert "You are logged in" in page_of(await callback(node, form.fields))
        assert (await posted(node, back)).status == 400

    check()


@with_provider
async def test_whoever_posts_first_keeps_nobody_out(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await configure(node, provider, oidc_response_mode="form_post")
    await role(node, callback_mode="direct")
    data = await begun(node, client_nonce=NONCE)
    back = provider.authorize(data["auth_url"])
    (first,) = forms_of(page_of(await posted(node, {**back, "code": "of a stranger"})))
    (second,) = forms_of(page_of(await posted(node, back)))
    assert "not confirmed" in page_of(await callback(node, first.fields))
    assert not provider.used
    assert "You are logged in" in page_of(await callback(node, second.fields))


@with_provider
async def test_a_browser_posts_a_form(node: NodeUnderTest, provider: OddProvider) -> None:
    await configure(node, provider, oidc_response_mode="form_post")
    back = await back_to_program(node, provider)
    answer = await node.http(
        "POST",
        "/v1/auth/oidc/oidc/callback",
        f"state={back['state']}&code={back['code']}&client_nonce={quote(NONCE)}".encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
        token=None,
    )
    assert answer.status == 200, answer.body
    # what comes by the query is as good; but what was posted is not replaced
    answer = await node.http(
        "POST",
        "/v1/auth/oidc/oidc/callback",
        b"code=other",
        query=f"state={back['state']}&client_nonce={quote(NONCE)}",
        headers={"content-type": "application/x-www-form-urlencoded"},
        token=None,
    )
    assert (answer.status, b"Expired" in answer.body) == (400, True)
    assert (await callback(node, {**back, "code": "no_code"})).auth is not None


@with_provider
async def test_strangers_store_no_token_of_their_own(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await configure(
        node, provider, oidc_response_mode="form_post", oidc_response_types=["id_token"]
    )
    back = await back_to_program(node, provider)
    now = int(node.clock.now())
    claims = {"iss": provider.address, "sub": "ada", "aud": CLIENT_ID, "iat": now, "exp": now + 60}
    for id_token in (signed(claims, "other"), provider.sign(claims), "x"):  # no nonce
        page = await posted(node, {**back, "id_token": id_token})
        assert (page.status, "logged in" in page_of(page)) == (400, False)
    assert (await posted(node, {**back, "id_token": "", "code": "c"})).status == 400
    assert (await posted(node, {"state": "st_0000x", "code": "c"})).status == 400
    assert (await callback(node, {"state": back["state"], "code": "c"})).status == 400
    assert (await posted(node, back)).status == 200


@with_provider
async def test_a_code_that_is_posted_is_bounded(node: NodeUnderTest, provider: OddProvider) -> None:
    await configure(node, provider, oidc_response_mode="form_post")
    back = await back_to_program(node, provider)
    page = await posted(node, {**back, "code": "c" * 4097})
    assert (page.status, "too long" in page_of(page)) == (400, True)


@with_provider
async def test_nothing_is_posted_where_the_provider_redirects(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    back = await back_to_program(node, provider)
    assert (await posted(node, back)).status == 405
