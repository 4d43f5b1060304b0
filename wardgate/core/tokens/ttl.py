"""How long a token lives.

The rules are those of Vault's documentation ("Tokens", "Token time-to-live, periodic tokens, and
explicit max TTLs"): a period fixes the length of each renewal, which is
at most the maximum of the role or mount, and lifts that of the whole life; otherwise the
asked or configured length counts, at most the maximum of the role, the mount or the system, whichever
is smallest; an explicit maximum holds in every case.
"""

import math

import msgspec

from wardgate.durations import brief_duration


class Lifetime(msgspec.Struct, frozen=True):
    """A granted time in whole seconds, when exactly it ends (seconds since the epoch), and what the
    caller should be told."""

    ttl: int
    expires: float
    warnings: tuple[str, ...] = ()


def lifetime(
    *,
    now: float,
    started: float,
    asked: int = 0,
    role_ttl: int = 0,
    role_max: int = 0,
    period: int = 0,
    explicit_max: int = 0,
    default_ttl: int,
    max_ttl: int,
) -> Lifetime:
    """The time from `now` for a token that was issued at `started`.

    `default_ttl` and `max_ttl` are the mount's effective values. Where the maximum has been reached,
    the result is 0 and lies in the past, and the token must not be renewed: it never means "for
    ever" (CVE-2021-32923).
    """
    warnings: list[str] = []
    if period > 0:
        longest = min(max_ttl, role_max or max_ttl)
        wanted, ceiling = min(period, longest), min(longest, explicit_max or longest)
        if period > ceiling:
            warnings.append(_capped("period", "period value", period, ceiling))
        end = started + explicit_max if explicit_max else math.inf
    else:
        limits = [limit for limit in (max_ttl, role_max, explicit_max) if limit]
        ceiling = min(limits)
        wanted = asked or role_ttl or default_ttl
        if wanted > ceiling and (asked or role_ttl or explicit_max):
            warnings.append(_capped("TTL", "TTL value", wanted, ceiling))
        end = started + ceiling
    expires = min(now + wanted, end)
    return Lifetime(max(0, math.ceil(expires - now)), expires, tuple(warnings))


def _capped(what: str, value: str, wanted: int, ceiling: int) -> str:
    return (
        f'{what} of "{brief_duration(wanted)}" exceeded the effective max_ttl of'
        f' "{brief_duration(ceiling)}"; {value} is capped accordingly'
    )
