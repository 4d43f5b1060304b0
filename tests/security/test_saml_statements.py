"""Good signatures on the wrong thing, in SAML logins: line 17 of CASES.md."""

import msgspec
import pytest

from tests import saml_idp
from tests.node import NodeUnderTest
from tests.unit.auth.saml.browser_logins import asked, begun, idp_key, refused, with_saml

HOUR = 3600.0

WRONG: dict[str, tuple[dict[str, object], str]] = {
    "destination": ({"destination": "https://elsewhere.example.test/"}, "(Destination)"),
    "no destination": ({"destination": ""}, "(Destination)"),
    "recipient": (
        {"acs_url": "https://elsewhere.example.test/", "destination": saml_idp.ACS_URL},
        "(Recipient)",
    ),
    "audience": ({"audience": "https://elsewhere.example.test/"}, "(Audience)"),
    "request": ({"request_id": "_other"}, "(InResponseTo)"),
    "request of the response": ({"in_response_to": "_other"}, "(InResponseTo)"),
    "request of the assertion": ({"request_id": "_other", "in_response_to": "*"}, "(InResponseTo)"),
    "issuer": ({"issuer": "https://other-idp.example.test/"}, "(Issuer)"),
    "issuer of the response": ({"response_issuer": "https://other.example.test/"}, "(Issuer)"),
    "expired": ({"now": -HOUR}, "(NotOnOrAfter)"),
    "not yet valid": ({"now": HOUR}, "(NotBefore)"),
    "transient": (
        {"name_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"},
        "transient NameID",
    ),
    "nobody": ({"subject": " "}, "names nobody (NameID)"),
    "space behind the name": ({"subject": "ada@example.com "}, "space around it (NameID)"),
    "space before the name": ({"subject": "\nada@example.com"}, "space around it (NameID)"),
    "nothing to be seen": ({"subject": "ada\u200b@example.com"}, "cannot be shown (NameID)"),
    "a long name": ({"subject": "a" * 513}, "too long"),
}


@pytest.mark.parametrize("sign", ["assertion", "both"])
@pytest.mark.parametrize("name", WRONG)
def test_17_a_good_signature_on_something_else(name: str, sign: str) -> None:
    changes, said = WRONG[name]

    @with_saml
    async def check(node: NodeUnderTest) -> None:
        data = await begun(node)
        login = asked(node, data)
        given = dict(changes)
        if "now" in given:
            given["now"] = node.clock.now() + float(str(given["now"]))
        if given.get("in_response_to") == "*":
            given["in_response_to"] = login.request_id
        wrong = msgspec.structs.replace(login, **given)
        assert said in await refused(node, data, login, saml_idp.answer(wrong, idp_key(), sign))

    check()


BEARER = 'Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"'
MISSING: dict[str, tuple[str, str, str]] = {
    "audience": (r"<saml:AudienceRestriction>", "</saml:AudienceRestriction>", "whom it is for"),
    "conditions": ("<saml:Conditions", "</saml:Conditions>", "no Conditions"),
    "confirmation": (
        "<saml:SubjectConfirmation ",
        "</saml:SubjectConfirmation>",
        "confirms no bearer",
    ),
    "statement": ("<saml:AuthnStatement", "</saml:AuthnStatement>", "AuthnStatement"),
    "issuer": ("", "", "(Issuer)"),
    "name": ("<saml:NameID", "</saml:NameID>", "names nobody"),
}


@pytest.mark.parametrize("name", MISSING)
def test_17_what_is_left_out_is_not_granted(name: str) -> None:
    start, end, said = MISSING[name]

    @with_saml
    async def check(node: NodeUnderTest) -> None:
        data = await begun(node)
        login = asked(node, data)
        xml = saml_idp.assertion(login)
        if start:
            before, _, rest = xml.partition(start)
            xml = before + rest.partition(end)[2]
        else:
            xml = xml.replace(saml_idp.ENTITY_ID, "")
        answer = saml_idp.response(login, saml_idp.signed(xml, idp_key()))
        assert said in await refused(node, data, login, answer)

    check()


CHANGED = {
    "another method": (BEARER, BEARER.replace("bearer", "holder-of-key"), "confirms no bearer"),
    "no end": ('callback" NotOnOrAfter=', 'callback" NotBefore=', "until when it is good"),
    "an odd time": (
        "Conditions NotBefore=",
        'Conditions x="" NotBefore="soon" y=',
        "cannot be read",
    ),
    "an unknown condition": (
        "<saml:AudienceRestriction>",
        "<saml:Condition/><saml:AudienceRestriction>",
        "a condition that is not known",
    ),
    "two audiences that must both be ours": (
        "<saml:AudienceRestriction>",
        "<saml:AudienceRestriction><saml:Audience>urn:else</saml:Audience>"
        "</saml:AudienceRestriction><saml:AudienceRestriction>",
        "(Audience)",
    ),
    "another version": ('Version="2.0"', 'Version="1.1"', "not of SAML 2.0"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_17_what_is_odd_is_not_granted(name: str) -> None:
    before, after, said = CHANGED[name]

    @with_saml
    async def check(node: NodeUnderTest) -> None:
        data = await begun(node)
        login = asked(node, data)
        xml = saml_idp.assertion(login)
        assert before in xml
        answer = saml_idp.response(login, saml_idp.signed(xml.replace(before, after), idp_key()))
        assert said in await refused(node, data, login, answer)

    check()
