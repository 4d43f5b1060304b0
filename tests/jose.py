"""Signed tokens checked with nothing but `cryptography`, as a stranger to the server would."""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
_CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}

Jwk = Mapping[str, str]


def decoded(text: str) -> bytes:
    """base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, believed without a check."""
    claims: dict[str, Any] = json.loads(decoded(token.split(".")[1]))
    return claims


def header_of(token: str) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(decoded(token.partition(".")[0]))
    return header


def verifies(token: str, jwks: Iterable[Jwk]) -> bool:
    """Whether the key that the token names is among `jwks` and has signed it."""
    signed, _, signature = token.rpartition(".")
    header = header_of(token)
    for jwk in jwks:
        if jwk["kid"] == header["kid"] and jwk["alg"] == header["alg"]:
            try:
                _check(jwk, decoded(signature), signed.encode())
            except InvalidSignature:
                return False
            return True
    return False


def _check(jwk: Jwk, signature: bytes, signed: bytes) -> None:
    number = {name: int.from_bytes(decoded(jwk[name])) for name in "nexy" if name in jwk}
    if jwk["kty"] == "OKP":
        assert jwk["crv"] == "Ed25519"
        ed25519.Ed25519PublicKey.from_public_bytes(decoded(jwk["x"])).verify(signature, signed)
        return
    digest = _HASHES[jwk["alg"][2:]]
    if jwk["kty"] == "RSA":
        public = rsa.RSAPublicNumbers(number["e"], number["n"]).public_key()
        public.verify(signature, signed, padding.PKCS1v15(), digest)
        return
    curve = _CURVES[jwk["crv"]]
    half = len(signature) // 2
    pair = utils.encode_dss_signature(
        int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
    )
    numbers = ec.EllipticCurvePublicNumbers(number["x"], number["y"], curve)
    numbers.public_key().verify(pair, signed, ec.ECDSA(digest))
