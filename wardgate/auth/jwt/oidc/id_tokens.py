"""Whether an ID token is the answer to a login that began here (OpenID Connect Core 1.0, 3.1.3.7)."""

import base64
import hashlib
import hmac

from wardgate.auth.jwt.config import Config
from wardgate.auth.jwt.oidc.flows import Flow
from wardgate.auth.jwt.roles import Role
from wardgate.auth.jwt.validity import Expected, audiences_of, check_validity
from wardgate.errors import InvalidRequest
from wardgate.framework.jws import Claims, header_of

_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}
_SLACK = 60  # seconds that the provider's clock may differ, where an age is looked at


def check_id_token(
    config: Config, role: Role, flow: Flow, claims: Claims, now: float, *, has_browser: bool = True
) -> None:
    """Raises `InvalidRequest` unless the claims, whose signature is good, are for this login.

    Where there was no browser (a device) there is no nonce to look for.
    """
    expected = Expected(
        issuer=config.oidc_discovery_url,
        audiences=(config.oidc_client_id,),
        subject=role.bound_subject,
        clock_skew_leeway=role.clock_skew_leeway,
        expiration_leeway=role.expiration_leeway,
        not_before_leeway=role.not_before_leeway,
    )
    if not _is_time(claims.get("exp")) or not isinstance(claims.get("sub"), str):
        raise _refused("it has no exp or no sub")
    check_validity(claims, expected, now)
    audiences = audiences_of(claims)
    if role.bound_audiences and not set(role.bound_audiences) & set(audiences):
        raise _refused("invalid audience (aud) claim: none of them is bound to the role")
    authorized = claims.get("azp")
    if authorized is not None and authorized != config.oidc_client_id:
        raise _refused("invalid authorized party (azp) claim")
    if authorized is None and len(audiences) > 1:
        raise _refused("it is for several audiences, and has no azp")
    if has_browser:
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(
            nonce.encode(), flow.nonce.encode()
        ):
            raise _refused("invalid ID token nonce")
        _check_age(flow, claims, now)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 1


def _check_age(flow: Flow, claims: Claims, now: float) -> None:
    if not flow.max_age:
        return
    logged_in = claims.get("auth_time")
    if isinstance(logged_in, bool) or not isinstance(logged_in, int | float):
        raise _refused("max_age was asked for, and it has no auth_time")
    if not logged_in - _SLACK <= now <= logged_in + flow.max_age + _SLACK:
        raise _refused("the login at the provider is older than max_age")


def check_access_token(id_token: str, claims: Claims, access_token: str) -> None:
    """Raises `InvalidRequest` when the ID token says that it belongs to another access token."""
    given = claims.get("at_hash")
    if given is None or not access_token:
        return
    algorithm = header_of(id_token).algorithm
    # Ed25519 hashes with SHA-512; all others have the number in their names
    digest = _HASHES.get(algorithm[2:], hashlib.sha512)(access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not isinstance(given, str) or not hmac.compare_digest(half, given.encode()):
        raise _refused("its at_hash is not that of the access token")


def _refused(why: str) -> InvalidRequest:
    return InvalidRequest(f"error validating token: {why}")
