"""Whether a signed token is from the right issuer, for us, and valid now (RFC 7519, section 4.1)."""

from typing import Any

import msgspec

from wardgate.auth.jwt.role_fields import LEEWAY, SKEW
from wardgate.errors import InvalidRequest
from wardgate.framework.jws import Claims

_LATEST = 2**53  # seconds; times beyond are mistakes


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a token is held against. What is empty is not looked at.

    Leeways are seconds; 0 stands for the default, a negative one for none.
    """

    issuer: str = ""
    subject: str = ""
    audiences: tuple[str, ...] = ()
    clock_skew_leeway: int = 0
    expiration_leeway: int = 0
    not_before_leeway: int = 0


def check_validity(claims: Claims, expected: Expected, now: float) -> None:
    """Raises `InvalidRequest` for a token that is not as expected at the time `now`.

    A token that does not say when it ends does so soon after its beginning, one that does not say
    when it begins, soon before its end; the leeways say how soon.
    """
    begin, end, issued = _times(claims, expected)
    issuer, subject = _text(claims, "iss"), _text(claims, "sub")
    audiences = audiences_of(claims)
    if expected.issuer and issuer != expected.issuer:
        raise _refused("invalid issuer (iss) claim")
    if expected.subject and subject != expected.subject:
        raise _refused("invalid subject (sub) claim")
    if expected.audiences and not set(expected.audiences) & set(audiences):
        raise _refused(
            "invalid audience (aud) claim: audience claim does not match any expected audience"
        )
    skew = _leeway(expected.clock_skew_leeway, SKEW)
    if now + skew < begin:
        raise _refused("invalid not before (nbf) claim: token not yet valid")
    if now - skew > end:
        raise _refused("invalid expiration time (exp) claim: token is expired")
    if now + skew < issued:
        raise _refused("invalid issued at (iat) claim: token issued in the future")


def audiences_of(claims: Claims) -> tuple[str, ...]:
    """Whom a token is for; `InvalidRequest` when its ``aud`` is neither a text nor a list of texts."""
    if "aud" not in claims:
        return ()
    given = claims["aud"]
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise _refused("expected the audience (aud) claim to be a string or a list of strings")
    return tuple(given)


def _times(claims: Claims, expected: Expected) -> tuple[int, int, int]:
    """When the token begins and ends, and when it was issued (0: unknown)."""
    issued, begin, end = (_time(claims, name) for name in ("iat", "nbf", "exp"))
    if not (issued or begin or end):
        raise _refused(
            "no issued at (iat), not before (nbf), or expiration time (exp) claims in token"
        )
    if not end:
        end = max(issued, begin) + _leeway(expected.expiration_leeway, LEEWAY)
    if not begin:
        begin = issued or end - _leeway(expected.not_before_leeway, LEEWAY)
    return begin, end, issued


def _leeway(seconds: int, default: int) -> int:
    return max(0, seconds) if seconds else default


def _time(claims: Claims, name: str) -> int:
    value: Any = claims.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused(f"expected the {name} claim to be a number")
    if not -_LATEST < value < _LATEST:
        raise _refused(f"the {name} claim is no time")
    return int(value)


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    if value is not None and not isinstance(value, str):
        raise _refused(f"expected the {name} claim to be a string")
    return value or ""


def _refused(why: str) -> InvalidRequest:
    return InvalidRequest(f"error validating token: {why}")
