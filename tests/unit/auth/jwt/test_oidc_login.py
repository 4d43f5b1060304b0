"""People log in at a provider, in a browser that comes back to the program."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.node import NodeUnderTest, errors
from tests.odd_provider import CALLBACK, OddProvider
from tests.unit.auth.jwt.browser_logins import (
    begun,
    callback,
    configure,
    logged_in,
    role,
    stored,
    with_provider,
)
from wardgate.auth.jwt.oidc.provider import _metadata
from wardgate.core.outgoing import OutgoingFailed
from wardgate.core.request import Response

EXPIRED = "Login failed. Expired or missing OAuth state."


def refused(response: Response) -> str:
    """Why a request got a 400."""
    assert response.status == 400, response.data
    return errors(response)[0]


@with_provider
async def test_a_login_gives_a_token_with_the_roles_settings(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(
        node,
        token_policies="dev",
        token_ttl="10m",
        groups_claim="groups",
        claim_mappings={"email": "email"},
        oidc_scopes="email,groups",
        max_age="1h",
    )
    provider.claims = {"groups": ["engineers"], "auth_time": int(node.clock.now()) - 10}
    provider.user_info = {"email": "ada@example.com"}
    url = (await begun(node))["auth_url"]
    asked = {name: each[0] for name, each in parse_qs(urlsplit(url).query).items()}
    assert asked["scope"] == "openid email groups"
    assert asked["max_age"] == "3600"
    assert asked["redirect_uri"] == CALLBACK
    auth = (await callback(node, provider.authorize(url))).auth
    assert auth is not None
    assert auth["policies"] == ["default", "dev"]
    assert auth["metadata"] == {"role": "people", "email": "ada@example.com"}
    assert (auth["lease_duration"], auth["orphan"]) == (600, True)
    looked = await node.ok("auth/token/lookup", {"token": auth["client_token"]})
    assert looked.data["display_name"] == "oidc-ada"
    renewed = await node.ok("auth/token/renew-self", {}, token=auth["client_token"])
    assert renewed.auth is not None


@with_provider
async def test_the_callback_of_openbaos_command_line_causes_no_warning(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    back = provider.authorize((await begun(node))["auth_url"])
    response = await callback(node, {**back, "client_nonce": "", "id_token": ""})
    assert (response.status, response.warnings) == (200, None)


@with_provider
async def test_two_callbacks_at_once_give_one_token(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    back = provider.authorize((await begun(node))["auth_url"])
    provider.reuses_codes = True  # so that it is not the provider who sees to it
    both = await asyncio.gather(callback(node, back), callback(node, back))
    assert len(provider.used) == 1  # they wait for the same answer
    assert sorted(response.status for response in both) == [200, 400]
    assert refused(await callback(node, back)) == EXPIRED
    assert not await stored(node)


@with_provider
async def test_another_process_ends_what_this_one_began(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    back = provider.authorize((await begun(node))["auth_url"])
    other = await node.another()
    try:
        assert (await callback(other, back)).status == 200
    finally:
        await other.node.stop()


@with_provider
async def test_a_login_has_ten_minutes(node: NodeUnderTest, provider: OddProvider) -> None:
    back = provider.authorize((await begun(node))["auth_url"])
    late = provider.authorize((await begun(node))["auth_url"])
    node.clock.advance(599)
    assert (await callback(node, back)).status == 200
    node.clock.advance(1)
    assert refused(await callback(node, late)) == EXPIRED


@with_provider
async def test_a_new_configuration_ends_what_began_with_the_old_one(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    back = provider.authorize((await begun(node))["auth_url"])
    await configure(node, provider)
    assert refused(await callback(node, back)) == EXPIRED
    assert not provider.used


@pytest.mark.parametrize("state", ["", "st_", "st_0000", "st_zzzzabc", "st_0000é", "../config"])
def test_a_state_that_nobody_gave_leads_nowhere(state: str) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        assert refused(await callback(node, {"state": state, "code": "c"})) == EXPIRED

    check()


@with_provider
async def test_half_a_state_is_not_enough(node: NodeUnderTest, provider: OddProvider) -> None:
    back = provider.authorize((await begun(node))["auth_url"])
    for wrong in (back["state"][:-1], back["state"] + "a", back["state"][:7]):
        assert refused(await callback(node, {**back, "state": wrong})) == EXPIRED
    assert (await callback(node, back)).status == 200


@with_provider
async def test_the_program_that_began_the_login_has_to_end_it(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    back = provider.authorize((await begun(node, client_nonce="mine"))["auth_url"])
    assert refused(await callback(node, back)) == "invalid client_nonce"
    assert refused(await callback(node, {**back, "client_nonce": "his"})) == "invalid client_nonce"
    assert (await callback(node, {**back, "client_nonce": "mine"})).status == 200


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        ("http://localhost:8250/oidc/callback", True),
        ("http://localhost:1/oidc/callback", True),
        ("http://localhost/oidc/callback", True),
        ("http://127.0.0.1:8250/oidc/callback", False),
        ("https://localhost:8250/oidc/callback", False),
        ("http://localhost:8250/oidc/callback/", False),
        ("http://localhost:8250/oidc/callback?a=b", False),
        ("http://localhost:8250/oidc/callback#a", False),
        ("http://localhost@evil.example/oidc/callback", False),
        ("http://user@localhost:8250/oidc/callback", False),
        ("http://localhost:99999/oidc/callback", False),
        ("http://localhost:8250/oidc/call\tback", False),
        ("http://localhost:8250\\@evil.example/oidc/callback", False),
        ("https://app.example/cb", True),
        ("https://app.example:443/cb", False),
        ("https://app.example/cb/../cb", False),
        ("https://APP.example/cb", False),
        ("http://[::1]:77/cb", True),
        ("//localhost/oidc/callback", False),
        ("https://[", False),
    ],
)
def test_a_redirect_uri_is_one_of_the_roles_but_for_the_port_of_a_loopback(
    uri: str, allowed: bool
) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        uris = [CALLBACK, "https://app.example/cb", "http://[::1]:1/cb"]
        await role(node, allowed_redirect_uris=uris)
        url = (await begun(node, redirect_uri=uri))["auth_url"]
        assert bool(url) is allowed

    check()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"role": "nobody", "redirect_uri": CALLBACK}, "role: there is none of this name"),
        ({"redirect_uri": ""}, "missing redirect_uri"),
        ({"redirect_uri": CALLBACK, "client_nonce": "n" * 513}, "client_nonce: at most 512"),
    ],
)
def test_a_login_does_not_begin_without_what_it_needs(body: dict[str, str], why: str) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        response = await node.write("auth/oidc/oidc/auth_url", body, token="")
        assert refused(response).startswith(why)
        assert not await stored(node)

    check()


@with_provider
async def test_a_provider_that_cannot_be_asked_is_named_as_the_reason(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    provider.answers["/.well-known/openid-configuration"] = (500, b"")
    response = await node.write("auth/oidc/oidc/auth_url", {"redirect_uri": CALLBACK}, token="")
    assert "The OpenID provider could not be asked: the answer has status 500" in refused(response)
    asked = provider.asked["/.well-known/openid-configuration"]
    await node.write("auth/oidc/oidc/auth_url", {"redirect_uri": CALLBACK}, token="")
    assert provider.asked["/.well-known/openid-configuration"] == asked  # not for each stranger


@pytest.mark.parametrize("status", [200, 500])
def test_many_who_begin_at_once_make_the_provider_be_asked_once(status: int) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        path = "/.well-known/openid-configuration"
        if status != 200:
            provider.answers[path] = (status, b"")
        before = provider.asked[path]
        body = {"redirect_uri": CALLBACK}
        for _ in range(2):
            begun_at_once = await asyncio.gather(
                *(node.write("auth/oidc/oidc/auth_url", body, token="") for _ in range(50))
            )
            told = {response.status for response in begun_at_once}
            assert told == ({200} if status == 200 else {400})
            assert provider.asked[path] == before + 1
        provider.answers.pop(path, None)
        node.clock.advance(5)
        assert (await begun(node))["auth_url"]

    check()


@with_provider
async def test_a_code_that_the_provider_does_not_take_is_no_login(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    back = provider.authorize((await begun(node))["auth_url"])
    wrong = await callback(node, {**back, "code": "<b>stolen</b>"})
    assert refused(wrong) == "Login failed. Error exchanging oidc code: invalid_grant"
    assert refused(await callback(node, {"state": back["state"]})) == (
        "Login failed. No code or id_token received."
    )
    assert (await callback(node, back)).status == 200  # whoever has the right one is not locked out


@with_provider
async def test_what_the_provider_says_of_an_error_is_not_repeated(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    for said, told in (
        ("access_denied", "access_denied"),
        ("<script>", "The provider refused, for an unknown reason."),
    ):
        back = provider.authorize((await begun(node))["auth_url"])
        query = {"state": back["state"], "error": said, "error_description": "<script>"}
        assert refused(await callback(node, query)) == f"Login failed. {told}"
        assert refused(await callback(node, back)) == EXPIRED


@with_provider
async def test_an_answer_of_another_provider_is_refused(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    back = provider.authorize((await begun(node))["auth_url"])
    mixed_up = await callback(node, {**back, "iss": "https://evil.example"})
    assert "another provider" in refused(mixed_up)
    assert (await callback(node, {**back, "iss": provider.address})).status == 200


@with_provider
async def test_the_secret_goes_the_way_that_the_client_is_registered_for(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await logged_in(node, provider)
    assert provider.asked["/token"] == 1
    provider.posts_secret = True
    await logged_in(node, provider)


@with_provider
async def test_userinfo_adds_claims_but_says_nothing_of_the_token_or_of_others(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, bound_claims={"team": "core", "aud": "wardgate"})
    back = provider.authorize((await begun(node))["auth_url"])
    assert '"team" is missing' in refused(await callback(node, back))
    provider.user_info = {"team": "core", "aud": "somebody else"}
    await logged_in(node, provider)
    provider.user_info = {"team": "core", "sub": "grace"}
    back = provider.authorize((await begun(node))["auth_url"])
    assert '"team" is missing' in refused(await callback(node, back))


@with_provider
async def test_userinfo_may_be_signed_but_by_the_provider_alone(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, bound_claims={"team": "core"})
    provider.user_info = {"team": "core"}
    provider.signs_user_info_with = "ec"
    await logged_in(node, provider)
    provider.signs_user_info_with = "other"
    back = provider.authorize((await begun(node))["auth_url"])
    assert '"team" is missing' in refused(await callback(node, back))


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"authorization_endpoint": ""}, "it has no authorization_endpoint"),
        ({"authorization_endpoint": ["a"]}, "values of the wrong kind"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "is no http or https address"),
        ({"authorization_endpoint": "http://["}, "is no http or https address"),
        ({"authorization_endpoint": "http://p.example/\r\nx"}, "is no http or https address"),
        ({"userinfo_endpoint": "http://p.example:x/"}, "is no http or https address"),
        ({"token_endpoint": "file:///etc/passwd"}, "is no http or https address"),
    ],
)
def test_a_provider_that_describes_itself_badly_is_not_used(
    metadata: dict[str, Any], why: str
) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        provider.metadata = metadata
        body = {"redirect_uri": CALLBACK}
        assert why in refused(await node.write("auth/oidc/oidc/auth_url", body, token=""))

    check()


def test_a_provider_with_tls_names_no_address_without() -> None:
    with pytest.raises(OutgoingFailed, match="userinfo_endpoint is not https"):
        _metadata({"issuer": "https://p.example", "userinfo_endpoint": "http://p.example/me"})


@with_provider
async def test_tokens_of_the_provider_become_metadata_where_the_role_says_so(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, oauth2_metadata=["access_token", "refresh_token"])
    provider.token_answer = {"refresh_token": "the-refresh-token"}
    auth = await logged_in(node, provider)
    assert auth["metadata"]["oauth2_access_token"] == "the-access-token"
    assert auth["metadata"]["oauth2_refresh_token"] == "the-refresh-token"


@with_provider
async def test_a_mount_without_a_provider_begins_no_login(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await configure(node, provider, oidc_client_id="", oidc_client_secret="")
    response = await node.write("auth/oidc/oidc/auth_url", {"redirect_uri": CALLBACK}, token="")
    assert refused(response) == "OIDC login is not configured for this mount"
