"""Assertions that are encrypted to this server's own key (XML Encryption).

xmlsec does the cryptography. It never sees what came: of that, the names of algorithms and the
encrypted bytes are taken and put into an element that is made here, so that no reference, transform or
key of somebody else's making reaches it. Keys are wrapped with RSA-OAEP alone; data is AES-GCM or,
where the ciphertext itself was signed, AES-CBC, whose padding would else be an oracle.
"""

import re
from xml.sax.saxutils import quoteattr

import xmlsec
from lxml import etree

from wardgate.auth.saml.documents import (
    DSIG,
    SAML,
    XENC,
    XENC11,
    Element,
    NotAcceptable,
    children,
    only_child,
    parsed,
    parser,
)
from wardgate.auth.saml.signatures import NotAuthentic

ENCRYPTED_ASSERTION = f"{{{SAML}}}EncryptedAssertion"
_GCM = (f"{XENC11}aes128-gcm", f"{XENC11}aes192-gcm", f"{XENC11}aes256-gcm")
_CBC = (f"{XENC}aes128-cbc", f"{XENC}aes192-cbc", f"{XENC}aes256-cbc")
_OAEP = (f"{XENC}rsa-oaep-mgf1p", f"{XENC11}rsa-oaep")
_DIGESTS = (f"{DSIG}sha1", f"{XENC}sha256", f"{XENC}sha512", None)
"""Of OAEP, where SHA-1 is as good as any."""
_MASKS = (f"{XENC11}mgf1sha1", f"{XENC11}mgf1sha256", f"{XENC11}mgf1sha512", None)
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+", re.ASCII)
_LONGEST_KEY = 2048  # characters of a wrapped key


def decrypted(encrypted: Element, key_pem: bytes, *, signed: bool) -> Element:
    """The one element inside of an ``EncryptedAssertion``, with the namespaces around it.

    `signed` says that the ciphertext is. Raises `NotAcceptable` for what is not encrypted in a way
    that is allowed, which can be seen from outside, and `NotAuthentic` for everything else: nobody
    learns from an answer what came out.
    """
    rebuilt = _rebuilt(encrypted, signed=signed)
    try:
        keys = xmlsec.KeysManager()
        keys.add_key(xmlsec.Key.from_memory(key_pem, xmlsec.constants.KeyDataFormatPem))
        context = xmlsec.EncryptionContext(keys)
        plain: object = context.decrypt(etree.fromstring(rebuilt, parser()))
    except (xmlsec.Error, xmlsec.InternalError, etree.LxmlError, ValueError, TypeError):
        raise NotAuthentic("an assertion cannot be decrypted") from None
    if not isinstance(plain, bytes):
        raise NotAuthentic("an assertion cannot be decrypted")
    try:
        around = parsed(_start(encrypted) + plain + b"</w>")
    except NotAcceptable as error:
        raise NotAuthentic(f"what was encrypted is not acceptable: {error}") from None
    if len(around) != 1 or (around.text or "").strip() or (around[0].tail or "").strip():
        raise NotAuthentic("what was encrypted is not one element")
    return around[0]


def _start(encrypted: Element) -> bytes:
    """The start of an element in which the plaintext means what it meant in the message. Of a signed
    response that is what was signed of it: who adds a namespace around gives no prefix a meaning."""
    declared = "".join(
        f" xmlns{':' + prefix if prefix else ''}={quoteattr(uri)}"
        for prefix, uri in encrypted.nsmap.items()
    )
    return f"<w{declared}>".encode()


def _rebuilt(encrypted: Element, *, signed: bool) -> bytes:
    data = only_child(encrypted, f"{{{XENC}}}EncryptedData")
    information = None if data is None else only_child(data, f"{{{DSIG}}}KeyInfo")
    if data is None or information is None:
        raise NotAcceptable("an assertion is encrypted in a way that is not known here")
    # the key is inside of the data, or beside it
    tag = f"{{{XENC}}}EncryptedKey"
    keys = children(information, tag) + children(encrypted, tag)
    if len(keys) != 1:
        raise NotAcceptable("an assertion must be encrypted with one key, for one recipient")
    algorithm, _ = _method(data)
    if algorithm in _CBC and not signed:
        raise NotAcceptable(
            "an assertion that is encrypted with AES-CBC has to come in a signed response; the"
            " identity provider should sign responses, too, or use AES-GCM"
        )
    if algorithm not in _GCM + _CBC:
        raise NotAcceptable("an assertion is not encrypted with AES-GCM (or AES-CBC)")
    wrapping, details = _method(keys[0])
    if wrapping not in _OAEP:
        raise NotAcceptable("the key of an encrypted assertion is not wrapped with RSA-OAEP")
    wrapped = _value(keys[0])
    if len(wrapped) > _LONGEST_KEY:
        raise NotAcceptable("the key of an encrypted assertion is too long")
    return (
        f'<e:EncryptedData xmlns:e="{XENC}"><e:EncryptionMethod Algorithm="{algorithm}"/>'
        f'<d:KeyInfo xmlns:d="{DSIG}"><e:EncryptedKey>'
        f'<e:EncryptionMethod Algorithm="{wrapping}">{details}</e:EncryptionMethod>'
        f"<e:CipherData><e:CipherValue>{wrapped}</e:CipherValue></e:CipherData>"
        "</e:EncryptedKey></d:KeyInfo>"
        f"<e:CipherData><e:CipherValue>{_value(data)}</e:CipherValue></e:CipherData>"
        "</e:EncryptedData>"
    ).encode()


def _method(element: Element) -> tuple[str, str]:
    """The algorithm, and what OAEP needs beside it, as XML of our own."""
    method = only_child(element, f"{{{XENC}}}EncryptionMethod")
    if method is None:
        raise NotAcceptable("an assertion is encrypted in a way that is not known here")
    digest, mask = (
        None if each is None else each.get("Algorithm")
        for each in (only_child(method, f"{{{DSIG}}}DigestMethod"),
                     only_child(method, f"{{{XENC11}}}MGF"))
    )  # fmt: skip
    if len(method) > 2 or digest not in _DIGESTS or mask not in _MASKS:
        raise NotAcceptable("an assertion is encrypted in a way that is not known here")
    details = f'<d:DigestMethod xmlns:d="{DSIG}" Algorithm="{digest}"/>' if digest else ""
    details += f'<m:MGF xmlns:m="{XENC11}" Algorithm="{mask}"/>' if mask else ""
    return method.get("Algorithm") or "", details


def _value(element: Element) -> str:
    data = only_child(element, f"{{{XENC}}}CipherData")
    value = None if data is None else only_child(data, f"{{{XENC}}}CipherValue")
    text = "" if value is None or len(value) else value.text or ""
    if not _BASE64.fullmatch(text):
        raise NotAcceptable("an assertion is encrypted in a way that is not known here")
    return text
