"""Signature wrapping in SAML logins: line 17 of CASES.md.

Somebody has an answer that the provider has signed for themselves, and moves it about so that the
signature stays good while another assertion, which nobody signed, is read. The eight shapes are those
of Somorovsky and others, "On Breaking SAML: Be Whoever You Want to Be" (2012), in the numbers that SAML
Raider gave them.
"""

import copy
from collections.abc import Callable

import pytest
from lxml import etree

from tests import saml_idp
from tests.node import NodeUnderTest, errors
from tests.saml_idp import DSIG, SAML, SAMLP
from tests.unit.auth.saml.browser_logins import (
    asked,
    begun,
    callback,
    configure,
    idp_key,
    poll,
    with_saml,
)

EVE, ROOT = "eve@example.com", "root@example.com"
SIGNATURE = f"{{{DSIG}}}Signature"
ASSERTION = f"{{{SAML}}}Assertion"
Element = etree._Element


def _evil(element: Element) -> Element:
    """A copy without signature, with another ID and another person."""
    made = copy.deepcopy(element)
    made.set("ID", "_evil")
    for signature in made.findall(SIGNATURE):
        made.remove(signature)
    for name in made.iter(f"{{{SAML}}}NameID"):
        name.text = ROOT
    for inner in made.findall(ASSERTION):
        inner.set("ID", "_evil-inner")
    return made


def _without_signature(element: Element) -> Element:
    made = copy.deepcopy(element)
    for signature in made.findall(SIGNATURE):
        made.remove(signature)
    return made


def _taken(element: Element) -> Element:
    signature = element.find(SIGNATURE)
    assert signature is not None
    return copy.deepcopy(signature)


def _assertion(response: Element) -> Element:
    found = response.find(ASSERTION)
    assert found is not None
    return found


def xsw1(response: Element) -> Element:
    """The signed response inside of its signature, which an evil one carries."""
    evil, signature = _evil(response), _taken(response)
    signature.append(_without_signature(response))
    evil.insert(1, signature)
    return evil


def xsw2(response: Element) -> Element:
    """The signed response beside its signature."""
    evil, signature = _evil(response), _taken(response)
    evil.insert(1, signature)
    evil.insert(1, _without_signature(response))
    return evil


def xsw3(response: Element) -> Element:
    """An evil assertion before the signed one."""
    _assertion(response).addprevious(_evil(_assertion(response)))
    return response


def xsw4(response: Element) -> Element:
    """The signed assertion inside of an evil one."""
    signed = _assertion(response)
    evil = _evil(signed)
    response.replace(signed, evil)
    evil.append(signed)
    return response


def xsw5(response: Element) -> Element:
    """An evil assertion with the signature, and the signed one without it at the end."""
    signed = _assertion(response)
    evil = _evil(signed)
    evil.insert(1, _taken(signed))
    response.replace(signed, evil)
    response.append(_without_signature(signed))
    return response


def xsw6(response: Element) -> Element:
    """The signed assertion inside of its signature, which an evil one carries."""
    signed = _assertion(response)
    evil, signature = _evil(signed), _taken(signed)
    signature.append(_without_signature(signed))
    evil.insert(1, signature)
    response.replace(signed, evil)
    return response


def xsw7(response: Element) -> Element:
    """An evil assertion among extensions, which may hold anything."""
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    extensions.append(_evil(_assertion(response)))
    _assertion(response).addprevious(extensions)
    return response


def xsw8(response: Element) -> Element:
    """The signed assertion in an Object of the signature, which an evil one carries."""
    signed = _assertion(response)
    evil, signature = _evil(signed), _taken(signed)
    holder = etree.SubElement(signature, f"{{{DSIG}}}Object")
    holder.append(_without_signature(signed))
    evil.insert(1, signature)
    response.replace(signed, evil)
    return response


def same_id(response: Element) -> Element:
    """Two assertions of one ID."""
    evil = _evil(_assertion(response))
    evil.set("ID", str(_assertion(response).get("ID")))
    _assertion(response).addprevious(evil)
    return response


def same_id_elsewhere(response: Element) -> Element:
    """The same, but that the other element has it in an attribute that is spelt otherwise."""
    holder = etree.SubElement(_assertion(response), f"{{{SAML}}}Advice")
    holder.set("Id", str(_assertion(response).get("ID")))
    return response


def empty_reference(response: Element) -> Element:
    """A reference to the whole document, whatever that is."""
    for reference in response.iter(f"{{{DSIG}}}Reference"):
        reference.set("URI", "")
    return response


def no_reference(response: Element) -> Element:
    """A reference that the application would have to know."""
    for reference in response.iter(f"{{{DSIG}}}Reference"):
        del reference.attrib["URI"]
    return response


def other_reference(response: Element) -> Element:
    """The assertion's signature is over the response, which carries no signature itself."""
    signature = _taken(response)
    _assertion(response).insert(1, signature)
    return _without_signature(response)


def two_references(response: Element) -> Element:
    """A second thing is signed along."""
    for reference in list(response.iter(f"{{{DSIG}}}Reference")):
        reference.addnext(copy.deepcopy(reference))
    return response


def two_signatures(response: Element) -> Element:
    """One element with two signatures."""
    signature = next(response.iter(SIGNATURE))
    signature.addnext(copy.deepcopy(signature))
    return response


SHAPES = [
    xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8, same_id, same_id_elsewhere, empty_reference,
    no_reference, other_reference, two_references, two_signatures,
]  # fmt: skip


OF_RESPONSES = [xsw1, xsw2, other_reference]
"""Those that move the response's signature; the others that are known by a number, the assertion's."""


REASONS: dict[Callable[[Element], Element], str] = {
    xsw3: "more than one assertion",
    xsw4: "an assertion where none belongs",
    xsw7: "an assertion where none belongs",
    same_id: "an ID is there twice",
    same_id_elsewhere: "an ID is there twice",
    two_references: "exactly one reference",
    two_signatures: "several signatures",
}
"""What is said of shapes that more than one check would refuse: the first of them."""


def _cases() -> list[tuple[Callable[[Element], Element], str]]:
    def signed(shape: Callable[[Element], Element]) -> tuple[str, ...]:
        if shape in OF_RESPONSES:
            return ("response", "both")
        return ("assertion", "both", *(() if shape.__name__.startswith("xsw") else ("response",)))

    return [(shape, sign) for shape in SHAPES for sign in signed(shape)]


@pytest.mark.parametrize(
    ("shape", "sign"), _cases(), ids=lambda each: getattr(each, "__name__", each)
)
def test_17_signature_wrapping(shape: Callable[[Element], Element], sign: str) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        data = await begun(node)
        login = asked(node, data, subject=EVE)
        good = saml_idp.answer(login, idp_key(), sign)
        moved = shape(etree.fromstring(good))
        response = await callback(node, login, etree.tostring(moved))
        assert response.status == 400
        assert REASONS.get(shape, "") in errors(response)[0]
        assert errors(await poll(node, data)) == ["authorization_pending"]
        assert (await callback(node, login, good)).status == 200  # the login is open still

    check()


@with_saml
async def test_17_a_signature_over_something_else_in_the_document(node: NodeUnderTest) -> None:
    """The provider's metadata, say, is signed by the same key."""
    await configure(node)
    data = await begun(node)
    login = asked(node, data, subject=ROOT)
    signed = etree.fromstring(
        saml_idp.signed(
            f'<x xmlns:saml="{SAML}" ID="_x"><saml:Issuer></saml:Issuer></x>', idp_key()
        )
    )
    xml = etree.fromstring(saml_idp.answer(login, idp_key(), "nothing"))
    _assertion(xml).insert(1, _taken(signed))
    response = await callback(node, login, etree.tostring(xml))
    assert "does not refer to the element that it is in" in errors(response)[0]
    _assertion(xml).set("ID", "_x")
    response = await callback(node, login, etree.tostring(xml))
    assert "cannot be verified" in errors(response)[0]
