"""What a service account's token says, and whether that may be so.

Tokens come in two forms: those of a secret, which have neither an audience nor an end, and bound
ones, which have both and name the pod that they are for. Nothing here asks the cluster.
"""

import re
from functools import lru_cache
from typing import Any

import msgspec

from wardgate.errors import InvalidRequest, PermissionDenied
from wardgate.framework.jws import (
    BadSignature,
    Claims,
    Malformed,
    VerificationKey,
    header_of,
    pem_keys,
    unverified_claims,
    verified,
)

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
"""What Kubernetes may sign with."""
LONGEST = 16 * 1024
"""Characters of a token that logs in: it is kept for as long as it can be renewed."""
SKEW = 60  # seconds that the clocks of cluster and server may differ
_LEEWAY = 150  # seconds before its end that a token is good which does not say when it begins
_FAR = 2**53  # seconds; no clock will get there
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", re.ASCII)
_LEGACY = "kubernetes.io/serviceaccount/"
# What Kubernetes lets things be called (DNS labels and subdomains): these become parts of addresses.
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_SUBDOMAIN = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*", re.ASCII
)
_UID = re.compile(r"[A-Za-z0-9-]{1,128}", re.ASCII)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The service account that a token is of, and what else of the token counts."""

    namespace: str
    name: str
    uid: str
    secret_name: str
    audiences: tuple[str, ...]


def read(token: str, keys: tuple[str, ...]) -> Claims:
    """The claims of a token, whose signature is checked with `keys` in PEM if there are any.

    May take a millisecond: call it in a thread. Raises `PermissionDenied`.
    """
    if len(token) > LONGEST:
        raise InvalidRequest(f"jwt: at most {LONGEST} characters")
    if not _COMPACT.fullmatch(token):  # it goes into a header of the question to the API
        raise PermissionDenied
    try:
        if keys:
            return verified(token, _parsed(keys), ALGORITHMS)
        if header_of(token).algorithm not in ALGORITHMS:
            raise PermissionDenied
        return unverified_claims(token)
    except (Malformed, BadSignature):
        raise PermissionDenied from None


@lru_cache(maxsize=64)
def _parsed(keys: tuple[str, ...]) -> tuple[VerificationKey, ...]:
    return tuple(key for pem in keys for key in pem_keys(pem))


def check(claims: Claims, *, issuer: str, audience: str, now: float) -> None:
    """Hold issuer, audience (each unless empty) and times against the claims.

    Raises `PermissionDenied`, which says what does not fit.
    """
    if issuer and claims.get("iss") != issuer:
        raise PermissionDenied("invalid issuer (iss) claim")
    if audience and audience not in _audiences(claims):
        raise PermissionDenied(
            "invalid audience (aud) claim: audience claim does not match any expected audience"
        )
    issued, begins, ends = (_time(claims, name) for name in ("iat", "nbf", "exp"))
    if not (issued or begins or ends):
        return  # the token of a secret is good for as long as the secret is there
    ends = ends or max(issued, begins) + _LEEWAY
    begins = begins or issued or ends - _LEEWAY
    if now + SKEW < begins:
        raise PermissionDenied("invalid not before (nbf) claim: token not yet valid")
    if now - SKEW > ends:
        raise PermissionDenied("invalid expiration time (exp) claim: token is expired")
    if now + SKEW < issued:
        raise PermissionDenied("invalid issued at (iat) claim: token issued in the future")


def account(claims: Claims) -> Account:
    """Whose token it says to be; `PermissionDenied` when that cannot be anybody's."""
    bound = claims.get("kubernetes.io")
    if isinstance(bound, dict):
        reference = bound.get("serviceaccount")
        reference = reference if isinstance(reference, dict) else {}
        namespace, name, uid = bound.get("namespace"), reference.get("name"), reference.get("uid")
    else:
        namespace = claims.get(f"{_LEGACY}namespace")
        name = claims.get(f"{_LEGACY}service-account.name")
        uid = claims.get(f"{_LEGACY}service-account.uid")
    secret = claims.get(f"{_LEGACY}secret.name")
    return Account(
        namespace=_checked(namespace, _LABEL),
        name=_checked(name, _SUBDOMAIN),
        uid=_checked(uid, _UID),
        secret_name="" if secret is None else _checked(secret, _SUBDOMAIN),
        audiences=_audiences(claims),
    )


def _checked(value: Any, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise PermissionDenied
    return value


def _audiences(claims: Claims) -> tuple[str, ...]:
    """A list of texts, or one text (RFC 7519, 4.1.3)."""
    found = claims.get("aud", [])
    found = [found] if isinstance(found, str) else found
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise PermissionDenied("invalid audience (aud) claim")
    return tuple(found)


def _time(claims: Claims, name: str) -> float:
    """Seconds since the epoch; 0 where the token does not say."""
    value = claims.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PermissionDenied
    return float(max(-_FAR, min(value, _FAR)))
