"""An authenticator and its browser in software: makes keys and signs with them, rightly or, where a
test says so, wrongly.

It builds on `cryptography` and on the encoders of `fido2`; what a browser would refuse to do it does.
"""

import base64
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fido2 import cbor
from fido2.cose import CoseKey

JsonMap = dict[str, Any]
ORIGIN = "http://localhost:8200"
RP_ID = "localhost"
ES256, EDDSA, RS256 = -7, -8, -257
UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def new_private_key(algorithm: int) -> PrivateKey:
    if algorithm == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == RS256:
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Credential:
    """A key in the authenticator."""

    algorithm: int
    private: PrivateKey
    id: bytes
    user_handle: bytes
    counter: int = 0

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            return self.private.sign(data, ec.ECDSA(hashes.SHA256()))
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(data)

    def cose(self) -> dict[int, Any]:
        """The public key."""
        kind: Any = CoseKey.for_alg(self.algorithm)
        return dict(kind.from_cryptography_key(self.private.public_key()))


@dataclass(frozen=True)
class Tricks:
    """What it does otherwise than it should. None leaves a part as it is."""

    type: str | None = None
    challenge: str | None = None
    origin: str | None = None
    rp_id: str | None = None
    client_data: JsonMap = field(default_factory=dict)
    """Further members of the client data."""
    flags: int | None = None
    counter: int | None = None
    user_handle: bytes | None = None
    credential_id: bytes | None = None
    cose: dict[int, Any] | None = None
    fmt: str = "none"
    statement: Callable[[Credential, bytes], Any] = lambda key, signed: {}
    """The attestation statement, of the key and of what an attestation signs."""
    authenticator_data: Callable[[bytes], bytes] = lambda data: data
    end: bytes = b""
    """What follows the authenticator data, such as extensions."""
    attestation_object: bytes | None = None
    signature: bytes | None = None
    signs_before: bool = False
    """Whether the signature is made before `authenticator_data` changes what was signed."""


HONEST = Tricks()


class Authenticator:
    """Holds keys; `step` is by how much its counters grow with each signature (passkeys that are copied
    between devices do not count)."""

    def __init__(self, *, step: int = 0, flags: int = UP | UV | BE | BS) -> None:
        self.credentials: list[Credential] = []
        self.step = step
        self.flags = flags

    def create(
        self, options: JsonMap, tricks: Tricks = HONEST, *, algorithm: int = ES256
    ) -> JsonMap:
        """A new key as ``navigator.credentials.create()`` gives it, for the ``publicKey`` options."""
        public_key = options["publicKey"]
        credential = Credential(
            algorithm=algorithm,
            private=new_private_key(algorithm),
            id=tricks.credential_id or os.urandom(32),
            user_handle=unb64(public_key["user"]["id"]),
        )
        self.credentials.append(credential)
        client = self._client("webauthn.create", public_key["challenge"], tricks)
        cose = cbor.encode(credential.cose() if tricks.cose is None else tricks.cose)
        attested = bytes(16) + len(credential.id).to_bytes(2) + credential.id + cose
        flags = (self.flags | AT) if tricks.flags is None else tricks.flags
        data = self._data(public_key["rp"]["id"], flags, credential, tricks)
        data = tricks.authenticator_data(data + (attested if flags & AT else b"")) + tricks.end
        signed = data + hashlib.sha256(client).digest()
        attestation = {
            "fmt": tricks.fmt,
            "attStmt": tricks.statement(credential, signed),
            "authData": data,
        }
        encoded = cbor.encode(attestation)
        if tricks.attestation_object is not None:
            encoded = tricks.attestation_object
        return self._credential(
            credential.id,
            {
                "clientDataJSON": b64(client),
                "attestationObject": b64(encoded),
                "transports": ["internal", "hybrid", "carrier-pigeon"],
            },
        )

    def get(
        self, options: JsonMap, tricks: Tricks = HONEST, *, key: Credential | None = None
    ) -> JsonMap:
        """A signature as ``navigator.credentials.get()`` gives it, by the given key, else by the first
        that is allowed, else by the newest."""
        public_key = options["publicKey"]
        credential = key or self._chosen(public_key)
        credential.counter += self.step
        client = self._client("webauthn.get", public_key["challenge"], tricks)
        flags = self.flags if tricks.flags is None else tricks.flags
        made = self._data(public_key["rpId"], flags, credential, tricks) + tricks.end
        data = tricks.authenticator_data(made)
        signed = made if tricks.signs_before else data
        signature = tricks.signature or credential.sign(signed + hashlib.sha256(client).digest())
        handle = credential.user_handle if tricks.user_handle is None else tricks.user_handle
        return self._credential(
            tricks.credential_id or credential.id,
            {
                "clientDataJSON": b64(client),
                "authenticatorData": b64(data),
                "signature": b64(signature),
                "userHandle": b64(handle),
            },
        )

    def _chosen(self, public_key: JsonMap) -> Credential:
        allowed = {each["id"] for each in public_key.get("allowCredentials", [])}
        known = [each for each in self.credentials if b64(each.id) in allowed]
        return (known or self.credentials)[-1]

    @staticmethod
    def _client(kind: str, challenge: str, tricks: Tricks) -> bytes:
        client = {
            "type": tricks.type or kind,
            "challenge": challenge if tricks.challenge is None else tricks.challenge,
            "origin": ORIGIN if tricks.origin is None else tricks.origin,
            "crossOrigin": False,
        }
        return json.dumps({**client, **tricks.client_data}).encode()

    @staticmethod
    def _data(rp_id: str, flags: int, credential: Credential, tricks: Tricks) -> bytes:
        counter = credential.counter if tricks.counter is None else tricks.counter
        rp_hash = hashlib.sha256((tricks.rp_id or rp_id).encode()).digest()
        return rp_hash + bytes([flags]) + counter.to_bytes(4)

    @staticmethod
    def _credential(credential_id: bytes, response: JsonMap) -> JsonMap:
        return {
            "id": b64(credential_id),
            "rawId": b64(credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "response": response,
            "clientExtensionResults": {},
        }


def copied(key: Credential) -> Credential:
    """A copy of a key, with a counter of its own."""
    return replace(key)
