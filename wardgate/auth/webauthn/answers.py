"""What browsers send: a PublicKeyCredential in WebAuthn's JSON (``PublicKeyCredential.toJSON()``).

What is read here is of the right shape and size; whether it is true, `verification` finds out. Sizes
are bounded by what authenticators make: the time that it takes to read the CBOR in it grows with the
square of the size.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from wardgate.auth.webauthn.encoding import decoded, encoded
from wardgate.core.request import JsonMap
from wardgate.errors import InvalidRequest

LONGEST_ID = 1023
"""Bytes of a credential id (WebAuthn, section 4)."""
_LONGEST_CLIENT_DATA = 4096
_LONGEST_ATTESTATION = 16384
_LONGEST_AUTHENTICATOR_DATA = 2048
_LONGEST_SIGNATURE = 2048
_LONGEST_HANDLE = 64
_TRANSPORTS = frozenset({"ble", "hybrid", "internal", "nfc", "smart-card", "usb"})
_MOST_TRANSPORTS = 16


class ClientData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the browser says of the ceremony (CollectedClientData)."""

    type: str
    challenge: str
    origin: str
    cross_origin: bool = False
    top_origin: str | None = None
    token_binding: dict[str, Any] | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What both kinds of answers have."""

    credential_id: bytes
    client_data: bytes
    """The JSON as the browser made it: signatures are over these bytes."""
    client: ClientData

    @property
    def state(self) -> str:
        """The state of the challenge that is answered; empty for none that can be."""
        data = decoded(self.client.challenge)
        return data.decode() if data and data.isascii() else ""


class Registration(Answer, frozen=True, kw_only=True):
    """A new key."""

    attestation_object: bytes
    transports: tuple[str, ...] = ()


class Assertion(Answer, frozen=True, kw_only=True):
    """A signature by a key."""

    authenticator_data: bytes
    signature: bytes
    user_handle: bytes = b""


class _Response(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    client_data: str = msgspec.field(name="clientDataJSON")


class _Attestation(_Response, frozen=True, kw_only=True, rename="camel"):
    attestation_object: str
    transports: Annotated[list[str], Meta(max_length=_MOST_TRANSPORTS)] | None = None


class _Signed(_Response, frozen=True, kw_only=True, rename="camel"):
    authenticator_data: str
    signature: str
    user_handle: str | None = None


class _Credential(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    raw_id: str | None = None
    type: str


class _NewCredential(_Credential, frozen=True, kw_only=True, rename="camel"):
    response: _Attestation


class _UsedCredential(_Credential, frozen=True, kw_only=True, rename="camel"):
    response: _Signed


def read_registration(given: JsonMap) -> Registration:
    """The ``credential`` of a registration; `InvalidRequest` names what is wrong about its shape."""
    credential = _converted(given, _NewCredential)
    response = credential.response
    transports = tuple(each for each in response.transports or () if each in _TRANSPORTS)
    return Registration(
        **_common(credential, response),
        attestation_object=_bytes(
            "response.attestationObject", response.attestation_object, _LONGEST_ATTESTATION
        ),
        transports=tuple(dict.fromkeys(transports)),
    )


def read_assertion(given: JsonMap) -> Assertion:
    """The ``credential`` of a login; `InvalidRequest` names what is wrong about its shape."""
    credential = _converted(given, _UsedCredential)
    response = credential.response
    handle = response.user_handle or ""
    return Assertion(
        **_common(credential, response),
        authenticator_data=_bytes(
            "response.authenticatorData", response.authenticator_data, _LONGEST_AUTHENTICATOR_DATA
        ),
        signature=_bytes("response.signature", response.signature, _LONGEST_SIGNATURE),
        user_handle=_bytes("response.userHandle", handle, _LONGEST_HANDLE),
    )


def _converted(given: JsonMap, kind: type[Any]) -> Any:
    if not given:
        raise InvalidRequest("credential: required; send what the browser's API gave, as JSON")
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"credential: {error}") from None
    except UnicodeEncodeError:  # half of a surrogate pair
        raise InvalidRequest("credential: has text that is none") from None


def _common(credential: _Credential, response: _Response) -> JsonMap:
    if credential.type != "public-key":
        raise InvalidRequest("credential.type: must be public-key")
    credential_id = _bytes("id", credential.id, LONGEST_ID)
    if not credential_id or credential.raw_id not in (None, encoded(credential_id)):
        raise InvalidRequest("credential.rawId: must be the same as credential.id")
    client_data = _bytes("response.clientDataJSON", response.client_data, _LONGEST_CLIENT_DATA)
    try:
        client = msgspec.json.decode(client_data, type=ClientData)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest("credential.response.clientDataJSON: not what browsers make") from None
    return {"credential_id": credential_id, "client_data": client_data, "client": client}


def _bytes(name: str, text: str, longest: int) -> bytes:
    """Bytes that are sent as text; `longest` is how many there may be."""
    data = decoded(text) if len(text) <= longest * 2 else None
    if data is None or len(data) > longest:
        raise InvalidRequest(
            f"credential.{name}: give at most {longest} bytes in base64url without padding"
        )
    return data
