"""Logins of machines without a browser: somebody types a code elsewhere (RFC 8628)."""

import asyncio

import pytest

from tests.node import NodeUnderTest, errors
from tests.odd_provider import OddProvider
from tests.unit.auth.jwt.browser_logins import (
    NONCE,
    begun,
    callback,
    poll,
    role,
    stored,
    with_provider,
)

PEER = "203.0.113.7:4000"


@with_provider
async def test_a_device_polls_until_somebody_has_let_it_in(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, callback_mode="device")
    provider.device_errors = ["authorization_pending", "slow_down"]
    data = await begun(node, client_nonce=NONCE, redirect_uri="")
    assert data["auth_url"] == f"{provider.address}/device/enter"
    assert data["user_code"] == "AB-CD"
    assert data["poll_interval"] == "3"
    for expected in ("authorization_pending", "slow_down"):
        assert errors(await poll(node, data["state"])) == [expected]
        node.clock.advance(3)
    response = await poll(node, data["state"])
    assert response.auth is not None
    assert response.auth["metadata"] == {"role": "people"}
    assert errors(await poll(node, data["state"]))[0].startswith("Login failed. Expired")
    assert not await stored(node)


@with_provider
async def test_an_address_with_the_code_in_it_needs_no_code(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, callback_mode="device", poll_interval=9)
    provider.device_answer = {"verification_uri_complete": "https://p.example/device?code=AB-CD"}
    data = await begun(node, client_nonce=NONCE)
    assert data["auth_url"] == "https://p.example/device?code=AB-CD"
    assert "user_code" not in data
    assert data["poll_interval"] == "9"


@with_provider
async def test_the_provider_is_asked_once_in_an_interval(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, callback_mode="device")
    provider.device_errors = ["authorization_pending"] * 3
    data = await begun(node, client_nonce=NONCE)  # the interval is 3 seconds
    state = data["state"]
    at_once = await asyncio.gather(*(poll(node, state) for _ in range(5)))
    told = sorted(errors(each)[0] for each in at_once)
    assert told == ["authorization_pending"] + ["slow_down"] * 4
    node.clock.advance(1.5)
    assert errors(await poll(node, state)) == ["slow_down"]
    assert provider.asked["/token"] == 1
    node.clock.advance(0.5)  # a second early is near enough
    assert errors(await poll(node, state)) == ["authorization_pending"]
    assert provider.asked["/token"] == 2
    provider.device_errors = []
    provider.claims = {"aud": "somebody else"}
    node.clock.advance(3)
    assert "(aud)" in errors(await poll(node, state))[0]
    assert errors(await poll(node, state)) == ["slow_down"]
    assert provider.asked["/token"] == 3


@pytest.mark.parametrize("error", ["access_denied", "expired_token"])
def test_a_login_that_is_refused_is_over(error: str) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        await role(node, callback_mode="device")
        provider.device_errors = [error]
        data = await begun(node, client_nonce=NONCE)
        assert errors(await poll(node, data["state"])) == [f"authorization failed: {error}"]
        assert not await stored(node)

    check()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_provider_that_is_broken_for_a_moment_ends_no_login(status: int) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        await role(node, callback_mode="device")
        data = await begun(node, client_nonce=NONCE)
        provider.token_status = status
        said = errors(await poll(node, data["state"]))[0]
        assert said.endswith(f"could not be asked: the answer has status {status}")
        provider.token_status = 0
        node.clock.advance(3)
        assert (await poll(node, data["state"])).status == 200

    check()


@with_provider
async def test_only_the_device_that_began_gets_a_token_and_only_one(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, callback_mode="device", token_bound_cidrs="127.0.0.1")
    response = await node.write("auth/oidc/oidc/auth_url", {}, token="")
    assert errors(response) == ["missing client_nonce"]
    data = await begun(node, client_nonce=NONCE)
    assert errors(await poll(node, data["state"], "guessed")) == ["invalid client_nonce"]
    assert (await poll(node, data["state"], peer=PEER)).status == 403
    query = {"state": data["state"], "code": "c", "client_nonce": NONCE}
    assert errors(await callback(node, query))[0].startswith("Login failed. Expired")
    both = await asyncio.gather(poll(node, data["state"]), poll(node, data["state"]))
    assert sorted(each.status for each in both) == [200, 400]


@with_provider
async def test_a_device_gets_in_with_what_the_role_wants_and_a_token_for_us(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, callback_mode="device", bound_claims={"team": "core"})
    data = await begun(node, client_nonce=NONCE)
    assert '"team" is missing' in errors(await poll(node, data["state"]))[0]
    node.clock.advance(3)
    provider.claims = {"team": "core", "aud": "somebody else"}
    assert "(aud)" in errors(await poll(node, data["state"]))[0]
    node.clock.advance(3)
    provider.claims = {"team": "core"}
    assert (await poll(node, data["state"])).status == 200


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"verification_uri": "javascript:alert(1)"}, "verification_uri"),
        ({"verification_uri": "https://"}, "verification_uri"),
        ({"verification_uri": "https://["}, "verification_uri"),
        ({"verification_uri": "https://p.example/\x1b[2J"}, "verification_uri"),
        ({"verification_uri": "https://p.example/ü"}, "verification_uri"),
        ({"verification_uri_complete": "file:///etc/passwd"}, "verification_uri"),
        ({"user_code": "AB\x1b[2J"}, "user_code"),
    ],
)
def test_what_a_terminal_could_not_show_is_not_handed_on(answer: dict[str, str], why: str) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        await role(node, callback_mode="device")
        provider.device_answer = answer
        response = await node.write("auth/oidc/oidc/auth_url", {"client_nonce": NONCE}, token="")
        assert (response.status, why in errors(response)[0]) == (400, True)
        assert "\x1b" not in errors(response)[0]

    check()


@pytest.mark.parametrize("interval", [True, "7", 0, -1, 3600, 7.5])
def test_an_interval_that_is_no_number_of_seconds_is_the_usual_one(interval: object) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        await role(node, callback_mode="device")
        provider.device_answer = {"interval": interval}
        assert (await begun(node, client_nonce=NONCE))["poll_interval"] == "5"

    check()


@with_provider
async def test_a_provider_without_devices_is_named_as_the_reason(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    await role(node, callback_mode="device")
    provider.device_answer = {"device_code": ""}
    response = await node.write("auth/oidc/oidc/auth_url", {"client_nonce": NONCE}, token="")
    assert "no device_code" in errors(response)[0]
