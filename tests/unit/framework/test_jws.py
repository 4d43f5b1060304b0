"""Signed tokens of others: which ones are believed."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from wardgate.framework.jws import (
    ALGORITHMS,
    BadSignature,
    Malformed,
    key_set,
    pem_keys,
    unverified_claims,
    verified,
)

CLAIMS = {"sub": "ada"}
RSA = RSAKey.import_key(rsa.generate_private_key(65537, 2048))
OTHER_RSA = RSAKey.import_key(rsa.generate_private_key(65537, 2048))
P256 = ECKey.import_key(ec.generate_private_key(ec.SECP256R1()))
P384 = ECKey.import_key(ec.generate_private_key(ec.SECP384R1()))
P521 = ECKey.import_key(ec.generate_private_key(ec.SECP521R1()))
ED = OKPKey.import_key(ed25519.Ed25519PrivateKey.generate())
SIGNERS: dict[str, Any] = {"ES256": P256, "ES384": P384, "ES512": P521, "EdDSA": ED}
ANY = jws.JWSRegistry(algorithms=[*ALGORITHMS, "HS256", "none"], strict_check_header=False)


def signed(key: Any, algorithm: str, payload: bytes = b'{"sub": "ada"}', **header: Any) -> str:
    return jws.serialize_compact({"alg": algorithm, **header}, payload, key, registry=ANY)


def pem(key: Any) -> str:
    public = key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text: str = public.decode()
    return text


def jwk(key: Any, **more: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), **more}


def segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.filterwarnings("ignore:EdDSA")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_algorithm_is_checked_by_its_key(algorithm: str) -> None:
    key = SIGNERS.get(algorithm, RSA)
    token = signed(key, algorithm, kid="one")

    assert verified(token, pem_keys(pem(key))) == CLAIMS
    assert verified(token, key_set({"keys": [jwk(key, kid="one")]})) == CLAIMS
    head, _, signature = token.split(".")
    forged = f"{head}.{segment({'sub': 'eve'})}.{signature}"
    with pytest.raises(BadSignature):
        verified(forged, pem_keys(pem(key)))


def test_another_key_has_not_signed_it() -> None:
    with pytest.raises(BadSignature):
        verified(signed(RSA, "RS256"), pem_keys(pem(OTHER_RSA)))


def test_one_of_several_keys_is_enough() -> None:
    keys = pem_keys(pem(OTHER_RSA) + pem(P256) + pem(RSA))

    assert verified(signed(RSA, "RS256"), keys) == CLAIMS
    assert verified(signed(P256, "ES256"), keys) == CLAIMS


def test_of_a_set_only_the_key_that_the_token_names_is_tried() -> None:
    keys = key_set({"keys": [jwk(RSA, kid="one"), jwk(OTHER_RSA, kid="two")]})

    assert verified(signed(RSA, "RS256", kid="one"), keys) == CLAIMS
    assert verified(signed(OTHER_RSA, "RS256"), keys) == CLAIMS
    with pytest.raises(BadSignature):
        verified(signed(RSA, "RS256", kid="two"), keys)


def test_a_key_of_a_set_signs_with_its_own_algorithm_only() -> None:
    keys = key_set({"keys": [jwk(RSA, alg="RS256")]})

    with pytest.raises(BadSignature):
        verified(signed(RSA, "PS256"), keys)


def test_an_algorithm_that_is_not_allowed_is_refused() -> None:
    with pytest.raises(BadSignature):
        verified(signed(RSA, "RS512"), pem_keys(pem(RSA)), ["RS256"])


def test_an_algorithm_is_bound_to_its_curve() -> None:
    head = segment({"alg": "ES256"})
    genuine = signed(P384, "ES384").split(".")
    with pytest.raises(BadSignature):
        verified(f"{head}.{genuine[1]}.{genuine[2]}", pem_keys(pem(P384)))


@pytest.mark.parametrize("known", [pem(RSA), pem(RSA).strip(), pem(RSA).replace("\n", "")])
def test_a_public_key_is_no_shared_secret(known: str) -> None:
    body = f"{segment({'alg': 'HS256'})}.{segment(CLAIMS)}"
    mac = hmac.new(known.encode(), body.encode(), hashlib.sha256).digest()
    token = f"{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    with pytest.raises(BadSignature):
        verified(token, pem_keys(pem(RSA)))
    with pytest.raises(BadSignature):
        verified(token, pem_keys(pem(RSA)), ["HS256"])


def test_a_token_without_a_signature_is_refused() -> None:
    with pytest.raises(BadSignature):
        verified(f"{segment({'alg': 'none'})}.{segment(CLAIMS)}.", pem_keys(pem(RSA)))
    with pytest.raises(BadSignature):
        verified(
            f"{segment({'alg': 'none'})}.{segment(CLAIMS)}.", pem_keys(pem(RSA)), ["none", "RS256"]
        )


def test_keys_that_a_token_brings_along_are_not_used() -> None:
    known = pem_keys(pem(RSA))
    for header in (
        {"jwk": jwk(OTHER_RSA)},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/certificate"},
        {"x5c": ["MIIB"]},
    ):
        with pytest.raises(BadSignature):
            verified(signed(OTHER_RSA, "RS256", **header), known)
        assert verified(signed(RSA, "RS256", **header), known) == CLAIMS


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], "exp", [1]])
def test_what_is_critical_and_unknown_is_refused(crit: Any) -> None:
    head = segment({"alg": "RS256", "crit": crit, "exp": 1, "b64": True})
    genuine = signed(RSA, "RS256").split(".")

    with pytest.raises(Malformed):
        verified(f"{head}.{genuine[1]}.{genuine[2]}", pem_keys(pem(RSA)))


@pytest.mark.parametrize(
    "token",
    [
        "", ".", "..", "a.b.c", "a.b.c.d", "e30.e30.", f"{segment([])}.e30.e30", "é.é.é",
        f"{segment({'alg': 5})}.e30.e30", f"{segment({'alg': 'RS256', 'kid': 5})}.e30.e30",
        f"{segment({'alg': 'RS256'})}.e30.e30." , "x" * 100_000,
        f"{segment({'alg': 'RS256', 'x': 'y' * 20_000})}.e30.e30",
        f"{segment(['alg'])}.e30.AA", f"{segment('alg')}.e30.AA", f"{segment(None)}.e30.AA",
        f"{segment(5)}.e30.AA", f"{segment(['alg', 'crit'])}.e30.AA",
    ],
)  # fmt: skip
def test_what_is_no_token_is_malformed(token: str) -> None:
    with pytest.raises(Malformed):
        verified(token, pem_keys(pem(RSA)))
    with pytest.raises(Malformed):
        unverified_claims(token)


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b'"sub"', b'{"sub": "\xff"}', b"[" * 10_000])
def test_claims_are_an_object(payload: bytes) -> None:
    token = signed(RSA, "RS256", payload)

    with pytest.raises(Malformed):
        verified(token, pem_keys(pem(RSA)))
    with pytest.raises(Malformed):
        unverified_claims(token)


def test_a_key_set_keeps_what_can_be_used() -> None:
    keys = key_set(
        {
            "keys": [
                jwk(RSA, kid="encrypts", use="enc"),
                {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
                {"kty": "new", "kid": "tomorrow"},
                {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "short"},
                {"kty": "RSA", "kid": "nothing"},
                "text",
                jwk(P256, kid="good", x5c=["MII"]),
            ]
        }
    )

    assert [key.id for key in keys] == ["good"]


@pytest.mark.parametrize(
    "document", [None, [], {}, {"keys": {}}, {"keys": []}, {"keys": [{"kty": "oct", "k": "YQ"}]}]
)
def test_a_document_without_keys_is_no_key_set(document: Any) -> None:
    with pytest.raises(ValueError, match="key"):
        key_set(document)


@pytest.mark.parametrize(
    "text", ["", "no PEM", pem(RSA)[:200], "-----BEGIN X-----\nYQ==\n-----END X-----"]
)
def test_text_without_a_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="PEM"):
        pem_keys(text)


@pytest.mark.parametrize("exponent", [2**64 + 1, 2**2000 + 1], ids=["2**64", "2**2000"])
def test_an_rsa_key_with_a_huge_exponent_is_refused(exponent: int) -> None:
    numbers = RSA.public_key.public_numbers()
    slow = RSAKey.import_key(rsa.RSAPublicNumbers(exponent, numbers.n).public_key())

    with pytest.raises(ValueError, match="exponent"):
        pem_keys(pem(slow))
    keys = key_set({"keys": [jwk(slow, kid="slow"), jwk(RSA, kid="good")]})
    assert [key.id for key in keys] == ["good"]


@pytest.mark.parametrize("exponent", [1, 65536])
def test_an_rsa_key_with_an_exponent_that_signs_nothing_is_refused(exponent: int) -> None:
    numbers = RSA.public_key.public_numbers()
    with pytest.raises(ValueError, match=r"exponent|PEM"):
        pem_keys(rsa_pem(numbers.n, exponent))


def rsa_pem(modulus: int, exponent: int) -> str:
    """A PKCS #1 public key with any numbers; the library makes sound ones only."""
    inner = b"".join(map(der_integer, (modulus, exponent)))
    der = b"\x30\x82" + len(inner).to_bytes(2, "big") + inner
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN RSA PUBLIC KEY-----\n{text}-----END RSA PUBLIC KEY-----\n"


def der_integer(number: int) -> bytes:
    data = number.to_bytes(number.bit_length() // 8 + 1, "big")
    length = len(data).to_bytes(2, "big")
    return b"\x02\x82" + length + data if len(data) > 127 else bytes([2, len(data)]) + data
