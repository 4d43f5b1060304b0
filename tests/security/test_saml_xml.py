"""Hostile XML in SAML logins: lines 17 and 44 of CASES.md. Nothing of it is looked at any further, and
none of it takes long."""

import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler

import pytest
from lxml import etree

from tests import saml_idp
from tests.node import NodeUnderTest, errors
from tests.saml_idp import DSIG
from tests.serving import on_a_thread
from tests.unit.auth.saml.browser_logins import asked, begun, callback, idp_key, poll, with_saml

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPE = "a document type declaration"


def _named(xml: str, name: str) -> str:
    """The answer with something else in the place of the person's name."""
    return xml.replace("ada@example.com", name)


def _with_doctype(declared: str, used: str = "") -> Callable[[str], str]:
    return lambda xml: f"<!DOCTYPE r [{declared}]>" + xml.replace("ada@example.com", used or "x")


HOSTILE: dict[str, tuple[Callable[[str], str], str]] = {
    "doctype": (_with_doctype(""), DOCTYPE),
    "external doctype": (
        lambda xml: '<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd">' + xml,
        DOCTYPE,
    ),
    "entity": (_with_doctype('<!ENTITY e "ada">', "&e;"), DOCTYPE),
    "external entity": (_with_doctype('<!ENTITY e SYSTEM "file:///etc/passwd">', "&e;"), DOCTYPE),
    "parameter entity": (
        _with_doctype('<!ENTITY % e SYSTEM "http://127.0.0.1:1/x"> %e;'),
        DOCTYPE,
    ),
    "billion laughs": (_with_doctype('<!ENTITY l0 "ha">' + LAUGHS, "&l9;"), DOCTYPE),
    "default attribute": (
        _with_doctype('<!ATTLIST r ID CDATA "_x">'),
        DOCTYPE,
    ),
    "unknown entity": (lambda xml: xml.replace("ada@", "&nbsp;"), "not well-formed"),
    "instruction": (
        lambda xml: '<?xml-stylesheet href="http://127.0.0.1:1/"?>' + xml,
        "instruction",
    ),
    "comment": (lambda xml: xml + "<!-- -->", "a comment"),
    "latin1": (lambda xml: '<?xml version="1.0" encoding="iso-8859-1"?>' + xml, "not UTF-8"),
    "utf7": (lambda xml: '<?xml version="1.0" encoding="utf-7"?>' + xml, "not "),
    "zero": (lambda xml: xml.replace("ada", "a\0a"), "not UTF-8"),
    "nothing": (lambda xml: "", "no answer"),
    "text": (lambda xml: "hello", "not well-formed"),
    "cut off": (lambda xml: xml[:-20], "not well-formed"),
    "two roots": (lambda xml: xml + xml, "not well-formed"),
    "another root": (lambda xml: "<a/>", "not a SAML response"),
    "huge": (lambda xml: _named(xml, "a" * 195_000), "longer than"),
    "deep": (lambda xml: _named(xml, "<a>" * 2000 + "</a>" * 2000), "nested deeper"),
    "wide": (lambda xml: _named(xml, "<a/>" * 8000), "elements"),
    "attributes": (
        lambda xml: xml.replace("<saml:Subject>", _subject(f'a{n}=""' for n in range(5000))),
        "attributes",
    ),
    "namespaces": (
        lambda xml: xml.replace("<saml:Subject>", '<a xmlns:b="urn:b"/>' * 2000 + "<saml:Subject>"),
        "too many namespaces",
    ),
    "undeclared prefix": (lambda xml: xml.replace("ada@", "<no:a/>"), "not well-formed"),
}


def _subject(attributes: Iterable[str]) -> str:
    return f"<saml:Subject {' '.join(attributes)}>"


@pytest.mark.parametrize("name", HOSTILE)
def test_17_hostile_xml(name: str) -> None:
    change, said = HOSTILE[name]

    @with_saml
    async def check(node: NodeUnderTest) -> None:
        data = await begun(node)
        login = asked(node, data)
        response = await callback(node, login, change(saml_idp.answer(login, idp_key())))
        assert response.status == 400
        assert said in errors(response)[0]
        assert errors(await poll(node, data)) == ["authorization_pending"]

    check()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "cp037"])
def test_17_other_encodings(encoding: str) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        data = await begun(node)
        login = asked(node, data)
        xml = saml_idp.answer(login, idp_key()).encode(encoding)
        response = await callback(node, login, xml)
        assert "it is not" in errors(response)[0]

    check()


@with_saml
async def test_17_what_is_not_base64(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    for text in ("%", "====", "a", "\u00e9", "A" * 300_000, "ab=c"):
        body = {"RelayState": login.relay_state, "SAMLResponse": text}
        response = await node.write("auth/saml/callback", body, token="")
        assert response.status == 400
        assert text[:10] not in errors(response)[0] or len(text) < 2


class _Counting(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
TRANSFORMS = {
    "xslt": f'<ds:Transform xmlns:ds="{DSIG}" Algorithm="{XSLT}"><s:stylesheet version="1.0"'
    ' xmlns:s="http://www.w3.org/1999/XSL/Transform"><s:template match="/">'
    "<s:value-of select=\"document('ADDRESS')\"/></s:template></s:stylesheet></ds:Transform>",
    "xpath": f'<ds:Transform xmlns:ds="{DSIG}" Algorithm="http://www.w3.org/TR/1999/'
    'REC-xpath-19991116"><ds:XPath>not(//saml:NameID)</ds:XPath></ds:Transform>',
    "base64": f'<ds:Transform xmlns:ds="{DSIG}" Algorithm="{DSIG}base64"/>',
    "xpointer": "",
    "outside": "",
    "retrieval": "",
    "object": "",
    "manifest": "",
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_17_signatures_that_reach_for_something_else(name: str) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        with on_a_thread(_Counting) as address:
            data = await begun(node)
            login = asked(node, data)
            xml = etree.fromstring(saml_idp.answer(login, idp_key()))
            signature = next(xml.iter(f"{{{DSIG}}}Signature"))
            reference = next(signature.iter(f"{{{DSIG}}}Reference"))
            match name:
                case "xpointer":
                    reference.set("URI", f"#xpointer(id('{reference.get('URI')}'))")
                case "outside":
                    reference.set("URI", f"{address}/x")
                case "retrieval":
                    information = etree.SubElement(signature, f"{{{DSIG}}}KeyInfo")
                    etree.SubElement(information, f"{{{DSIG}}}RetrievalMethod", URI=f"{address}/k")
                case "object":
                    etree.SubElement(signature, f"{{{DSIG}}}Object").text = "x"
                case "manifest":
                    reference.set("Type", f"{DSIG}Manifest")
                    reference.set("URI", "#manifest")
                case _:
                    added = TRANSFORMS[name].replace("ADDRESS", f"{address}/x")
                    next(reference.iter(f"{{{DSIG}}}Transforms")).append(etree.fromstring(added))
            response = await callback(node, login, etree.tostring(xml))
            assert response.status == 400
            assert not _Counting.asked
            assert errors(await poll(node, data)) == ["authorization_pending"]

    check()


@with_saml
async def test_17_many_transforms_are_not_begun(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    xml = etree.fromstring(saml_idp.answer(login, idp_key()))
    transforms = next(xml.iter(f"{{{DSIG}}}Transforms"))
    last = etree.tostring(transforms[-1])
    for _ in range(800):
        transforms.append(etree.fromstring(last))
    response = await callback(node, login, etree.tostring(xml))
    assert "transforms that it must not have" in errors(response)[0]


@with_saml
async def test_44_others_are_answered_while_a_large_answer_is_read(node: NodeUnderTest) -> None:
    """Answers are read on threads, two at a time."""
    import asyncio

    from wardgate.auth.saml.turns import AT_ONCE, Turns

    turns, go = Turns(), threading.Event()
    held = [asyncio.create_task(turns.run(go.wait)) for _ in range(AT_ONCE + 3)]
    await asyncio.sleep(0)
    assert (await node.read("sys/mounts")).status == 200
    go.set()
    assert all(await asyncio.gather(*held))
