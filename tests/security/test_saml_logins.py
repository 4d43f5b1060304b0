"""Attacks on the way that a SAML login takes: answers used again or elsewhere, logins given to others,
and what is told to whom (lines 9, 10, 17, 42 and 47 of CASES.md)."""

import asyncio
import logging

import msgspec
import pytest

from tests import saml_idp
from tests.node import NodeUnderTest, errors
from tests.saml_idp import Login
from tests.unit.auth.saml.browser_logins import (
    asked,
    begun,
    callback,
    challenge,
    configure,
    confirm,
    idp_key,
    logged_in,
    other_key,
    poll,
    refused,
    role,
    with_saml,
)

ELSEWHERE = "203.0.113.7:4000"
SCRIPT = '"><script>alert(1)</script>'
UNTRUSTED = (
    "Login failed. The identity provider's answer cannot be verified; the server's log says more."
)
EXPIRED = "Login failed. It has expired, has ended already or never began: begin again."


@with_saml
async def test_17_a_response_is_used_once(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    xml = saml_idp.answer(login, idp_key(), "both")
    page = await callback(node, login, xml)
    assert errors(await callback(node, login, xml)) == [EXPIRED]  # before it is confirmed
    await confirm(node, page)
    assert errors(await callback(node, login, xml)) == [EXPIRED]
    assert (await poll(node, data)).auth is not None
    assert errors(await callback(node, login, xml)) == [EXPIRED]
    other = await begun(node)
    stolen = msgspec.structs.replace(login, relay_state=asked(node, other).relay_state)
    assert "InResponseTo" in await refused(node, other, stolen, xml)


@with_saml
async def test_17_an_assertion_id_is_used_once(node: NodeUnderTest) -> None:
    assert (await logged_in(node, assertion_id="_the-same")).auth is not None
    data = await begun(node)
    login = asked(node, data, assertion_id="_the-same")
    said = await refused(node, data, login, saml_idp.answer(login, idp_key()))
    assert said == "Login failed. The assertion has been used before."


@with_saml
async def test_17_an_answer_that_comes_twice_at_once_counts_once(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    xml = saml_idp.answer(login, idp_key())
    answers = await asyncio.gather(*(callback(node, login, xml) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [200, *[400] * 9]


@with_saml
async def test_17_a_login_that_nobody_began_here(node: NodeUnderTest) -> None:
    """A provider may begin logins by itself; nobody can tell then who is made to log in."""
    login = Login(request_id="_nobody", relay_state="st_0000nobody", now=node.clock.now())
    response = await callback(node, login, saml_idp.answer(login, idp_key()))
    assert errors(response) == [EXPIRED]


@with_saml
async def test_17_the_relay_state_of_somebody_else(node: NodeUnderTest) -> None:
    mine, victims = await begun(node), await begun(node)
    login, theirs = asked(node, mine), asked(node, victims)
    crossed = msgspec.structs.replace(theirs, relay_state=login.relay_state)
    xml = saml_idp.answer(theirs, idp_key())
    assert "InResponseTo" in await refused(node, mine, crossed, xml)
    assert errors(await poll(node, victims)) == ["authorization_pending"]


@with_saml
async def test_17_a_wrong_verifier_gets_nothing(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    await confirm(node, await callback(node, login, saml_idp.answer(login, idp_key())))
    for verifier in ("another", challenge(), "x" * 5000):
        said = errors(await poll(node, data, verifier))[0]
        assert said.startswith("client_verifier: its digest is not")
    assert (await poll(node, data)).auth is not None


@with_saml
async def test_17_a_poll_id_cannot_be_guessed_from_what_the_browser_knows(
    node: NodeUnderTest,
) -> None:
    data = await begun(node)
    login = asked(node, data)
    await confirm(node, await callback(node, login, saml_idp.answer(login, idp_key())))
    state = login.relay_state
    for guess in (state, f"{state}.", f"{state}.{'0' * 64}", login.request_id, "st_0000."):
        assert errors(await poll(node, {"token_poll_id": guess})) == [EXPIRED]
    assert (await poll(node, data)).auth is not None


@with_saml
async def test_17_a_second_poll_gets_nothing(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    await confirm(node, await callback(node, login, saml_idp.answer(login, idp_key())))
    polls = await asyncio.gather(*(poll(node, data) for _ in range(10)))
    assert sum(each.auth is not None for each in polls) == 1
    assert errors(await poll(node, data)) == [EXPIRED]


@with_saml
async def test_10_a_link_of_somebody_else_gives_them_no_token(node: NodeUnderTest) -> None:
    """Somebody begins a login and sends the link to a person who is logged in at the provider."""
    data = await begun(node, peer=ELSEWHERE)
    login = asked(node, data)
    page = await callback(node, login, saml_idp.answer(login, idp_key()))
    assert page.raw is not None
    assert b"203.0.113.7" in page.raw
    assert b"If you have not just started a login yourself, close this window." in page.raw
    for guess in ("1", data["token_poll_id"], login.relay_state, "true"):
        body = {"RelayState": login.relay_state, "confirmation": guess}
        response = await node.write("auth/saml/callback", body, token="", peer=ELSEWHERE)
        assert "not confirmed on the page" in errors(response)[0]
    assert errors(await poll(node, data, peer=ELSEWHERE)) == ["authorization_pending"]


@with_saml
async def test_10_a_confirmation_before_anybody_has_logged_in(node: NodeUnderTest) -> None:
    data = await begun(node)
    body = {"RelayState": asked(node, data).relay_state, "confirmation": " "}
    response = await node.write("auth/saml/callback", body, token="")
    assert "not confirmed on the page" in errors(response)[0]


@with_saml
async def test_9_saml_roles_enforce_bound_cidrs(node: NodeUnderTest) -> None:
    await role(node, token_bound_cidrs="127.0.0.1")
    data = await begun(node)
    login = asked(node, data)
    await confirm(node, await callback(node, login, saml_idp.answer(login, idp_key())))
    assert (await poll(node, data, peer=ELSEWHERE)).status == 403
    response = await poll(node, data)
    assert response.auth is not None
    token = response.auth["client_token"]
    looked = await node.read("auth/token/lookup-self", token=token, peer=ELSEWHERE)
    assert looked.status == 403


@with_saml
async def test_17_a_refusal_of_another_login_does_not_end_this_one(node: NodeUnderTest) -> None:
    rest = "<samlp:StatusMessage>Away with you</samlp:StatusMessage>"
    status = "urn:oasis:names:tc:SAML:2.0:status:Responder"
    data = await begun(node)
    other = asked(node, await begun(node), status=status, status_rest=rest)
    xml = saml_idp.response(other, "")
    for sent in (xml, saml_idp.signed(xml, idp_key())):
        said = await refused(node, data, asked(node, data), sent)
        assert "Away" not in said
    login = asked(node, data)
    assert (await callback(node, login, saml_idp.answer(login, idp_key()))).status == 200


@with_saml
async def test_10_nothing_that_was_sent_is_in_a_page(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    rest = f"<samlp:StatusMessage>{SCRIPT.replace('<', '&lt;')}</samlp:StatusMessage>"
    status = "urn:oasis:names:tc:SAML:2.0:status:Responder"
    refusal = msgspec.structs.replace(login, status=status, status_rest=rest)
    second = asked(node, await begun(node), status=status, status_rest=rest)
    bodies = [
        {"RelayState": SCRIPT, "SAMLResponse": SCRIPT, "confirmation": SCRIPT},
        {"RelayState": login.relay_state, "SAMLResponse": SCRIPT},
        {"RelayState": login.relay_state, "confirmation": SCRIPT},
        {
            "RelayState": login.relay_state,
            "SAMLResponse": saml_idp.posted(saml_idp.response(refusal, "")),
        },
        {
            "RelayState": second.relay_state,
            "SAMLResponse": saml_idp.posted(
                saml_idp.signed(saml_idp.response(second, ""), idp_key())
            ),
        },
    ]
    for body in bodies:
        answer = await node.http(
            "POST",
            "/v1/auth/saml/callback",
            body,
            token=None,
            headers={"accept": "text/html"},
        )
        assert answer.status == 400
        assert answer.headers["content-type"].startswith("text/html")
        assert b"<script>" not in answer.body
        assert "form-action 'self'" in answer.headers["content-security-policy"]


def test_42_answers_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        await logged_in(node)
        caplog.clear()  # of what the provider of this test says, until the library is told to be quiet
        await logged_in(node)
        data = await begun(node)
        login = asked(node, data)
        xml = saml_idp.answer(login, other_key())
        await callback(node, login, xml)
        logged = caplog.text
        for secret in (data["token_poll_id"], login.relay_state, "ada@example.com", xml[:200]):
            assert secret not in logged
        assert "is not trusted: no trusted key has made the signature" in logged

    caplog.set_level(logging.DEBUG)
    check()


def test_47_forged_answers_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        def lines() -> list[str]:
            return [text for text in caplog.messages if "is not trusted" in text]

        login = asked(node, await begun(node))
        forged = saml_idp.answer(login, other_key())
        for _ in range(5):
            assert (await callback(node, login, forged)).status == 400
        (line,) = lines()
        assert line == (
            "an answer to auth/saml/ in the name of the identity provider is not trusted: no trusted"
            " key has made the signature"
        )
        await callback(node, login, saml_idp.answer(login, idp_key(), "nothing"))
        assert len(lines()) == 2  # another reason hides behind none
        node.clock.advance(61)
        await callback(node, login, forged)
        assert lines()[2:] == [f"{line} (4 more since the last line of this kind)"]

    check()


def test_42_verbose_logging_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        await configure(node, verbose_logging=True)
        await logged_in(node)
        caplog.clear()
        await logged_in(node)
        assert "ada@example.com logs in with the attributes" in caplog.text
        assert "<saml:NameID" not in caplog.text

    caplog.set_level(logging.DEBUG)
    check()
