"""Encrypted assertions: line 17 of CASES.md. Anybody can encrypt to the server's key, so what comes out
is worth no more than what comes in clear, and no answer tells what it was."""

import base64
import os
import re
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests import saml_idp
from tests.node import NodeUnderTest, errors
from tests.saml_idp import DSIG, Login
from tests.unit.auth.saml.browser_logins import (
    asked,
    begun,
    callback,
    idp_key,
    other_key,
    poll,
    with_saml,
)

XENC, XENC11 = "http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#"
UNTRUSTED = (
    "Login failed. The identity provider's answer cannot be verified; the server's log says more."
)


async def encrypted(node: NodeUnderTest, plain: str) -> str:
    """`plain` as an encrypted assertion, in the shape that many providers give it."""
    metadata = (await node.http("GET", "/v1/auth/saml/metadata", token=None)).body.decode()
    found = re.search("<ds:X509Certificate>(.*)</ds:X509Certificate>", metadata)
    assert found is not None
    public = x509.load_der_x509_certificate(base64.b64decode(found[1])).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    key, nonce = os.urandom(32), os.urandom(12)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    wrapped = base64.b64encode(public.encrypt(key, oaep)).decode()
    data = base64.b64encode(nonce + AESGCM(key).encrypt(nonce, plain.encode(), None)).decode()
    return (
        f'<saml:EncryptedAssertion><e:EncryptedData xmlns:e="{XENC}" Type="{XENC}Element">'
        f'<e:EncryptionMethod Algorithm="{XENC11}aes256-gcm"/>'
        f'<d:KeyInfo xmlns:d="{DSIG}"><e:EncryptedKey>'
        f'<e:EncryptionMethod Algorithm="{XENC}rsa-oaep-mgf1p"/>'
        f"<e:CipherData><e:CipherValue>{wrapped}</e:CipherValue></e:CipherData>"
        "</e:EncryptedKey></d:KeyInfo>"
        f"<e:CipherData><e:CipherValue>{data}</e:CipherValue></e:CipherData>"
        "</e:EncryptedData></saml:EncryptedAssertion>"
    )


def signed(login: Login) -> str:
    return saml_idp.signed(saml_idp.assertion(login), idp_key())


async def said(node: NodeUnderTest, xml: str, login: Login, data: dict[str, str]) -> str:
    """What is said of an answer that lets nobody in."""
    response = await callback(node, login, xml)
    assert response.status == 400
    assert errors(await poll(node, data)) == ["authorization_pending"]
    return errors(response)[0]


@with_saml
async def test_17_what_is_encrypted_and_signed_is_good(node: NodeUnderTest) -> None:
    login = asked(node, await begun(node))
    xml = saml_idp.response(login, await encrypted(node, signed(login)))
    assert (await callback(node, login, xml)).status == 200


PLAIN: dict[str, Callable[[Login], str]] = {
    "nothing": lambda login: "",
    "no xml": lambda login: "hello",
    "not signed": saml_idp.assertion,
    "signed by somebody": lambda login: saml_idp.signed(saml_idp.assertion(login), other_key()),
    "another element": lambda login: "<saml:Subject/>",
    "two assertions": lambda login: signed(login) + saml_idp.assertion(login),
    "text beside it": lambda login: "x" + signed(login),
    "text behind it": lambda login: signed(login) + "x",
    "inside of another": lambda login: saml_idp.assertion(login).replace(
        "</saml:Assertion>", signed(login) + "</saml:Assertion>"
    ),
    "a comment": lambda login: signed(login).replace("ada@", "ada<!---->@"),
    "a doctype": lambda login: "<!DOCTYPE x>" + signed(login),
    "an instruction": lambda login: '<?xml version="1.0"?>' + signed(login),
    "out of its element": lambda login: "</w>" + signed(login) + "<w>",
    "weak": lambda login: signed(login).replace("rsa-sha256", "rsa-sha1"),
    "encrypted again": lambda login: "<saml:EncryptedAssertion/>",
    "deep": lambda login: "<a>" * 5000,
}


@pytest.mark.parametrize("name", PLAIN)
def test_17_whatever_was_encrypted_the_answer_is_the_same(name: str) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        data = await begun(node)
        login = asked(node, data)
        xml = saml_idp.response(login, await encrypted(node, PLAIN[name](login)))
        assert await said(node, xml, login, data) == UNTRUSTED

    check()


OUTSIDE = {
    "rsa 1.5": (f'"{XENC}rsa-oaep-mgf1p"', f'"{XENC}rsa-1_5"', "not wrapped with RSA-OAEP"),
    "cbc": (f'"{XENC11}aes256-gcm"', f'"{XENC}aes256-cbc"', "has to come in a signed response"),
    "triple des": (f'"{XENC11}aes256-gcm"', f'"{XENC}tripledes-cbc"', "not encrypted with AES-GCM"),
    "no algorithm": (f'<e:EncryptionMethod Algorithm="{XENC11}aes256-gcm"/>', "", "not known here"),
    "a reference": (
        "</e:EncryptedKey></d:KeyInfo><e:CipherData><e:CipherValue>",
        '</e:EncryptedKey></d:KeyInfo><e:CipherData><e:CipherReference URI="http://127.0.0.1:1/"/>'
        "<e:Gone>",
        "",
    ),
    "no key": ("<e:EncryptedKey>", "<e:EncryptedKey/><e:EncryptedKey>", "one key"),
    "a key elsewhere": (
        "<e:EncryptedKey>",
        '<d:RetrievalMethod URI="http://127.0.0.1:1/"/><e:EncryptedKey>',
        None,
    ),
    "parameters": (
        f'"{XENC}rsa-oaep-mgf1p"/>',
        f'"{XENC}rsa-oaep-mgf1p"><d:DigestMethod Algorithm="{DSIG}md5"/></e:EncryptionMethod>',
        "not known here",
    ),
    "odd base64": ("<e:CipherValue>", "<e:CipherValue>%", "not known here"),
    "two ciphertexts": (
        "<e:CipherData>",
        "<e:CipherData><e:CipherValue>AAAA</e:CipherValue>",
        "twice",
    ),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_17_only_a_few_ways_to_encrypt_are_looked_at(name: str) -> None:
    before, after, expected = OUTSIDE[name]

    @with_saml
    async def check(node: NodeUnderTest) -> None:
        data = await begun(node)
        login = asked(node, data)
        good = saml_idp.response(login, await encrypted(node, signed(login)))
        assert before in good
        xml = good.replace(before, after)
        if expected is None:  # what is beside the key is not looked at
            assert (await callback(node, login, xml)).status == 200
            return
        assert expected in await said(node, xml, login, data)

    check()


@with_saml
async def test_17_every_bit_of_the_ciphertext_counts(node: NodeUnderTest) -> None:
    data = await begun(node)
    login = asked(node, data)
    good = saml_idp.response(login, await encrypted(node, signed(login)))
    values = [match.start(1) for match in re.finditer("<e:CipherValue>(.)", good)]
    for at in (values[0] + 10, values[1], values[1] + 20, values[1] + 500):
        swapped = "A" if good[at] != "A" else "B"
        xml = good[:at] + swapped + good[at + 1 :]
        assert await said(node, xml, login, data) == UNTRUSTED
