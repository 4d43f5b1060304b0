"""Signed tokens of others (JWS in compact form, RFC 7515): whose signature they have, and their claims.

Which key may have signed is for the caller to say, never for the token: of its header only ``alg``
and ``kid`` are looked at (no ``jwk``, ``jku``, ``x5u`` or ``x5c``), symmetric algorithms and ``none``
are not known here, and a token that demands any extension (``crit``) is refused.

Checking a signature takes some ten microseconds, with large RSA keys far more: call `verified` in a
thread.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec
from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate
from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, OKPKey, RSAKey

Claims: TypeAlias = dict[str, Any]
AnyKey: TypeAlias = RSAKey | ECKey | OKPKey

ALGORITHMS = (
    "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA",
)  # fmt: skip
"""All that a token may be signed with: those of RFC 7518 and RFC 8037 that have public keys."""
LONGEST = 64 * 1024
"""Characters that a token may have."""
MOST_KEYS = 200
"""Keys of a set that are looked at."""
_RSA_BITS = (1024, 8192)  # below: broken; above: a check takes milliseconds
_MOST_EXPONENT = 2**64  # everybody uses 65537; with the largest, a check takes 6 ms
KINDS: Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {
    "RSA": RSAKey,
    "EC": ECKey,
    "OKP": OKPKey,
}
_KEY_OF = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)


class Malformed(Exception):
    """Not a signed token at all, or one that demands what nobody here knows."""


class BadSignature(Exception):
    """A token that none of the keys has signed, or with an algorithm that is not allowed."""


class Header(msgspec.Struct, frozen=True):
    """What of a token's header counts. `key_id` is empty where it names none."""

    algorithm: str
    key_id: str


class VerificationKey:
    """A public key, with what its publisher says of it: its ``kid`` and the one algorithm that it
    is for, both empty where nothing is said."""

    __slots__ = ("algorithm", "id", "key", "kind")

    def __init__(self, key: AnyKey, kind: str, id: str = "", algorithm: str = "") -> None:
        self.key = key
        self.kind = kind
        self.id = id
        self.algorithm = algorithm

    def fits(self, header: Header) -> bool:
        """Whether a token with this header may be signed by it. A key without an id may sign any."""
        return (
            (not self.id or not header.key_id or self.id == header.key_id)
            and self.algorithm in ("", header.algorithm)
            and _KEY_OF[header.algorithm[:2]] == self.kind
            and _CURVES.get(header.algorithm) in (None, getattr(self.key, "curve_name", None))
        )


class Registry(jws.JWSRegistry):
    """Takes the given algorithms and nothing else, without a warning of the name "EdDSA": RFC 9864
    has a new one, but this is the one that issuers use, and the one in Vault's API."""

    def get_alg(self, name: str) -> Any:
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


class _LongRegistry(Registry):
    max_header_length = 16 * 1024  # certificate chains are there, though nobody reads them
    max_payload_length = LONGEST


# what is not known is ignored (RFC 7515, section 4)
_REGISTRY = _LongRegistry(algorithms=ALGORITHMS, strict_check_header=False)


def header_of(token: str) -> Header:
    """The header of a token, before anything is believed; `Malformed` when it is none."""
    if len(token) > LONGEST:
        raise Malformed(f"longer than {LONGEST} characters")
    try:
        header: Any = jws.extract_compact(token.encode(), registry=_REGISTRY).headers()
    except (JoseError, ValueError, TypeError, RecursionError):
        raise Malformed from None
    if not isinstance(header, dict):  # the library looks for "alg" in whatever JSON it is
        raise Malformed("its header is no JSON object")
    if "crit" in header or "b64" in header:
        raise Malformed("it demands extensions that are not known here")
    algorithm, key_id = header["alg"], header.get("kid", "")
    if not (isinstance(algorithm, str) and isinstance(key_id, str)):
        raise Malformed("its alg or kid is no text")
    return Header(algorithm, key_id)


def verified(
    token: str, keys: Iterable[VerificationKey], algorithms: Collection[str] = ALGORITHMS
) -> Claims:
    """The claims of a token that one of `keys` has signed with one of `algorithms`.

    Nothing is said of who it is for and until when. Raises `Malformed` or `BadSignature`.
    """
    header = header_of(token)
    if header.algorithm not in algorithms or header.algorithm not in ALGORITHMS:
        raise BadSignature
    for key in keys:
        if not key.fits(header):
            continue
        try:
            payload = jws.deserialize_compact(token, key.key, registry=_REGISTRY).payload
        except (JoseError, ValueError, InvalidKey):
            continue
        return _claims(payload)
    raise BadSignature


def unverified_claims(token: str) -> Claims:
    """What a token says of itself, believed by nobody; `Malformed` when it is none."""
    header_of(token)
    return _claims(jws.extract_compact(token.encode(), registry=_REGISTRY).payload)


def _claims(payload: bytes) -> Claims:
    try:
        return msgspec.json.decode(payload, type=Claims)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors, too
        raise Malformed("its claims are no JSON object") from None


def pem_keys(pem: str) -> tuple[VerificationKey, ...]:
    """The public keys in PEM text, which may hold certificates too; `ValueError` without any, or
    when one of them cannot be used."""
    found = []
    for match in _PEM.finditer(pem):
        data = match[0].encode()
        try:
            public: Any = (
                load_pem_x509_certificate(data).public_key()
                if match[1] == "CERTIFICATE"
                else load_pem_public_key(data)
            )
        except (ValueError, UnsupportedAlgorithm):
            raise ValueError("neither a public key nor a certificate in PEM") from None
        found.append(_key(public))
    if not found:
        raise ValueError("neither a public key nor a certificate in PEM")
    return tuple(found)


def _key(public: Any) -> VerificationKey:
    match public:
        case rsa.RSAPublicKey():
            return _checked(VerificationKey(RSAKey.import_key(public), "RSA"))
        case ec.EllipticCurvePublicKey():
            return _checked(VerificationKey(ECKey.import_key(public), "EC"))
        case ed25519.Ed25519PublicKey():
            return VerificationKey(OKPKey.import_key(public), "OKP")
        case _:
            raise ValueError("a key that signs no tokens: use RSA, EC or Ed25519")


def _checked(key: VerificationKey) -> VerificationKey:
    if isinstance(key.key, RSAKey):
        bits = key.key.public_key.key_size
        if not _RSA_BITS[0] <= bits <= _RSA_BITS[1]:
            raise ValueError(f"an RSA key of {bits} bits: use {_RSA_BITS[0]} to {_RSA_BITS[1]}")
        exponent = key.key.public_key.public_numbers().e
        if not 1 < exponent < _MOST_EXPONENT or exponent % 2 == 0:
            raise ValueError("an RSA key whose public exponent is not in use: use 65537")
    return key


def key_set(document: Any) -> tuple[VerificationKey, ...]:
    """The keys for signatures in a decoded JWKS (RFC 7517, section 5).

    Those that are for something else, or of a kind that is not known here, are left out. `ValueError`
    when the document is no JWKS, or has no key that can be used.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a JSON web key set: it has no list called keys")
    found = []
    for jwk in listed[:MOST_KEYS]:
        if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
            continue
        kind = KINDS.get(str(jwk.get("kty")))
        if kind is None:
            continue
        public = {name: value for name, value in jwk.items() if name in _PUBLIC}
        try:
            key = kind.import_key(public)
            named = VerificationKey(
                key, str(jwk["kty"]), str(jwk.get("kid", "")), str(jwk.get("alg", ""))
            )
            found.append(_checked(named))
        except (JoseError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
            continue
    if not found:
        raise ValueError("a JSON web key set without a key that can be used")
    return tuple(found)


_PUBLIC = frozenset({"kty", "crv", "n", "e", "x", "y"})
