"""Logins at an OpenID provider: lines 9, 10 and 42 of CASES.md."""

import asyncio
import logging
from pathlib import Path

import pytest

from tests.audit import audited_node, written
from tests.node import NodeUnderTest, errors
from tests.odd_provider import CLIENT_SECRET, OddProvider, odd_provider
from tests.unit.auth.jwt.browser_logins import (
    NONCE,
    begun,
    callback,
    configure,
    page_of,
    poll,
    posted,
    role,
    with_provider,
)
from tests.visitor import forms_of

ELSEWHERE = "203.0.113.7:4000"
SCRIPT = '"><script>alert(1)</script>'


@pytest.mark.parametrize("mode", ["client", "direct", "device"])
def test_9_oidc_roles_enforce_bound_cidrs(mode: str) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        await role(
            node, callback_mode=mode, token_bound_cidrs="127.0.0.1", oidc_disable_confirmation=True
        )
        data = await begun(node, client_nonce=NONCE)
        back = {} if mode == "device" else provider.authorize(data["auth_url"])
        back["client_nonce"] = NONCE
        if mode == "client":
            assert (await callback(node, back, peer=ELSEWHERE)).status == 403
            assert (await callback(node, back)).auth is not None
            return
        if mode == "direct":
            assert (await callback(node, back)).status == 200
        assert (await poll(node, data["state"], peer=ELSEWHERE)).status == 403
        response = await poll(node, data["state"])
        assert response.auth is not None
        token = response.auth["client_token"]
        looked = await node.read("auth/token/lookup-self", token=token, peer=ELSEWHERE)
        assert looked.status == 403

    check()


@with_provider
async def test_9_login_refuses_oidc_roles(node: NodeUnderTest, provider: OddProvider) -> None:
    now = int(node.clock.now())
    claims = {"iss": provider.address, "sub": "ada", "aud": "wardgate", "iat": now, "exp": now + 60}
    body = {"role": "people", "jwt": provider.sign(claims)}
    response = await node.write("auth/oidc/login", body, token="")
    assert errors(response) == ["role with oidc role_type is not allowed"]


@with_provider
async def test_10_nothing_that_the_callback_is_sent_is_in_a_page(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, callback_mode="direct", user_claim="/<b>claim</b>")
    for sent in (
        {"error": SCRIPT, "error_description": SCRIPT, "error_uri": SCRIPT},
        {"error": "access_denied", "error_description": SCRIPT},
        {"code": SCRIPT, "confirmation": SCRIPT},
        {"confirmation": "1", "iss": SCRIPT, "code": "c"},
    ):
        back = provider.authorize((await begun(node, client_nonce=NONCE))["auth_url"])
        text = page_of(await callback(node, {"state": back["state"], **sent}))
        assert "alert(" not in text
        said = errors(await poll(node, back["state"]))[0]
        assert "alert(" not in said
    back = provider.authorize((await begun(node, client_nonce=NONCE))["auth_url"])
    page = await callback(node, {**back, "confirmation": "1"})
    assert "<b>" not in page_of(page)


@with_provider
async def test_10_what_the_confirmation_carries_on_is_escaped(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, callback_mode="direct")
    back = provider.authorize((await begun(node, client_nonce=NONCE))["auth_url"])
    text = page_of(await callback(node, {**back, "code": SCRIPT}))
    (form,) = forms_of(text)
    assert form.fields["code"] == SCRIPT


@with_provider
async def test_10_a_link_of_somebody_else_gives_them_no_token(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    """Somebody begins a login and sends the link to a person who is logged in at the provider: the
    browser comes to the server by itself."""
    await role(node, callback_mode="direct")
    data = await begun(node, client_nonce=NONCE, peer=ELSEWHERE)
    text = page_of(await callback(node, provider.authorize(data["auth_url"])))
    assert "203.0.113.7" in text
    assert "If you have not just started a login yourself, close this window." in text
    assert errors(await poll(node, data["state"])) == ["authorization_pending"]
    assert not provider.used


def test_42_nothing_secret_of_a_login_is_in_the_audit_file_or_a_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    log = tmp_path / "audit.log"

    async def run() -> None:
        node = await audited_node(log)
        with odd_provider(node.clock.now) as provider:
            await node.ok("sys/auth/oidc", {"type": "oidc"})
            await configure(node, provider)
            await role(
                node,
                oauth2_metadata=["access_token", "id_token", "refresh_token"],
                verbose_oidc_logging=True,
            )
            provider.token_answer = {"refresh_token": "the-refresh-token"}
            data = await begun(node, client_nonce=NONCE)
            back = provider.authorize(data["auth_url"])
            response = await callback(node, {**back, "client_nonce": NONCE})
            assert response.auth is not None
            auth = response.auth
            await node.read("auth/token/lookup-self", token=auth["client_token"])
        await node.node.stop()
        tokens = [auth["metadata"][f"oauth2_{kind}_token"] for kind in ("access", "id", "refresh")]
        everything = written(log) + caplog.text
        assert "oauth2_access_token" in everything
        assert "a login by the role people has the claims" in everything
        for secret in (CLIENT_SECRET, NONCE, *back.values(), auth["client_token"], *tokens):
            assert secret not in everything

    asyncio.run(run())


@pytest.mark.parametrize("types", [["code"], ["id_token"]])
def test_10_what_somebody_else_has_posted_is_confirmed_on_their_page_alone(
    types: list[str],
) -> None:
    """Somebody begins a login and sends the link: the browser of another posts what the provider
    says. Whoever began it knows the state, and cannot say yes for them."""

    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        await configure(node, provider, oidc_response_mode="form_post", oidc_response_types=types)
        await role(node, callback_mode="direct")
        data = await begun(node, client_nonce=NONCE, peer=ELSEWHERE)
        (form,) = forms_of(page_of(await posted(node, provider.authorize(data["auth_url"]))))
        secret = form.fields["confirmation"]
        assert len(secret) == 43  # 32 bytes
        for guess in ("", "1", "yes", secret[:-1], "é" * 43):
            for code in ("no_code", "", "c"):
                query = {"state": data["state"], "code": code, "confirmation": guess}
                page = await callback(node, query, peer=ELSEWHERE)
                assert errors(await poll(node, data["state"])) == ["authorization_pending"]
                assert "You are logged in" not in page_of(page)
                assert secret not in page_of(page)
        assert "You are logged in" in page_of(await callback(node, form.fields))
        assert (await poll(node, data["state"])).status == 200

    check()


@pytest.mark.parametrize("types", [["code"], ["id_token"]])
@pytest.mark.parametrize("nonce", ["", "evil"])
def test_10_what_a_browser_posts_by_itself_is_not_kept_for_a_program(
    types: list[str], nonce: str
) -> None:
    """Where the server's own address is a redirect URI of the callback mode client, a link leads the
    browser of somebody else to post here; only a program that knows the client_nonce may."""

    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        await configure(node, provider, oidc_response_mode="form_post", oidc_response_types=types)
        own = "https://wardgate.example/ui/vault/auth/oidc/oidc/callback"
        await role(node, allowed_redirect_uris=own)
        data = await begun(node, redirect_uri=own, client_nonce=nonce, peer=ELSEWHERE)
        back = provider.authorize(data["auth_url"])
        page = await posted(node, back)
        assert (page.status, "client_nonce" in page_of(page)) == (400, True)
        query = {"state": back["state"], "code": "no_code", "client_nonce": nonce}
        response = await callback(node, query, peer=ELSEWHERE)
        assert errors(response) == ["Login failed. No code or id_token received."]
        assert not provider.used

    check()
