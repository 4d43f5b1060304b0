"""What an identity provider answers: one assertion about one person, if it can be trusted.

`read` goes from bytes to a `Said`. First the shape is checked, so that there is one response with one
assertion and no second one anywhere; then signatures; then, in what a trusted key has signed, that it
is meant for this server, this login and this time (SAML 2.0 profiles, section 4.1.4.3).
"""

import logging
import re
from datetime import datetime

import msgspec
from cryptography.x509 import Certificate

from wardgate.auth.saml.documents import (
    SAML,
    SAMLP,
    Element,
    NotAcceptable,
    check_ids,
    children,
    id_of,
    only_child,
    parsed,
    text_of,
)
from wardgate.auth.saml.said import Attributes, Said
from wardgate.auth.saml.signatures import SIGNATURE, NotAuthentic, signature_of, verified

_log = logging.getLogger("wardgate.auth.saml")
RESPONSE = f"{{{SAMLP}}}Response"
ASSERTION = f"{{{SAML}}}Assertion"
_ENCRYPTED = f"{{{SAML}}}EncryptedAssertion"
_STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
_SUCCESS = f"{_STATUS}Success"
_TOLD_STATUS = frozenset(
    {
        "Requester", "Responder", "VersionMismatch", "AuthnFailed", "InvalidAttrNameOrValue",
        "InvalidNameIDPolicy", "NoAuthnContext", "NoAvailableIDP", "NoPassive", "NoSupportedIDP",
        "PartialLogout", "ProxyCountExceeded", "RequestDenied", "RequestUnsupported",
        "UnknownPrincipal", "UnsupportedBinding",
    }
)  # fmt: skip
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_KNOWN_CONDITIONS = frozenset(
    f"{{{SAML}}}{name}" for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction")
)
LEEWAY = 60.0
"""Seconds that the provider's clock may differ from ours."""
LONGEST_SUBJECT = 512  # characters
_LONGEST_VALUE = 2048  # characters
_MOST_VALUES = 2000  # of all attributes
_LONGEST_MESSAGE = 200  # characters
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer to one request of ours has to be. `now` is in seconds since the epoch."""

    request_id: str
    acs_url: str
    entity_id: str
    """Our own name."""
    idp_entity_id: str
    certificates: tuple[Certificate, ...]
    key_pem: bytes
    """The private key to which assertions are encrypted."""
    response_signed: bool = False
    """Whether the response has to be signed, whatever else is."""
    assertion_signed: bool = False
    now: float


class ProviderRefused(Exception):
    """The provider says that nobody logged in; the text is safe to show. `ours` says whether this
    answers the request that was sent for this login."""

    def __init__(self, why: str, *, ours: bool) -> None:
        super().__init__(why)
        self.ours = ours


class NotForUs(Exception):
    """A trusted provider said something that does not let anybody in here; the text says why."""


def read(document: bytes, expected: Expected) -> Said:
    """What the document says. Raises `NotAcceptable`, `NotAuthentic`, `ProviderRefused` and
    `NotForUs`."""
    root = parsed(document)
    _check_outline(root)
    signed = None
    if signature_of(root) is not None:
        signed = verified(root, expected.certificates, expected.now)
    response = root if signed is None else signed
    # a refusal of another login, which the provider may have signed, must not end this one
    ours = response.get("InResponseTo") == expected.request_id
    _check_status(response, ours=ours, signed=signed is not None)
    if signed is None and expected.response_signed:
        raise NotAuthentic("the response is not signed, and validate_response_signature is set")
    assertion = _assertion(root, signed, expected)
    _check_response(response, expected)
    _check_assertion(assertion, expected)
    return Said(
        issuer=expected.idp_entity_id,
        assertion_id=id_of(assertion),
        subject=_subject(assertion),
        attributes=_attributes(assertion),
    )


def _check_outline(root: Element) -> None:
    """Raises `NotAcceptable` unless there is one response, with at most one assertion in the one
    place where it belongs, and no signature that belongs to neither."""
    if root.tag != RESPONSE:
        raise NotAcceptable("it is not a SAML response")
    check_ids(root)
    assertions = 0
    for element in root.iter():
        parent = element.getparent()
        if element.tag == RESPONSE and parent is not None:
            raise NotAcceptable("it has a response inside of another element")
        if element.tag in (ASSERTION, _ENCRYPTED):
            assertions += 1
            if parent is not root:
                raise NotAcceptable("it has an assertion where none belongs")
        if element.tag == SIGNATURE and not (
            parent is root
            or (parent is not None and parent.tag == ASSERTION and parent.getparent() is root)
        ):
            raise NotAcceptable("it has a signature where none belongs")
    if assertions > 1:
        raise NotAcceptable("it has more than one assertion")


def _assertion(root: Element, signed: Element | None, expected: Expected) -> Element:
    """The assertion as a trusted key has signed it: by itself, or as a part of the response."""
    source = root if signed is None else signed
    encrypted = only_child(source, _ENCRYPTED)
    if encrypted is not None:
        assertion = _decrypted(encrypted, expected.key_pem, signed=signed is not None)
        original: Element | None = assertion
        try:
            _check_alone(assertion)
            return _authentic(assertion, original, signed, expected)
        except NotAcceptable as error:  # what was encrypted is nobody's to know
            raise NotAuthentic(str(error)) from None
    found = only_child(source, ASSERTION)
    if found is None:
        raise NotAcceptable("it has no assertion")
    return _authentic(found, only_child(root, ASSERTION), signed, expected)


def _decrypted(encrypted: Element, key_pem: bytes, *, signed: bool) -> Element:
    try:
        from wardgate.auth.saml.decryption import decrypted  # loads xmlsec
    except Exception as error:  # of its own kind, when its libxml2 is not lxml's
        _log.error("xmlsec cannot be loaded, so no assertion is decrypted: %s", error)
        raise NotAcceptable("this server cannot decrypt assertions; its log says why") from None
    return decrypted(encrypted, key_pem, signed=signed)


def _authentic(
    assertion: Element, original: Element | None, signed: Element | None, expected: Expected
) -> Element:
    """`original` is the assertion as it came, with its own signature where there is one."""
    if original is not None and signature_of(original) is not None:
        by_itself = verified(original, expected.certificates, expected.now)
        if id_of(by_itself) != id_of(assertion):
            raise NotAuthentic("two assertions are signed")
        return by_itself
    if expected.assertion_signed:
        raise NotAuthentic("the assertion is not signed, and validate_assertion_signature is set")
    if signed is None:
        raise NotAuthentic("neither the response nor the assertion is signed")
    return assertion


def _check_alone(assertion: Element) -> None:
    """The same as `_check_outline`, for what was encrypted."""
    if assertion.tag != ASSERTION:
        raise NotAcceptable("what was encrypted is no assertion")
    check_ids(assertion)
    for element in assertion.iter():
        if element is assertion:
            continue
        if element.tag in (RESPONSE, ASSERTION, _ENCRYPTED):
            raise NotAcceptable("it has an assertion where none belongs")
        if element.tag == SIGNATURE and element.getparent() is not assertion:
            raise NotAcceptable("it has a signature where none belongs")


def _check_status(response: Element, *, ours: bool, signed: bool) -> None:
    """Raises `ProviderRefused` unless somebody has logged in.

    Providers seldom sign refusals, so one that is not signed counts as well. Only who has the
    RelayState can bring it, which is the browser that was sent, and could as well not come back; but
    what is said of it is then one of our own words, and nothing of the sender's.
    """
    status = only_child(response, f"{{{SAMLP}}}Status")
    code = None if status is None else only_child(status, f"{{{SAMLP}}}StatusCode")
    value = "" if code is None else code.get("Value") or ""
    if value == _SUCCESS:
        return
    inner = None if code is None else only_child(code, f"{{{SAMLP}}}StatusCode")
    codes = [value, "" if inner is None else inner.get("Value") or ""]
    names = [each.removeprefix(_STATUS) for each in codes]
    why = ", ".join(name for name in names if name in _TOLD_STATUS) or "for an unknown reason"
    message = text_of(None if status is None else only_child(status, f"{{{SAMLP}}}StatusMessage"))
    if ours and signed and message:
        why += ": " + "".join(c if c.isprintable() else " " for c in message)[:_LONGEST_MESSAGE]
    raise ProviderRefused(f"The identity provider refused: {why}", ours=ours)


def _check_response(response: Element, expected: Expected) -> None:
    if response.get("Version") != "2.0":
        raise NotForUs("The response is not of SAML 2.0.")
    if response.get("Destination") != expected.acs_url:
        raise NotForUs("The response is for another address (Destination).")
    if response.get("InResponseTo") != expected.request_id:
        raise NotForUs("The response belongs to another login (InResponseTo).")
    issuer = only_child(response, f"{{{SAML}}}Issuer")
    if issuer is not None and text_of(issuer) != expected.idp_entity_id:
        raise NotForUs("The response is of another identity provider (Issuer).")


def _check_assertion(assertion: Element, expected: Expected) -> None:
    if assertion.get("Version") != "2.0":
        raise NotForUs("The assertion is not of SAML 2.0.")
    if text_of(only_child(assertion, f"{{{SAML}}}Issuer")) != expected.idp_entity_id:
        raise NotForUs("The assertion is of another identity provider (Issuer).")
    _check_conditions(assertion, expected)
    subject = only_child(assertion, f"{{{SAML}}}Subject")
    confirmations = () if subject is None else children(subject, f"{{{SAML}}}SubjectConfirmation")
    refusals = [_confirmation_refused(each, expected) for each in confirmations]
    if not refusals or all(refusals):
        raise NotForUs(next(iter(refusals), "") or "The assertion confirms no bearer.")
    statements = children(assertion, f"{{{SAML}}}AuthnStatement")
    if not statements:
        raise NotForUs("The assertion does not say that anybody logged in (AuthnStatement).")
    for statement in statements:
        end = statement.get("SessionNotOnOrAfter")
        if end is not None and expected.now >= _time(end) + LEEWAY:
            raise NotForUs("The login at the identity provider has expired (SessionNotOnOrAfter).")


def _check_conditions(assertion: Element, expected: Expected) -> None:
    conditions = only_child(assertion, f"{{{SAML}}}Conditions")
    if conditions is None:
        raise NotForUs("The assertion has no Conditions.")
    _check_times(conditions, expected.now)
    if any(child.tag not in _KNOWN_CONDITIONS for child in conditions):
        raise NotForUs("The assertion has a condition that is not known here.")
    restrictions = children(conditions, f"{{{SAML}}}AudienceRestriction")
    for restriction in restrictions:
        audiences = [text_of(each) for each in children(restriction, f"{{{SAML}}}Audience")]
        if expected.entity_id not in audiences:
            raise NotForUs("The assertion is for somebody else (Audience): check the entity_id.")
    if not restrictions:
        raise NotForUs("The assertion does not say whom it is for (AudienceRestriction).")


def _check_times(element: Element, now: float) -> None:
    start, end = element.get("NotBefore"), element.get("NotOnOrAfter")
    if start is not None and now < _time(start) - LEEWAY:
        raise NotForUs("The assertion is not valid yet (NotBefore).")
    if end is not None and now >= _time(end) + LEEWAY:
        raise NotForUs("The assertion has expired (NotOnOrAfter).")


def _confirmation_refused(confirmation: Element, expected: Expected) -> str:
    """Why a confirmation is not good for this login; empty when it is."""
    data = only_child(confirmation, f"{{{SAML}}}SubjectConfirmationData")
    if confirmation.get("Method") != _BEARER or data is None:
        return "The assertion confirms no bearer."
    if data.get("InResponseTo") != expected.request_id:
        return "The assertion belongs to another login (InResponseTo)."
    if data.get("Recipient") != expected.acs_url:
        return "The assertion is for another address (Recipient)."
    if data.get("NotOnOrAfter") is None:
        return "The assertion does not say until when it is good (NotOnOrAfter)."
    try:
        _check_times(data, expected.now)
    except NotForUs as error:
        return str(error)
    return ""


def _subject(assertion: Element) -> str:
    subject = only_child(assertion, f"{{{SAML}}}Subject")
    name = None if subject is None else only_child(subject, f"{{{SAML}}}NameID")
    text = text_of(name)
    if name is None or not text:
        raise NotForUs("The assertion names nobody (NameID).")
    if text != name.text:
        # the provider may know somebody else whose name differs by just that
        raise NotForUs("The name in the assertion has space around it (NameID).")
    if name.get("Format") == _TRANSIENT:
        raise NotForUs(
            "The assertion calls everybody by another name each time (a transient NameID): the"
            " identity provider has to send a lasting one, such as the e-mail address."
        )
    if len(text) > LONGEST_SUBJECT or not text.isprintable():
        raise NotForUs("The name in the assertion is too long, or cannot be shown (NameID).")
    return text


def _attributes(assertion: Element) -> Attributes:
    found: dict[str, list[str]] = {}
    number = 0
    for statement in children(assertion, f"{{{SAML}}}AttributeStatement"):
        for attribute in children(statement, f"{{{SAML}}}Attribute"):
            values = found.setdefault((attribute.get("Name") or "").strip().lower(), [])
            for value in children(attribute, f"{{{SAML}}}AttributeValue"):
                text, number = "" if len(value) else value.text or "", number + 1
                if len(text) > _LONGEST_VALUE or number > _MOST_VALUES:
                    raise NotForUs("The assertion has too many attributes, or too long ones.")
                if text:
                    values.append(text)
    return {name: tuple(dict.fromkeys(values)) for name, values in found.items() if name}


def _time(text: str) -> float:
    """Seconds since the epoch."""
    try:
        if not _TIME.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise NotForUs("A time in the assertion cannot be read.") from None
