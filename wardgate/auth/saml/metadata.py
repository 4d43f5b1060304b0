"""Metadata (SAML 2.0 metadata): what a provider says of itself, and what we say to providers."""

import base64
from collections.abc import Sequence
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

import msgspec

from wardgate.auth.saml import certificates
from wardgate.auth.saml.config import Config, is_insecure, is_sso_address

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
_REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_DSIG = "http://www.w3.org/2000/09/xmldsig#"
_XENC11 = "http://www.w3.org/2009/xmlenc11#"
_XENC = "http://www.w3.org/2001/04/xmlenc#"


class UnusableMetadata(Exception):
    """Nobody can log in by this metadata; the text says why, for administrators."""


class IdentityProvider(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be known of a provider. `certificates` are DER; `valid_until` is in seconds since
    the epoch."""

    entity_id: str
    sso_url: str
    certificates: tuple[bytes, ...]
    valid_until: float | None = None
    wants_signed_requests: bool = False


def configured(config: Config) -> IdentityProvider:
    """The provider that a configuration describes by itself."""
    return IdentityProvider(
        entity_id=config.idp_entity_id,
        sso_url=config.idp_sso_url,
        certificates=certificates.from_pem(config.idp_cert),
    )


def read_metadata(document: bytes, now: float, *, secure: bool) -> IdentityProvider:
    """The one provider that metadata describes. `secure` says that it came over TLS, as people's
    logins then have to. Raises `UnusableMetadata`."""
    # these load lxml
    from wardgate.auth.saml.documents import (
        METADATA,
        PROVIDER_METADATA,
        Element,
        NotAcceptable,
        children,
        parsed,
        text_of,
    )

    def below(element: Element, name: str) -> list[Element]:
        return children(element, f"{{{METADATA}}}{name}")

    try:
        root = parsed(document, PROVIDER_METADATA)
    except NotAcceptable as error:
        raise UnusableMetadata(f"the metadata cannot be read: {error}") from None
    if root.tag not in (f"{{{METADATA}}}EntityDescriptor", f"{{{METADATA}}}EntitiesDescriptor"):
        raise UnusableMetadata("the answer is not SAML metadata")
    single = root.tag == f"{{{METADATA}}}EntityDescriptor"
    entities = [root] if single else below(root, "EntityDescriptor")
    found = [
        (entity, each)
        for entity in entities
        for each in below(entity, "IDPSSODescriptor")
        if PROTOCOL in (each.get("protocolSupportEnumeration") or "").split()
    ]
    if len(found) != 1:
        raise UnusableMetadata(
            f"the metadata describes {len(found)} identity providers of SAML 2.0; exactly one is"
            " needed"
        )
    entity, descriptor = found[0]
    ends = [each.get("validUntil") for each in (root, entity, descriptor)]
    valid_until = min((_time(end) for end in ends if end), default=None)
    if valid_until is not None and valid_until <= now:
        raise UnusableMetadata("the metadata is not valid any more (validUntil)")
    texts = [
        text_of(certificate)
        for key in below(descriptor, "KeyDescriptor")
        if key.get("use") in (None, "signing")
        for certificate in key.iter(f"{{{_DSIG}}}X509Certificate")
    ]
    try:
        keys = certificates.from_base64(texts)
    except ValueError as error:
        raise UnusableMetadata(f"the metadata's signing certificates: {error}") from None
    services = below(descriptor, "SingleSignOnService")
    return IdentityProvider(
        entity_id=_entity_id(entity.get("entityID")),
        sso_url=_sso_url([(s.get("Binding"), s.get("Location")) for s in services], secure=secure),
        certificates=keys,
        valid_until=valid_until,
        wants_signed_requests=descriptor.get("WantAuthnRequestsSigned") in ("true", "1"),
    )


def _entity_id(found: str | None) -> str:
    if not found or not found.isprintable():
        raise UnusableMetadata("the metadata does not name the provider (entityID)")
    return found.strip()


def _sso_url(services: Sequence[tuple[str | None, str | None]], *, secure: bool) -> str:
    by_redirect = [location for binding, location in services if binding == _REDIRECT]
    if not by_redirect:
        kinds = ", ".join(sorted({(binding or "").rpartition(":")[2] for binding, _ in services}))
        known = [kind for kind in ("HTTP-POST", "SOAP", "HTTP-Artifact") if kind in kinds]
        raise UnusableMetadata(
            "the metadata offers no single sign-on by HTTP-Redirect, which is needed; it offers "
            + (", ".join(known) or "no known binding")
        )
    url = by_redirect[0] or ""
    if not is_sso_address(url):
        raise UnusableMetadata(
            "the metadata's address for single sign-on is no http or https URL to which a request can"
            " be added"
        )
    if secure and is_insecure(url):
        raise UnusableMetadata(
            "the metadata's address for single sign-on is not https, as its own address is"
        )
    return url


def _time(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise UnusableMetadata("the metadata's validUntil cannot be read")
    return found.timestamp()


def own_metadata(config: Config, certificate: bytes) -> bytes:
    """What an identity provider has to know of us: our name, our addresses, and the key to which it
    may encrypt assertions."""
    methods = [f"{_XENC11}aes256-gcm", f"{_XENC11}aes128-gcm", f"{_XENC}rsa-oaep-mgf1p"]
    encryption = "".join(f"<md:EncryptionMethod Algorithm={quoteattr(m)}/>" for m in methods)
    services = "".join(
        f"<md:AssertionConsumerService Binding={quoteattr(POST)} Location={quoteattr(url)}"
        f' index="{index}" isDefault="{"false" if index else "true"}"/>'
        for index, url in enumerate(config.acs_urls)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"'
        f" entityID={quoteattr(config.entity_id)}>"
        '<md:SPSSODescriptor AuthnRequestsSigned="false" WantAssertionsSigned="true"'
        f" protocolSupportEnumeration={quoteattr(PROTOCOL)}>"
        f'<md:KeyDescriptor use="encryption"><ds:KeyInfo xmlns:ds="{_DSIG}"><ds:X509Data>'
        f"<ds:X509Certificate>{escape(base64.b64encode(certificate).decode())}"
        f"</ds:X509Certificate></ds:X509Data></ds:KeyInfo>{encryption}</md:KeyDescriptor>"
        f"{services}</md:SPSSODescriptor></md:EntityDescriptor>\n"
    ).encode()
