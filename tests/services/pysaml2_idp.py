"""pysaml2's identity provider, as a program that answers one request.

It reads what to do as JSON (`Asked`) and writes the answer's XML. It is a process of its own, since
pysaml2 warns when it is imported, and needs the program xmlsec1. Its way to encrypt is triple DES
unless it is told otherwise.
"""

import functools
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

BASIC = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider is, and what it is asked. `request` is the query parameter SAMLRequest."""

    entity_id: str
    sso_url: str
    key_pem: str
    certificate_pem: str
    sp_metadata: str
    request: str = ""
    """Without one, the provider's own metadata is written."""
    subject: str = "ada@example.com"
    attributes: dict[str, list[str]] = msgspec.field(
        default_factory=lambda: {"mail": ["ada@example.com"]}
    )
    sign_response: bool = False
    sign_assertion: bool = False
    encryption: str = ""
    """The URI of the algorithm for encrypted assertions."""
    session_key: str = "aes-256"
    self_contained: bool = True
    """Whether an encrypted assertion declares the namespaces that it uses."""


def _configuration(asked: Asked, folder: Path) -> dict[str, Any]:
    (folder / "key.pem").write_text(asked.key_pem)
    (folder / "cert.pem").write_text(asked.certificate_pem)
    (folder / "sp.xml").write_text(asked.sp_metadata)
    binding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
    return {
        "entityid": asked.entity_id,
        "service": {
            "idp": {
                "endpoints": {"single_sign_on_service": [(asked.sso_url, binding)]},
                "policy": {"default": {"lifetime": {"minutes": 5}, "name_form": BASIC}},
            }
        },
        "key_file": str(folder / "key.pem"),
        "cert_file": str(folder / "cert.pem"),
        "metadata": {"local": [str(folder / "sp.xml")]},
        "xmlsec_binary": "/usr/bin/xmlsec1",
        "allow_unknown_attributes": True,
    }


def answer(asked: Asked) -> str:
    """What the provider answers."""
    from saml2 import BINDING_HTTP_REDIRECT, entity, saml, sigver
    from saml2.config import IdPConfig
    from saml2.metadata import entity_descriptor
    from saml2.server import Server

    with tempfile.TemporaryDirectory() as folder:
        configuration = IdPConfig().load(_configuration(asked, Path(folder)))
        if not asked.request:
            return str(entity_descriptor(configuration))
        provider = Server(config=configuration)
        if asked.encryption:
            template = functools.partial(sigver.pre_encryption_part, msg_enc=asked.encryption)
            setattr(entity, "pre_encryption_part", template)  # noqa: B010
            crypto: Any = provider.sec.crypto  # type: ignore[union-attr]
            encrypt = crypto.encrypt_assertion
            crypto.encrypt_assertion = lambda xml, key, template, kind, where: encrypt(
                xml, key, template, asked.session_key, where
            )
        request = provider.parse_authn_request(asked.request, BINDING_HTTP_REDIRECT).message
        made = provider.create_authn_response(
            asked.attributes,
            in_response_to=request.id,
            destination=request.assertion_consumer_service_url,
            sp_entity_id=request.issuer.text,
            name_id=saml.NameID(format=saml.NAMEID_FORMAT_EMAILADDRESS, text=asked.subject),
            authn={"class_ref": saml.AUTHN_PASSWORD},
            sign_response=asked.sign_response,
            sign_assertion=asked.sign_assertion,
            encrypt_assertion=bool(asked.encryption),
            encrypt_assertion_self_contained=asked.self_contained,
            sign_alg="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            digest_alg="http://www.w3.org/2001/04/xmlenc#sha256",
        )
        return str(made)


if __name__ == "__main__":
    print(answer(msgspec.json.decode(sys.stdin.buffer.read(), type=Asked)))
