"""Signatures of SAML messages: whether a trusted key has signed an element, and what it has signed.

signxml does the cryptography. Before it is asked, the signature has to have the one shape that SAML
2.0 (core, section 5.4) allows: enveloped in the element that it signs, with one reference to that
element's ID, and no transforms but the enveloped one and canonicalisation. Keys inside of the document
count for nothing. What is given back is built from the very bytes that were hashed: whoever reads that
cannot be led to another element (signature wrapping).
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import Certificate
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from wardgate.auth.saml.certificates import unusable
from wardgate.auth.saml.documents import DSIG, Element, NotAcceptable, children, id_of, parser

SIGNATURE = f"{{{DSIG}}}Signature"
_ENVELOPED = f"{DSIG}enveloped-signature"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_CANONICAL = frozenset(
    {
        CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0.value,
        CanonicalizationMethod.CANONICAL_XML_1_0.value,
        CanonicalizationMethod.CANONICAL_XML_1_1.value,
    }
)
_METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1, SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1, SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384, SignatureMethod.ECDSA_SHA512,
    }
)  # fmt: skip
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_METHOD_NAMES = frozenset(method.value for method in _METHODS)
_DIGEST_NAMES = frozenset(digest.value for digest in _DIGESTS)
logging.getLogger("signxml").setLevel(logging.WARNING)  # below that it logs whole messages
_MOST_PREFIXES = 1024  # characters of a list of prefixes


class NotAuthentic(NotAcceptable):
    """There is no good signature where one has to be. Why is for the log alone."""


def signature_of(element: Element) -> Element | None:
    """The signature that is enveloped in an element. Raises `NotAcceptable` for several."""
    found = children(element, SIGNATURE)
    if len(found) > 1:
        raise NotAcceptable("an element has several signatures")
    return found[0] if found else None


def verified(element: Element, certificates: Sequence[Certificate], now: float) -> Element:
    """`element` as one of the keys has signed it, in a tree of its own.

    `now` is in seconds since the epoch: expired certificates are good for nothing. Raises
    `NotAcceptable` for a signature of another shape and `NotAuthentic` for one that is not good.
    """
    signature = signature_of(element)
    if signature is None:
        raise NotAuthentic("there is no signature")
    identifier = id_of(element)
    _check_shape(signature, identifier)
    alone = etree.tostring(element, with_tail=False)
    for certificate in certificates:
        if unusable(certificate, now):
            continue
        found = _signed(alone, certificate, datetime.fromtimestamp(now, UTC))
        if found is not None and found.tag == element.tag and found.get("ID") == identifier:
            return found
    for certificate in certificates:  # only to be able to say why
        why = unusable(certificate, now)
        if why and _signed(alone, certificate, certificate.not_valid_before_utc) is not None:
            raise NotAuthentic(f"the key that has made the signature is the provider's, but {why}")
    raise NotAuthentic("no trusted key has made the signature")


def _signed(document: bytes, certificate: Certificate, moment: datetime) -> Element | None:
    """What the certificate's key has signed of the document; None if it has not, or if the
    certificate is not valid at that moment."""
    configuration = SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=1,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        ignore_ambiguous_key_info=True,
        verification_time=moment,
    )
    try:
        result = XMLVerifier().verify(
            document,
            x509_cert=certificate,
            expect_config=configuration,
            id_attribute="ID",
            parser=parser(),
        )
    except (
        SignXMLException, etree.LxmlError, ValueError, TypeError, AttributeError, UnsupportedAlgorithm
    ):  # fmt: skip
        return None
    return None if isinstance(result, list) else result.signed_xml


def _check_shape(signature: Element, identifier: str) -> None:
    """Raises `NotAcceptable` unless this signs the element with that ID, and nothing else."""
    parts = _tags(signature)
    if parts not in (["SignedInfo", "SignatureValue"], ["SignedInfo", "SignatureValue", "KeyInfo"]):
        raise NotAcceptable("a signature has parts that it must not have")
    information = signature[0]
    if _tags(information) != ["CanonicalizationMethod", "SignatureMethod", "Reference"]:
        raise NotAcceptable("a signature must have exactly one reference")
    canonicalization, method, reference = information
    _check_canonicalization(canonicalization)
    if method.get("Algorithm") not in _METHOD_NAMES or len(method):
        raise NotAcceptable("a signature is not of RSA or ECDSA with SHA-2")
    if reference.get("URI") != f"#{identifier}":
        raise NotAcceptable("a signature does not refer to the element that it is in")
    if _tags(reference) != ["Transforms", "DigestMethod", "DigestValue"]:
        raise NotAcceptable("a signature has parts that it must not have")
    if reference[1].get("Algorithm") not in _DIGEST_NAMES or len(reference[1]):
        raise NotAcceptable("a digest is not of SHA-2")
    transforms = list(reference[0])
    if _tags(reference[0]) not in (["Transform"], ["Transform", "Transform"]):
        raise NotAcceptable("a signature has transforms that it must not have")
    if transforms[0].get("Algorithm") != _ENVELOPED or len(transforms[0]):
        raise NotAcceptable("a signature has transforms that it must not have")
    for transform in transforms[1:]:
        _check_canonicalization(transform)


def _check_canonicalization(element: Element) -> None:
    algorithm = element.get("Algorithm")
    if algorithm not in _CANONICAL:
        raise NotAcceptable("a signature has transforms that it must not have")
    for child in element:
        prefixes = child.get("PrefixList") or ""
        if child.tag != f"{{{_EXCLUSIVE}}}InclusiveNamespaces" or algorithm != _EXCLUSIVE:
            raise NotAcceptable("a signature has transforms that it must not have")
        if len(element) > 1 or len(child) or len(prefixes) > _MOST_PREFIXES:
            raise NotAcceptable("a signature has transforms that it must not have")


def _tags(parent: Element) -> list[str]:
    """The children's names; those of another namespace have it before the name."""
    return [str(child.tag).removeprefix(f"{{{DSIG}}}") for child in parent]
