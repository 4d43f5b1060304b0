"""How one listener treats the requests that come through it."""

from dataclasses import dataclass

from wardgate.http.forwarded import ForwardedFor
from wardgate.http.limits import DEFAULT_LIMITS, Limits
from wardgate.http.response_headers import NO_HEADERS, ResponseHeaders


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a listener allows and adds. `forwarded_for` is None where no proxy is trusted;
    `open_metrics` lets anybody read ``sys/metrics``; `opened` are the groups of endpoints that need no
    token here."""

    limits: Limits = DEFAULT_LIMITS
    response_headers: ResponseHeaders = NO_HEADERS
    forwarded_for: ForwardedFor | None = None
    open_metrics: bool = False
    opened: frozenset[str] = frozenset()


DEFAULT_RULES = Rules()
