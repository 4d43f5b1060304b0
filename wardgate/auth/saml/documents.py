"""XML that comes from outside: bounded and plain before anything looks at what it says.

`parsed` reads a document twice. The first reading, by expat, refuses what no SAML message needs and
attacks are made of: DTDs and so entities, processing instructions, comments (which cut texts in two),
other encodings, and sizes, depths and numbers beyond the bounds. It ends at the first thing that it
refuses, so it takes milliseconds at most. Only then lxml builds a tree, without network and entities.
"""

import re
from typing import NoReturn
from xml.parsers import expat

import msgspec
from lxml import etree

Element = etree._Element

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,255}", re.ASCII)
_ENCODINGS = ("utf-8", "utf8", "us-ascii", "ascii", None)


class NotAcceptable(Exception):
    """The document is refused; the text says why, for people, and holds nothing of the document."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything a document may have. `size` is in bytes."""

    size: int = 192 * 1024
    depth: int = 40
    elements: int = 6000
    attributes: int = 40
    """Of one element; declarations of namespaces count."""
    namespaces: int = 300
    """Declarations in the whole document: canonical XML costs their number times the depth."""


MESSAGE = Bounds()
"""For messages that a browser brings."""
PROVIDER_METADATA = Bounds(size=1024 * 1024, elements=20_000, namespaces=2000)
"""For what an identity provider says of itself, at an address that an administrator has chosen."""


def parsed(document: bytes, bounds: Bounds = MESSAGE) -> Element:
    """The root of a document within `bounds`. Raises `NotAcceptable`."""
    _Gate(bounds).check(document)
    try:
        root = etree.fromstring(document, parser())
    except (etree.XMLSyntaxError, ValueError):
        raise NotAcceptable("it is not well-formed XML") from None
    information = root.getroottree().docinfo
    if information.internalDTD is not None or information.externalDTD is not None:
        raise NotAcceptable("it has a document type declaration")
    return root


def parser() -> etree.XMLParser:
    """A parser that reaches for nothing outside of the document; one for each use, since threads may
    not share them."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        collect_ids=False,
    )


class _Gate:
    """Reads a document once and refuses it at the first thing that is not to be in it."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._depth = self._elements = self._namespaces = 0

    def check(self, document: bytes) -> None:
        if len(document) > self._bounds.size:
            raise NotAcceptable(f"it is longer than {self._bounds.size} bytes")
        try:
            document.decode("utf-8")
        except UnicodeDecodeError:
            raise NotAcceptable("it is not UTF-8") from None
        if b"\0" in document:
            raise NotAcceptable("it is not UTF-8")
        reader = expat.ParserCreate()
        reader.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        reader.XmlDeclHandler = self._declaration
        reader.StartDoctypeDeclHandler = self._document_type
        reader.EntityDeclHandler = self._document_type
        reader.ProcessingInstructionHandler = self._instruction
        reader.CommentHandler = self._comment
        reader.StartElementHandler = self._start
        reader.EndElementHandler = self._end
        try:
            reader.Parse(document, True)
        except expat.ExpatError:
            raise NotAcceptable("it is not well-formed XML") from None

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if (encoding.lower() if encoding else None) not in _ENCODINGS:
            raise NotAcceptable("it is not UTF-8")

    def _document_type(self, *declared: object) -> NoReturn:
        raise NotAcceptable("it has a document type declaration")

    def _instruction(self, target: str, data: str) -> NoReturn:
        raise NotAcceptable("it has a processing instruction")

    def _comment(self, text: str) -> NoReturn:
        raise NotAcceptable("it has a comment")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > self._bounds.depth:
            raise NotAcceptable(f"its elements are nested deeper than {self._bounds.depth}")
        if self._elements > self._bounds.elements:
            raise NotAcceptable(f"it has more than {self._bounds.elements} elements")
        if len(attributes) > self._bounds.attributes:
            raise NotAcceptable(f"an element has more than {self._bounds.attributes} attributes")
        self._namespaces += sum(each.startswith("xmlns") for each in attributes)
        if self._namespaces > self._bounds.namespaces:
            raise NotAcceptable("it declares too many namespaces")

    def _end(self, name: str) -> None:
        self._depth -= 1


def children(parent: Element, tag: str) -> list[Element]:
    """The children with this tag; never deeper ones."""
    return [child for child in parent if child.tag == tag]


def only_child(parent: Element, tag: str) -> Element | None:
    """The child with this tag; None where there is none. Raises `NotAcceptable` for several."""
    found = children(parent, tag)
    if len(found) > 1:
        raise NotAcceptable("it has an element twice that may be there once")
    return found[0] if found else None


def text_of(element: Element | None) -> str:
    """The whole text of an element without children, without space around it; empty for others."""
    if element is None or len(element):
        return ""
    return (element.text or "").strip()


def id_of(element: Element) -> str:
    """The element's ID. Raises `NotAcceptable` unless it is a plain name."""
    found = element.get("ID") or ""
    if not _ID.fullmatch(found):
        raise NotAcceptable("an ID is missing or no name")
    return found


def check_ids(root: Element) -> None:
    """Raises `NotAcceptable` when two elements have the same ID, however the attribute is called."""
    seen: set[str] = set()
    for element in root.iter():
        for name, value in element.attrib.items():
            if etree.QName(name).localname.lower() != "id":
                continue
            if value in seen:
                raise NotAcceptable("an ID is there twice")
            seen.add(str(value))
