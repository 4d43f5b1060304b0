"""What browsers are asked for, in WebAuthn's JSON: they give it to ``parseCreationOptionsFromJSON`` and
``parseRequestOptionsFromJSON``."""

from collections.abc import Iterable

from wardgate.auth.webauthn.challenges import LIFE, Challenge
from wardgate.auth.webauthn.config import Config
from wardgate.auth.webauthn.encoding import encoded
from wardgate.auth.webauthn.users import Key
from wardgate.auth.webauthn.verification import ALGORITHMS
from wardgate.core.request import JsonMap

_TIMEOUT = int(LIFE * 1000)  # milliseconds


def creation_options(
    config: Config, challenge: Challenge, display_name: str, keys: Iterable[Key]
) -> JsonMap:
    """For a new key of somebody who has `keys`. A passkey is preferred: a key that can be used without
    a name."""
    return {
        "rp": {"id": config.rp_id, "name": config.rp_display_name or config.rp_id},
        "user": {
            "id": encoded(challenge.handle),
            "name": challenge.username,
            "displayName": display_name or challenge.username,
        },
        "challenge": encoded(challenge.data),
        "pubKeyCredParams": [{"type": "public-key", "alg": each} for each in ALGORITHMS],
        "timeout": _TIMEOUT,
        "excludeCredentials": [descriptor(key.id, key.transports) for key in keys],
        "authenticatorSelection": {
            "residentKey": "preferred",
            "requireResidentKey": False,
            "userVerification": config.user_verification,
        },
        "attestation": "none",
        "extensions": {"credProps": True},
    }


def request_options(config: Config, challenge: Challenge, allowed: list[JsonMap] | None) -> JsonMap:
    """For a signature by one of the `allowed` keys; None allows any passkey."""
    return {
        "challenge": encoded(challenge.data),
        "timeout": _TIMEOUT,
        "rpId": config.rp_id,
        **({} if allowed is None else {"allowCredentials": allowed}),
        "userVerification": config.user_verification,
    }


def descriptor(credential_id: bytes, transports: tuple[str, ...]) -> JsonMap:
    """A key as browsers are told of it."""
    found: JsonMap = {"type": "public-key", "id": encoded(credential_id)}
    if transports:
        found["transports"] = transports
    return found
