"""Which ID tokens are answers to a login that began here (OpenID Connect Core 1.0, 3.1.3.7)."""

from typing import Any

import pytest

from tests.issuer import hmac_signed, signed, unsigned
from tests.node import NodeUnderTest, errors
from tests.odd_provider import CLIENT_ID, CLIENT_SECRET, OddProvider
from tests.unit.auth.jwt.browser_logins import begun, callback, logged_in, role, with_provider


async def refusal(node: NodeUnderTest, provider: OddProvider) -> str:
    """Why a login is refused."""
    response = await callback(node, provider.authorize((await begun(node))["auth_url"]))
    assert response.status == 400, response.data
    return errors(response)[0]


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"nonce": None}, "nonce"),
        ({"nonce": "of another login"}, "nonce"),
        ({"nonce": ["a"]}, "nonce"),
        ({"nonce": "é"}, "nonce"),
        ({"aud": "somebody else"}, "(aud)"),
        ({"aud": []}, "(aud)"),
        ({"aud": None}, "(aud)"),
        ({"aud": ""}, "(aud)"),
        ({"aud": CLIENT_ID + "x"}, "(aud)"),
        ({"aud": [CLIENT_ID, "somebody else"]}, "no azp"),
        ({"aud": [CLIENT_ID, "somebody else"], "azp": "somebody else"}, "(azp)"),
        ({"azp": "somebody else"}, "(azp)"),
        ({"iss": "https://evil.example"}, "(iss)"),
        ({"iss": None}, "(iss)"),
        ({"exp": 1_699_999_900}, "(exp)"),
        ({"exp": None}, "no exp"),
        ({"exp": 0}, "no exp"),
        ({"exp": 0.5}, "no exp"),
        ({"exp": -1}, "no exp"),
        ({"exp": True}, "no exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"iat": 1_700_009_000}, "(nbf)"),
        ({"nbf": 1_700_009_000}, "(nbf)"),
        ({"sub": None}, "no sub"),
        ({"sub": 7}, "no sub"),
        ({"at_hash": "AAAA"}, "at_hash"),
        ({"at_hash": 7}, "at_hash"),
    ],
)
def test_what_does_not_fit_is_refused(claims: dict[str, Any], why: str) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        provider.claims = claims
        assert why in await refusal(node, provider)

    check()


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [CLIENT_ID]},
        {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID},
        {"at_hash": None},
        {"exp": 1_699_999_950},  # within the minute that clocks may differ
    ],
)
def test_what_fits_is_taken(claims: dict[str, Any]) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        provider.claims = claims
        await logged_in(node, provider)

    check()


@with_provider
async def test_only_the_providers_published_keys_sign(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    now = int(node.clock.now())
    claims = {"iss": provider.address, "sub": "ada", "aud": CLIENT_ID, "iat": now, "exp": now + 60}
    forged = [
        unsigned(claims),
        hmac_signed(claims, CLIENT_SECRET),
        signed(claims, "other"),
        signed(claims, "other", kid="rsa-1"),
        "",
        "a.b.c",
    ]
    for token in forged:
        provider.id_token = token or " "
        await refusal(node, provider)


@with_provider
async def test_a_role_may_bind_audiences_and_a_subject(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, bound_audiences=["reports"])
    assert "none of them is bound" in await refusal(node, provider)
    provider.claims = {"aud": [CLIENT_ID, "reports"], "azp": CLIENT_ID}
    await logged_in(node, provider)
    await role(node, bound_subject="grace")
    assert "(sub)" in await refusal(node, provider)


@pytest.mark.parametrize(
    ("ago", "fine"), [(0, True), (3600 + 59, True), (3600 + 61, False), (-61, False)]
)
def test_a_login_at_the_provider_must_not_be_older_than_max_age(ago: int, fine: bool) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        await role(node, max_age="1h")
        provider.claims = {"auth_time": int(node.clock.now()) - ago}
        if fine:
            await logged_in(node, provider)
        else:
            assert "max_age" in await refusal(node, provider)

    check()


@with_provider
async def test_with_max_age_the_provider_has_to_say_when(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, max_age=60)
    assert "auth_time" in await refusal(node, provider)
    provider.claims = {"auth_time": "now"}
    assert "auth_time" in await refusal(node, provider)
