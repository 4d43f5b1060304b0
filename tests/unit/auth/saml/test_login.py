"""SAML logins, from their beginning to the token."""

from typing import Any

import pytest

from tests import saml_idp
from tests.node import NodeUnderTest, errors
from tests.people import external_group
from tests.saml_idp import ACS_URL, Key
from tests.unit.auth.saml.browser_logins import (
    asked,
    begun,
    callback,
    challenge,
    configure,
    confirm,
    idp_key,
    logged_in,
    poll,
    role,
    with_saml,
)

EXPIRED = "Login failed. It has expired, has ended already or never began: begin again."


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_whoever_the_provider_lets_in_gets_a_token(sign: str) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        auth = (await logged_in(node, sign)).auth
        assert auth is not None
        assert auth["metadata"] == {"role": "people"}
        assert auth["policies"] == ["default", "shop"]
        found = (await node.ok("auth/token/lookup", {"token": auth["client_token"]})).data
        assert found["display_name"] == "saml-ada@example.com"
        entity = (await node.read(f"identity/entity/id/{auth['entity_id']}")).data
        assert [alias["name"] for alias in entity["aliases"]] == ["ada@example.com"]

    check()


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_providers_sign_with_rsa_or_on_a_curve(kind: str) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        key = Key(kind)
        await configure(node, idp_cert=key.certificate_pem)
        data = await begun(node)
        login = asked(node, data)
        page = await callback(node, login, saml_idp.answer(login, key, "both"))
        assert page.status == 200, page.data

    check()


@with_saml
async def test_the_request_says_who_asks_and_where_the_answer_goes(node: NodeUnderTest) -> None:
    request, relay_state = saml_idp.request_of((await begun(node))["sso_service_url"])
    assert request.tag == f"{{{saml_idp.SAMLP}}}AuthnRequest"
    assert request.get("Destination") == saml_idp.SSO_URL
    assert request.get("AssertionConsumerServiceURL") == ACS_URL
    assert request.get("ProtocolBinding") == "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
    assert request.findtext(f"{{{saml_idp.SAML}}}Issuer") == saml_idp.SP_ENTITY_ID
    assert str(request.get("ID")).startswith("_")
    assert relay_state not in str(request.get("ID"))
    assert len(relay_state) <= 80  # SAML 2.0 bindings, section 3.4.3


@with_saml
async def test_no_two_requests_are_the_same(node: NodeUnderTest) -> None:
    requests = [saml_idp.request_of((await begun(node))["sso_service_url"]) for _ in range(3)]
    assert len({str(request.get("ID")) for request, _ in requests}) == 3
    assert len({relay_state for _, relay_state in requests}) == 3


@with_saml
async def test_an_address_with_a_query_keeps_it(node: NodeUnderTest) -> None:
    await configure(node, idp_sso_url="https://idp.example.test/sso?tenant=a")
    url = (await begun(node))["sso_service_url"]
    assert url.startswith("https://idp.example.test/sso?tenant=a&SAMLRequest=")


@with_saml
async def test_the_program_waits_until_the_login_is_confirmed(node: NodeUnderTest) -> None:
    data = await begun(node)
    assert errors(await poll(node, data)) == ["authorization_pending"]
    login = asked(node, data)
    page = await callback(node, login, saml_idp.answer(login, idp_key()))
    assert errors(await poll(node, data)) == ["authorization_pending"]
    assert (await confirm(node, page)).status == 200
    assert (await confirm(node, page)).status == 200  # somebody clicks twice
    assert (await poll(node, data)).auth is not None


@with_saml
async def test_the_page_says_who_for_which_role_and_from_where(node: NodeUnderTest) -> None:
    data = await begun(node, peer="203.0.113.9:80")
    login = asked(node, data, subject="<b>eve</b>")
    page = await callback(node, login, saml_idp.answer(login, idp_key()))
    assert page.raw is not None
    text = page.raw.decode()
    for expected in ("&lt;b&gt;eve&lt;/b&gt;", "people", "203.0.113.9"):
        assert expected in text
    assert "<b>" not in text


@with_saml
async def test_groups_of_the_provider_are_external_groups(node: NodeUnderTest) -> None:
    await role(node, groups_attribute="GROUPS")
    await external_group(node, "engineers", at="auth/saml/", policies=["engineering"])
    auth = (await logged_in(node)).auth
    assert auth is not None
    assert auth["identity_policies"] == ["engineering"]
    auth = (await logged_in(node, attributes={"groups": ("sales",)})).auth
    assert auth is not None
    assert not auth.get("identity_policies")


@with_saml
async def test_metadata_of_the_role_become_those_of_the_alias(node: NodeUnderTest) -> None:
    await role(node, alias_metadata={"team": "core"})
    auth = (await logged_in(node)).auth
    assert auth is not None
    entity = (await node.read(f"identity/entity/id/{auth['entity_id']}")).data
    assert entity["aliases"][0]["metadata"] == {"team": "core"}


BOUND: list[tuple[dict[str, Any], bool]] = [
    ({"bound_subjects": "ada@example.com"}, True),
    ({"bound_subjects": "Ada@example.com"}, False),
    ({"bound_subjects": "*@example.com"}, False),
    ({"bound_subjects": "grace,*@example.com", "bound_subjects_type": "glob"}, True),
    ({"bound_subjects": "*@example.org", "bound_subjects_type": "glob"}, False),
    ({"bound_attributes": {"groups": "on-call"}}, True),
    ({"bound_attributes": {"GROUPS": ["nobody", "on-call"]}}, True),
    ({"bound_attributes": "groups=nobody,engineers"}, True),
    ({"bound_attributes": {"groups": "on-*"}}, False),
    ({"bound_attributes": {"groups": "on-*"}, "bound_attributes_type": "glob"}, True),
    ({"bound_attributes": {"groups": "on-call", "department": "x"}}, False),
    ({"bound_attributes": {"spaced": "admins"}}, False),  # "admins " is another group
    ({"bound_attributes": {"groups": "on-call", "department": "r&d"}}, True),
    ({"bound_subjects": "grace", "bound_attributes": {"groups": "on-call"}}, False),
    ({"bound_subjects": "ada@example.com", "bound_attributes": {"groups": "sales"}}, False),
    ({"bound_subjects": "ada@example.com", "bound_attributes": {"groups": "on-call"}}, True),
]


@pytest.mark.parametrize(("fields", "good"), BOUND, ids=str)
def test_subjects_and_attributes_must_both_fit(fields: dict[str, Any], good: bool) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        await role(node, **fields)
        data = await begun(node)
        attributes = {
            "groups": ("engineers", "on-call"),
            "Department": ("r&d",),
            "spaced": ("admins ",),
        }
        login = asked(node, data, attributes=attributes)
        page = await callback(node, login, saml_idp.answer(login, idp_key()))
        if good:
            assert page.status == 200, page.data
            return
        assert page.status == 403
        assert "The role is not for" in errors(page)[0]
        assert "The role is not for" in errors(await poll(node, data))[0]
        assert errors(await poll(node, data)) == [EXPIRED]

    check()


@with_saml
async def test_a_login_names_a_role_or_takes_the_default(node: NodeUnderTest) -> None:
    await role(node, "Other", token_policies="other")
    auth = (await logged_in(node, begin={"role": "OTHER"})).auth
    assert auth is not None
    assert auth["metadata"] == {"role": "other"}
    body = {"client_challenge": challenge()}
    path = "auth/saml/sso_service_url"
    wrong = await node.write(path, {**body, "role": "nobody"}, token="")
    assert errors(wrong) == ["role: there is none of this name"]
    await configure(node, default_role="")
    assert errors(await node.write(path, body, token="")) == ["missing role"]


BEGINNINGS = [
    ({"client_challenge": ""}, "missing client_challenge"),
    ({"client_challenge": "abc"}, "client_challenge: expected the base64"),
    ({"client_challenge": "A" * 5000}, "client_challenge: expected the base64"),
    ({"client_type": "robot"}, "client_type: must be"),
    ({"acs_url": "https://elsewhere.example.test/"}, "acs_url: must be one of"),
]


@pytest.mark.parametrize(("fields", "said"), BEGINNINGS)
def test_a_bad_beginning_is_refused(fields: dict[str, str], said: str) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        body = {"client_challenge": challenge(), **fields}
        response = await node.write("auth/saml/sso_service_url", body, token="")
        assert response.status == 400
        assert errors(response)[0].startswith(said)

    check()


@with_saml
async def test_of_several_addresses_one_has_to_be_named(node: NodeUnderTest) -> None:
    second = "https://two.example.test/v1/auth/saml/callback"
    await configure(node, acs_urls=[ACS_URL, second])
    body = {"client_challenge": challenge()}
    response = await node.write("auth/saml/sso_service_url", body, token="")
    assert errors(response) == ["acs_url: must be one of the mount's acs_urls"]
    data = await begun(node, acs_url=second)
    login = asked(node, data, acs_url=second)
    page = await callback(node, login, saml_idp.answer(login, idp_key()))
    assert page.status == 200, page.data


REFUSED = "Login failed. The identity provider refused: Responder"


@pytest.mark.parametrize(("signed", "said"), [(False, REFUSED), (True, f"{REFUSED}: Go <b>away")])
def test_a_refusal_of_the_provider_ends_the_login(signed: bool, said: str) -> None:
    """Providers seldom sign one; what an unsigned one says is nobody's words but ours."""

    @with_saml
    async def check(node: NodeUnderTest) -> None:
        rest = "<samlp:StatusMessage>Go &lt;b&gt;away\n</samlp:StatusMessage>"
        status = "urn:oasis:names:tc:SAML:2.0:status:Responder"
        data = await begun(node)
        login = asked(node, data, status=status, status_rest=rest)
        xml = saml_idp.response(login, "")
        xml = saml_idp.signed(xml, idp_key()) if signed else xml
        assert errors(await callback(node, login, xml)) == [said]
        assert errors(await poll(node, data)) == [said]
        assert errors(await poll(node, data)) == [EXPIRED]

    check()


@with_saml
async def test_a_refusal_counts_no_more_when_somebody_has_logged_in(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    page = await callback(node, login, saml_idp.answer(login, idp_key()))
    refusal = asked(node, data, status="urn:oasis:names:tc:SAML:2.0:status:Responder")
    assert errors(await callback(node, login, saml_idp.response(refusal, ""))) == [EXPIRED]
    await confirm(node, page)
    assert (await poll(node, data)).auth is not None


def test_the_log_names_a_certificate_that_has_expired(caplog: pytest.LogCaptureFixture) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        old = Key(first=2000, last=2010)
        await configure(node, idp_cert=old.certificate_pem)
        login = asked(node, await begun(node))
        caplog.clear()
        assert (await callback(node, login, saml_idp.answer(login, idp_key()))).status == 400
        assert "no trusted key" in caplog.text
        login = asked(node, await begun(node))
        caplog.clear()
        response = await callback(node, login, saml_idp.answer(login, old))
        assert response.status == 400
        assert "2010" not in errors(response)[0]
        assert "but a certificate has expired on 2010-01-01 00:00 UTC" in caplog.text

    check()


@with_saml
async def test_a_login_is_over_after_ten_minutes(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    node.clock.advance(600)
    xml = saml_idp.answer(asked(node, data), idp_key())
    assert errors(await callback(node, login, xml)) == [EXPIRED]
    assert errors(await poll(node, data)) == [EXPIRED]


@with_saml
async def test_a_login_survives_a_restart(node: NodeUnderTest) -> None:
    data = await begun(node)
    other = await node.another()
    login = asked(node, data)
    page = await callback(other, login, saml_idp.answer(login, idp_key()))
    await confirm(node, page)
    assert (await poll(other, data)).auth is not None
    await other.node.stop()


@with_saml
async def test_a_configuration_that_is_written_again_ends_no_login(node: NodeUnderTest) -> None:
    """As programs do that see to it, every few minutes, that all is as it should be."""
    data = await begun(node)
    await configure(node)
    login = asked(node, data)
    page = await callback(node, login, saml_idp.answer(login, idp_key()))
    await node.ok("auth/saml/config", {"default_role": "People"})
    await confirm(node, page)
    await configure(node)
    assert (await poll(node, data)).auth is not None


@with_saml
async def test_what_changes_on_the_way_ends_the_login(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    await configure(node, verbose_logging=True)
    xml = saml_idp.answer(login, idp_key())
    assert errors(await callback(node, login, xml)) == [EXPIRED]

    data = await begun(node)
    login = asked(node, data)
    page = await callback(node, login, saml_idp.answer(login, idp_key()))
    await confirm(node, page)
    await role(node, token_policies="more")
    said = "Login failed. The role has changed; log in again."
    assert errors(await poll(node, data)) == [said]
    assert errors(await poll(node, data)) == [EXPIRED]


@with_saml
async def test_a_renewal_needs_the_role(node: NodeUnderTest) -> None:
    await role(node, token_ttl="1h", token_max_ttl="2h")
    auth = (await logged_in(node)).auth
    assert auth is not None
    token = auth["client_token"]
    await role(node, token_ttl="30m")
    renewed = (await node.ok("auth/token/renew-self", {}, token=token)).auth
    assert renewed is not None
    assert renewed["lease_duration"] == 1800
    await node.delete("auth/saml/role/people")
    refused = await node.write("auth/token/renew-self", {}, token=token)
    assert errors(refused) == ["the role no longer exists: the token is not renewed"]
