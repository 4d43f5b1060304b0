"""An identity provider for tests that answers whatever a test wants, signed with whatever key.

It is a few templates and signxml's signer. What real providers answer, `tests.pysaml2_idp` and
`tests.simplesamlphp` know.
"""

import base64
import datetime
import secrets
import zlib
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureMethod,
)
from signxml.signer import XMLSigner

ENTITY_ID = "https://idp.example.test/metadata"
SSO_URL = "https://idp.example.test/sso"
SP_ENTITY_ID = "https://wardgate.example.test/v1/auth/saml"
ACS_URL = "https://wardgate.example.test/v1/auth/saml/callback"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
_PLACE = f'<ds:Signature xmlns:ds="{DSIG}" Id="placeholder"/>'


def new_id() -> str:
    """An ID of a message."""
    return "_" + secrets.token_hex(16)


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """The login that is answered, and what is said of whoever logged in. Times are in seconds since
    the epoch."""

    request_id: str
    relay_state: str = ""
    acs_url: str = ACS_URL
    audience: str = SP_ENTITY_ID
    issuer: str = ENTITY_ID
    subject: str = "ada@example.com"
    name_format: str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
    attributes: Mapping[str, tuple[str, ...]] = msgspec.field(
        default_factory=lambda: {"groups": ("engineers", "on-call")}
    )
    now: float
    life: float = 300.0
    status: str = SUCCESS
    status_rest: str = ""
    assertion_id: str = ""
    response_id: str = ""
    destination: str | None = None
    response_issuer: str | None = None
    in_response_to: str | None = None
    """Of the response; by default that of the assertion."""


Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def _private(kind: str) -> Private:
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


class Key:
    """A key with a certificate of its own."""

    def __init__(self, kind: str | Private = "rsa", *, first: int = 2000, last: int = 2100) -> None:
        """`kind` is rsa, ec or a key; the certificate is good from the start of one year to that of
        another."""
        private = _private(kind) if isinstance(kind, str) else kind
        self.private = private
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp.example.test")])
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.datetime(first, 1, 1))
            .not_valid_after(datetime.datetime(last, 1, 1))
            .sign(private, hashes.SHA256())
        )
        self.method = (
            SignatureMethod.RSA_SHA256
            if isinstance(private, rsa.RSAPrivateKey)
            else SignatureMethod.ECDSA_SHA256
        )

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def private_pem(self) -> str:
        return self.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()


def _utc(now: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(now, datetime.UTC)


def instant(now: float) -> str:
    """A time as SAML writes it."""
    return _utc(now).strftime("%Y-%m-%dT%H:%M:%SZ")


def request_of(url: str) -> tuple[etree._Element, str]:
    """The request in the address that a browser is sent to, and its RelayState."""
    query = parse_qs(urlsplit(url).query)
    packed = base64.b64decode(query["SAMLRequest"][0])
    return etree.fromstring(zlib.decompress(packed, -15)), query["RelayState"][0]


def asked(url: str, now: float, **changes: object) -> Login:
    """The login that a browser begins at `url`."""
    request, relay_state = request_of(url)
    login = Login(request_id=str(request.get("ID")), relay_state=relay_state, now=now)
    return msgspec.structs.replace(login, **changes)


def assertion(login: Login) -> str:
    """An assertion, not signed."""
    attributes = "".join(
        f'<saml:Attribute Name="{escape(name)}">'
        + "".join(f"<saml:AttributeValue>{escape(each)}</saml:AttributeValue>" for each in values)
        + "</saml:Attribute>"
        for name, values in login.attributes.items()
    )
    now, end = instant(login.now), instant(login.now + login.life)
    return (
        f'<saml:Assertion xmlns:saml="{SAML}" ID="{login.assertion_id or new_id()}" Version="2.0"'
        f' IssueInstant="{now}"><saml:Issuer>{escape(login.issuer)}</saml:Issuer>'
        f'<saml:Subject><saml:NameID Format="{login.name_format}">{escape(login.subject)}'
        "</saml:NameID><saml:SubjectConfirmation"
        ' Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData'
        f' InResponseTo="{login.request_id}" Recipient="{login.acs_url}" NotOnOrAfter="{end}"/>'
        "</saml:SubjectConfirmation></saml:Subject>"
        f'<saml:Conditions NotBefore="{now}" NotOnOrAfter="{end}"><saml:AudienceRestriction>'
        f"<saml:Audience>{escape(login.audience)}</saml:Audience></saml:AudienceRestriction>"
        f'</saml:Conditions><saml:AuthnStatement AuthnInstant="{now}"><saml:AuthnContext>'
        "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
        "</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>"
        f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>"
    )


def response(login: Login, inside: str) -> str:
    """A response around an assertion, not signed."""
    issuer = login.issuer if login.response_issuer is None else login.response_issuer
    destination = login.acs_url if login.destination is None else login.destination
    answered = login.request_id if login.in_response_to is None else login.in_response_to
    return (
        f'<samlp:Response xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}"'
        f' ID="{login.response_id or new_id()}" Version="2.0" IssueInstant="{instant(login.now)}"'
        f' Destination="{destination}" InResponseTo="{answered}">'
        f"<saml:Issuer>{escape(issuer)}</saml:Issuer>"
        f'<samlp:Status><samlp:StatusCode Value="{login.status}"/>{login.status_rest}'
        f"</samlp:Status>{inside}</samlp:Response>"
    )


def signed(
    xml: str,
    key: Key,
    *,
    method: SignatureMethod | None = None,
    digest: DigestAlgorithm = DigestAlgorithm.SHA256,
    canonical: CanonicalizationMethod = EXCLUSIVE,
    signer: Callable[..., XMLSigner] = XMLSigner,
) -> str:
    """`xml`, whose root has an Issuer, with a signature behind that."""
    root = etree.fromstring(with_place(xml))
    made = signer(
        signature_algorithm=method or key.method,
        digest_algorithm=digest,
        c14n_algorithm=canonical,
    ).sign(
        root,
        key=key.private,
        cert=[key.certificate],
        reference_uri=root.get("ID"),
        id_attribute="ID",
    )
    return etree.tostring(made).decode()


def with_place(xml: str) -> str:
    """`xml` with the place for a signature, behind its first Issuer."""
    head, end, rest = xml.partition("</saml:Issuer>")
    return head + end + _PLACE + rest


def answer(login: Login, key: Key, sign: str = "assertion") -> str:
    """A response; `sign` says what of it is signed: ``response``, ``assertion``, ``both`` or
    nothing."""
    inside = assertion(login)
    if sign in ("assertion", "both"):
        inside = signed(inside, key)
    whole = response(login, inside)
    return signed(whole, key) if sign in ("response", "both") else whole


def posted(xml: str | bytes) -> str:
    """As a browser posts it in the field SAMLResponse."""
    return base64.b64encode(xml.encode() if isinstance(xml, str) else xml).decode()


def metadata(
    *keys: Key,
    entity_id: str = ENTITY_ID,
    sso_url: str = SSO_URL,
    binding: str = "HTTP-Redirect",
    valid_until: float | None = None,
    more: str = "",
) -> bytes:
    """What the provider says of itself, with the keys that it signs with."""
    until = "" if valid_until is None else f' validUntil="{instant(valid_until)}"'
    certificates = "".join(
        f'<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="{DSIG}"><ds:X509Data>'
        f"<ds:X509Certificate>{_base64_of(key)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        "</md:KeyDescriptor>"
        for key in keys
    )
    return (
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"'
        f' entityID="{entity_id}"{until}><md:IDPSSODescriptor{more}'
        ' protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        f"{certificates}<md:SingleSignOnService"
        f' Binding="urn:oasis:names:tc:SAML:2.0:bindings:{binding}" Location="{sso_url}"/>'
        "</md:IDPSSODescriptor></md:EntityDescriptor>"
    ).encode()


def _base64_of(key: Key) -> str:
    return base64.b64encode(key.certificate.public_bytes(serialization.Encoding.DER)).decode()
