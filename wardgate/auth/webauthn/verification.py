"""Whether what an authenticator says is true.

Everything that reads CBOR and COSE keys, checks attestations and signatures is `fido2`'s, Yubico's
library. It is imported when it is first needed, and works on threads: one check takes 0.4 to 0.8 ms,
most of it Python. Whatever it raises means no: its exceptions for bad input are of many kinds.
"""

import asyncio
import logging
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from wardgate.auth.webauthn.answers import Answer, Assertion, ClientData, Registration
from wardgate.auth.webauthn.challenges import Challenge
from wardgate.auth.webauthn.encoding import encoded

if TYPE_CHECKING:
    from fido2.cose import CoseKey
    from fido2.server import Fido2Server
    from fido2.webauthn import AuthenticatorData

ALGORITHMS = (-7, -8, -257, -35, -36, -37)
"""ES256, EdDSA, RS256, ES384, ES512, PS256 (IANA's numbers for COSE), in the order of preference."""
_RSA = (-257, -37)
_RSA_BITS = (2048, 8192)
_MODULUS, _EXPONENT = -1, -2  # in a COSE key (RFC 8230)
_LONGEST_EXPONENT = 8  # bytes
_CREATE = "webauthn.create"
_GET = "webauthn.get"

_log = logging.getLogger("wardgate.auth.webauthn")


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a registration has shown."""

    credential_id: bytes
    attested: bytes
    attestation: str
    sign_count: int
    backup_eligible: bool


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """What a login has shown."""

    sign_count: int
    backup_eligible: bool


async def registered(answer: Registration, challenge: Challenge) -> NewKey | None:
    """The new key that answers `challenge`; None when anything about it is wrong."""
    return await asyncio.to_thread(_registered, answer, challenge)


async def signed(answer: Assertion, challenge: Challenge, attested: bytes | None) -> Signed | None:
    """What the authenticator says in an answer to `challenge` that the key `attested` has signed; None
    when anything about it is wrong. Without a key it is None after the same work."""
    return await asyncio.to_thread(_signed, answer, challenge, attested)


def _registered(answer: Registration, challenge: Challenge) -> NewKey | None:
    try:
        return _new_key(answer, challenge)
    except Exception as error:
        _log_refusal("registration", error)
        return None


def _signed(answer: Assertion, challenge: Challenge, attested: bytes | None) -> Signed | None:
    try:
        found = _assertion(answer, challenge, attested or _nobodys_key(answer.credential_id))
    except Exception as error:
        _log_refusal("login", error)
        return None
    return found if attested is not None else None


def _new_key(answer: Registration, challenge: Challenge) -> NewKey:
    from fido2.webauthn import CollectedClientData

    _check_client(answer.client, _CREATE, challenge)
    sent = {
        "clientDataJSON": encoded(answer.client_data),
        "attestationObject": encoded(answer.attestation_object),
    }
    data = _server(challenge).register_complete(_state(challenge), _credential(answer, sent))
    _check_data(data)
    if data.credential_data is None or data.credential_data.credential_id != answer.credential_id:
        raise ValueError("Another credential id than the one that was sent.")
    _check_key(data.credential_data.public_key)
    client_hash = CollectedClientData(answer.client_data).hash
    return NewKey(
        credential_id=answer.credential_id,
        attested=bytes(data.credential_data),
        attestation=_attestation(answer.attestation_object, client_hash),
        sign_count=data.counter,
        backup_eligible=data.is_backup_eligible(),
    )


def _assertion(answer: Assertion, challenge: Challenge, attested: bytes) -> Signed:
    from fido2.webauthn import AttestedCredentialData, AuthenticatorData

    _check_client(answer.client, _GET, challenge)
    sent = {
        "clientDataJSON": encoded(answer.client_data),
        "authenticatorData": encoded(answer.authenticator_data),
        "signature": encoded(answer.signature),
    }
    keys = [AttestedCredentialData(attested)]
    _server(challenge).authenticate_complete(_state(challenge), keys, _credential(answer, sent))
    data = AuthenticatorData(answer.authenticator_data)
    _check_data(data)
    return Signed(sign_count=data.counter, backup_eligible=data.is_backup_eligible())


def _attestation(attestation_object: bytes, client_hash: bytes) -> str:
    """The format of the attestation, which is good in itself (nobody is asked whether its maker is);
    "none" where there is none, or one of a format that the library cannot check. None was asked for,
    but not all browsers take it away."""
    from fido2.attestation.base import Attestation, UnsupportedType
    from fido2.webauthn import AttestationObject

    attestation = AttestationObject(attestation_object)
    try:
        verifier = Attestation.for_type(attestation.fmt)()
        verifier.verify(attestation.att_stmt, attestation.auth_data, client_hash)
    except UnsupportedType:
        return "none"
    return attestation.fmt


def _server(challenge: Challenge) -> "Fido2Server":
    """What checks answers to this challenge. Origins are compared exactly."""
    from fido2.server import Fido2Server
    from fido2.webauthn import PublicKeyCredentialRpEntity

    rp = PublicKeyCredentialRpEntity(name=challenge.rp_id, id=challenge.rp_id)
    return Fido2Server(rp, verify_origin=lambda origin: origin in challenge.rp_origins)


def _state(challenge: Challenge) -> dict[str, str]:
    """What the library wants to know again from the beginning of a ceremony."""
    return {
        "challenge": encoded(challenge.data),
        "user_verification": challenge.user_verification,
    }


def _credential(answer: Answer, response: dict[str, str]) -> dict[str, object]:
    credential_id = encoded(answer.credential_id)
    return {
        "id": credential_id,
        "rawId": credential_id,
        "type": "public-key",
        "response": response,
        "clientExtensionResults": {},
    }


def _check_client(client: ClientData, kind: str, challenge: Challenge) -> None:
    """What the library does not look at, and what it does, again, in the JSON as we read it."""
    if client.type != kind or client.origin not in challenge.rp_origins:
        raise ValueError("Another ceremony, or a page of another origin.")
    if client.cross_origin or client.top_origin is not None:
        raise ValueError("The page is part of a page of another origin.")
    binding = client.token_binding
    if binding is not None and binding.get("status") not in ("supported", "not-supported"):
        raise ValueError("A token binding that this server does not have.")


def _check_data(data: "AuthenticatorData") -> None:
    if data.is_backed_up() and not data.is_backup_eligible():
        raise ValueError("Backed up, though it cannot be.")
    if data.has_extension_data() and not isinstance(data.extensions, Mapping):
        raise ValueError("Extensions that are no map.")


def _check_key(key: "CoseKey") -> None:
    """Raise for a key that no login could be checked with, or only slowly."""
    from cryptography.exceptions import InvalidSignature

    algorithm = type(key).ALGORITHM
    if algorithm not in ALGORITHMS:
        raise ValueError("An algorithm that was not asked for.")
    if algorithm in _RSA and not (
        len(key[_EXPONENT]) <= _LONGEST_EXPONENT
        and _RSA_BITS[0] <= int.from_bytes(key[_MODULUS]).bit_length() <= _RSA_BITS[1]
    ):
        raise ValueError("An RSA key of a length that no authenticator has.")
    try:
        key.verify(b"", b"")
    except InvalidSignature:
        return
    raise ValueError("A key that everything is signed by.")


def _nobodys_key(credential_id: bytes) -> bytes:
    """A key that nobody has, under the id that somebody asked for."""
    from fido2.cose import CoseKey
    from fido2.webauthn import Aaguid, AttestedCredentialData

    key = CoseKey.parse(_nobodys_point())
    return bytes(AttestedCredentialData.create(Aaguid.NONE, credential_id, key))


@cache
def _nobodys_point() -> dict[int, int | bytes]:
    from cryptography.hazmat.primitives.asymmetric import ec
    from fido2.cose import CoseKey

    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return dict(CoseKey.for_alg(ALGORITHMS[0]).from_cryptography_key(public))


def _log_refusal(what: str, error: Exception) -> None:
    """For operators who look for the reason. Only the library's own texts and ours are plain
    `ValueError`; others may have something in them that was sent."""
    reason = str(error) if type(error) is ValueError else type(error).__name__
    _log.debug("a %s was refused: %s", what, reason)
