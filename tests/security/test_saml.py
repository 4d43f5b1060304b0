"""Attacks on the signatures of SAML answers: line 17 of CASES.md, but for wrapped ones
(test_saml_wrapping.py), hostile XML (test_saml_xml.py), what is signed (test_saml_statements.py) and
the way that a login takes (test_saml_logins.py)."""

import msgspec
import pytest
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from tests import saml_idp
from tests.node import NodeUnderTest
from tests.saml_idp import Key
from tests.unit.auth.saml.browser_logins import (
    asked,
    begun,
    configure,
    idp_key,
    logged_in,
    other_key,
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
async def test_17_nothing_is_signed(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    xml = saml_idp.answer(login, idp_key(), "nothing")
    assert await refused(node, data, login, xml) == UNTRUSTED


@with_saml
async def test_17_a_signed_response_does_not_vouch_for_another_ones_assertion(
    node: NodeUnderTest,
) -> None:
    data = await begun(node)
    login = asked(node, data)
    xml = saml_idp.answer(login, idp_key(), "response")
    evil = saml_idp.assertion(msgspec.structs.replace(login, subject="root@example.com"))
    start, end = xml.index("<saml:Assertion"), xml.index("</samlp:Response>")
    assert await refused(node, data, login, xml[:start] + evil + xml[end:]) == UNTRUSTED


@pytest.mark.parametrize(
    ("setting", "sign"),
    [("validate_response_signature", "assertion"), ("validate_assertion_signature", "response")],
)
def test_17_what_has_to_be_signed_is(setting: str, sign: str) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        await configure(node, **{setting: True})
        data = await begun(node)
        login = asked(node, data)
        assert (
            await refused(node, data, login, saml_idp.answer(login, idp_key(), sign)) == UNTRUSTED
        )
        assert (await logged_in(node, "both")).auth is not None

    check()


@with_saml
async def test_17_one_bad_signature_is_not_made_good_by_another(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    inside = saml_idp.signed(saml_idp.assertion(login), idp_key())
    xml = saml_idp.signed(saml_idp.response(login, inside), other_key())
    assert await refused(node, data, login, xml) == UNTRUSTED
    inside = saml_idp.signed(saml_idp.assertion(login), other_key())
    xml = saml_idp.signed(saml_idp.response(login, inside), idp_key())
    assert await refused(node, data, login, xml) == UNTRUSTED


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_17_keys_inside_of_the_answer_are_not_trusted(sign: str) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        data = await begun(node)
        login = asked(node, data)
        xml = saml_idp.answer(login, other_key(), sign)
        assert "X509Certificate" in xml
        assert await refused(node, data, login, xml) == UNTRUSTED

    check()


@with_saml
async def test_17_the_trusted_certificate_beside_another_key_is_nothing(
    node: NodeUnderTest,
) -> None:
    data = await begun(node)
    login = asked(node, data)
    lines = idp_key().certificate_pem.splitlines()[1:-1]
    xml = saml_idp.answer(login, other_key())
    start, end = xml.index("<ds:X509Certificate>"), xml.index("</ds:X509Certificate>")
    swapped = xml[:start] + "<ds:X509Certificate>" + "".join(lines) + xml[end:]
    assert await refused(node, data, login, swapped) == UNTRUSTED


@with_saml
async def test_17_an_expired_certificate_is_nothing(node: NodeUnderTest) -> None:
    for key in (Key(first=2000, last=2001), Key(first=2090, last=2100)):
        await configure(node, idp_cert=key.certificate_pem)
        data = await begun(node)
        login = asked(node, data)
        assert await refused(node, data, login, saml_idp.answer(login, key)) == UNTRUSTED


class _Weak(XMLSigner):
    """Signs with what is not safe any more."""

    def check_deprecated_methods(self) -> None:
        pass


WEAK = [
    (SignatureMethod.RSA_SHA1, DigestAlgorithm.SHA256, "RSA or ECDSA with SHA-2"),
    (SignatureMethod.RSA_SHA256, DigestAlgorithm.SHA1, "a digest is not of SHA-2"),
    (SignatureMethod.RSA_SHA224, DigestAlgorithm.SHA256, "RSA or ECDSA with SHA-2"),
]


@pytest.mark.parametrize(("method", "digest", "said"), WEAK)
def test_17_weak_algorithms(method: SignatureMethod, digest: DigestAlgorithm, said: str) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        data = await begun(node)
        login = asked(node, data)
        inside = saml_idp.signed(
            saml_idp.assertion(login), idp_key(), method=method, digest=digest, signer=_Weak
        )
        xml = saml_idp.response(login, inside)
        assert said in await refused(node, data, login, xml)

    check()


@with_saml
async def test_17_the_certificate_is_no_key_of_an_hmac(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    for secret in (idp_key().certificate_pem, idp_key().certificate_pem.strip()):
        root = etree.fromstring(saml_idp.with_place(saml_idp.assertion(login)))
        made = XMLSigner(
            signature_algorithm=SignatureMethod.HMAC_SHA256, c14n_algorithm=saml_idp.EXCLUSIVE
        ).sign(root, key=secret.encode(), reference_uri=root.get("ID"), id_attribute="ID")
        xml = saml_idp.response(login, etree.tostring(made).decode())
        assert "RSA or ECDSA with SHA-2" in await refused(node, data, login, xml)


@with_saml
async def test_17_comments_do_not_cut_names_short(node: NodeUnderTest) -> None:
    """The provider knows a person who calls herself ``ada@example.com.evil.test``. A comment in the
    name leaves the signature good, and some parsers with half of the name."""
    data = await begun(node)
    login = asked(node, data, subject="ada@example.com.evil.test")
    good = saml_idp.answer(login, idp_key())
    for cut in ("ada@example.com<!---->.evil.test", "<!-- -->ada@example.com.evil.test"):
        xml = good.replace("ada@example.com.evil.test", cut)
        assert "it has a comment" in await refused(node, data, login, xml)


@with_saml
async def test_17_comments_do_not_cut_values_short(node: NodeUnderTest) -> None:
    await role(node, bound_attributes={"groups": "admins"})
    data = await begun(node)
    login = asked(node, data, attributes={"groups": ("admins-of-nothing",)})
    good = saml_idp.answer(login, idp_key())
    xml = good.replace("admins-of-nothing", "admins<!---->-of-nothing")
    assert "it has a comment" in await refused(node, data, login, xml)


@with_saml
async def test_17_a_canonicalization_with_comments(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    with_comments = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0_WITH_COMMENTS
    inside = saml_idp.signed(saml_idp.assertion(login), idp_key(), canonical=with_comments)
    said = await refused(node, data, login, saml_idp.response(login, inside))
    assert "transforms that it must not have" in said
