"""Key pairs, and signatures by them: JWS (RFC 7515) with the algorithms of RFC 7518 and RFC 8037.

Making an RSA key takes a twentieth of a second and more, and a signature by one half a millisecond:
call what is here in a thread.
"""

from collections.abc import Mapping
from typing import TypeAlias

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeyParameters, OKPKey, RSAKey

from wardgate.framework.jws import KINDS, AnyKey, BadSignature, Malformed, Registry
from wardgate.identity.oidc.records import KeyPair

Jwk: TypeAlias = dict[str, str]

_RSA_BITS = 2048
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA")
"""All that a named key may have."""


class _Registry(Registry):
    max_payload_length = 1024 * 1024  # an entity's metadata may be long


_REGISTRY = _Registry(algorithms=ALGORITHMS)


def new_pair(algorithm: str, key_id: str) -> KeyPair:
    """A new key pair for one of `ALGORITHMS`; `key_id` is its ``kid``."""
    parameters: KeyParameters = {"kid": key_id, "alg": algorithm, "use": "sig"}
    key: AnyKey
    if algorithm in _CURVES:
        key = ECKey.generate_key(_CURVES[algorithm], parameters)
    elif algorithm == "EdDSA":
        key = OKPKey.generate_key("Ed25519", parameters)
    else:
        key = RSAKey.generate_key(_RSA_BITS, parameters)
    assert key.private_key is not None
    private = key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = {name: str(value) for name, value in key.as_dict(private=False).items()}
    return KeyPair(id=key_id, algorithm=algorithm, private=private, public=public)


def sign(pair: KeyPair, claims: bytes) -> str:
    """`claims`, a JSON object, as a signed token in its compact form."""
    # the key comes from under the barrier, where nobody else can write: its primes are as we made them
    loaded = load_der_private_key(pair.private, None, unsafe_skip_rsa_key_validation=True)
    key = KINDS[pair.public["kty"]].import_key(loaded)  # type: ignore[arg-type]
    header = {"alg": pair.algorithm, "kid": pair.id}
    return jws.serialize_compact(header, claims, key, registry=_REGISTRY)


def verified(token: str, published: Mapping[str, Jwk]) -> bytes:
    """The claims of a token, signed by one of the keys in `published`, which go by their ``kid``.

    Raises `Malformed` or `BadSignature`.
    """
    try:
        header = jws.extract_compact(token.encode(), registry=_REGISTRY).headers()
    except (JoseError, ValueError):
        raise Malformed from None
    jwk = published.get(str(header.get("kid")))
    if jwk is None or header.get("alg") != jwk["alg"]:
        raise BadSignature
    try:
        key = KINDS[jwk["kty"]].import_key(dict(jwk))
        return jws.deserialize_compact(token, key, registry=_REGISTRY).payload
    except (JoseError, ValueError):
        raise BadSignature from None
