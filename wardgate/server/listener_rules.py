"""The part of a ``listener`` block that says how requests are treated."""

from wardgate.core.cidr import parse_cidrs
from wardgate.errors import InvalidRequest
from wardgate.http.forwarded import ForwardedFor
from wardgate.http.limits import (
    DEFAULT_LIMITS,
    DEFAULT_MAX_REQUEST_SIZE,
    Limits,
)
from wardgate.http.response_headers import (
    FRAMING,
    NAME,
    NO_HEADERS,
    STATUS,
    VALUE,
    Pair,
    ResponseHeaders,
)
from wardgate.http.rules import Rules
from wardgate.server.document import ConfigError
from wardgate.server.section import Section

_TRUSTED = "x_forwarded_for_authorized_addrs"
FORWARDED = (
    _TRUSTED, "x_forwarded_for_hop_skips", "x_forwarded_for_reject_not_authorized",
    "x_forwarded_for_reject_not_present",
)  # fmt: skip

SWITCHES = {
    "disable_unauthed_rekey_endpoints": "rekey",
    "disable_unauthed_generate_root_endpoints": "generate-root",
}
"""Keys that, set to false, open a group of endpoints to calls without a token."""


def read_rules(section: Section, longest: int, *, proxies: bool) -> Rules:
    """The rules that a listener's block gives. Requests take at most `longest` seconds, unless it
    says otherwise. `proxies` says whether the listener can tell one
    proxy from another, by its address. Raises `ConfigError`."""
    if not proxies:
        section.without_effect(FORWARDED, "a Unix socket does not tell which proxy is at its end")
    return Rules(
        limits=_limits(section, longest),
        response_headers=_response_headers(section),
        forwarded_for=_forwarded_for(section) if proxies else None,
        open_metrics=_open_metrics(section),
        opened=_opened(section),
    )


def _limits(section: Section, longest: int) -> Limits:
    """As in Vault, zero means the default, and a negative size means no limit.

    There is always a limit to what JSON may hold: every text is a value, or the name of one.
    """
    size = section.integer("max_request_size") or DEFAULT_MAX_REQUEST_SIZE
    duration = section.seconds("max_request_duration") or longest
    reading = section.seconds("http_read_timeout") or duration
    texts = section.integer("max_request_json_strings") or 0
    most_values = DEFAULT_LIMITS.max_json_values
    return Limits(
        None if size < 0 else size,
        duration,
        read_timeout=min(duration, reading),
        max_json_values=min(texts, most_values) if texts > 0 else most_values,
    )


def _opened(section: Section) -> frozenset[str]:
    """The endpoints that need no token here: those whose switch is set to false."""
    return frozenset(name for key, name in SWITCHES.items() if section.flag(key) is False)


def _forwarded_for(section: Section) -> ForwardedFor | None:
    trusted = section.texts(_TRUSTED)
    if not trusted:
        section.harmless(*FORWARDED)
        return None
    try:
        blocks = parse_cidrs(_TRUSTED, trusted)
    except InvalidRequest:
        problem = "must be IP addresses or CIDR blocks such as 10.0.0.0/8"
        raise section.error(_TRUSTED, problem) from None
    hops = section.integer("x_forwarded_for_hop_skips") or 0
    if not 0 <= hops < 100:
        raise section.error("x_forwarded_for_hop_skips", "must be a number from 0 to 99")
    return ForwardedFor(
        trusted=blocks,
        hop_skips=hops,
        reject_not_present=section.flag("x_forwarded_for_reject_not_present") or False,
        reject_not_authorized=section.flag("x_forwarded_for_reject_not_authorized") or False,
    )


def _open_metrics(section: Section) -> bool:
    section.without_effect(("profiling",), "there is nothing to profile with")
    telemetry = section.block("telemetry")
    if telemetry is None:
        return False
    open_metrics = telemetry.flag("unauthenticated_metrics_access") or False
    telemetry.finish()
    return open_metrics


def _response_headers(section: Section) -> ResponseHeaders:
    block = section.block("custom_response_headers")
    if block is None:
        return NO_HEADERS
    found: list[tuple[str, tuple[Pair, ...]]] = []
    for status in block.keys:
        inner = block.block(status) if STATUS.fullmatch(status) else None
        if inner is None:
            problem = 'has a key that is no status; write "default", "4xx", "404" or the like'
            raise section.error("custom_response_headers", problem)
        headers = {name: _header(inner, name) for name in inner.keys}
        kept = [(name, value) for name, value in headers.items() if value is not None]
        found.append((status, tuple(kept)))
    return ResponseHeaders(tuple(found))


def _header(section: Section, name: str) -> str | None:
    """The value of a header, None when there is none. Raises `ConfigError`."""
    if not NAME.fullmatch(name):
        raise section.refused("has a key that is no name of a header")
    if name.lower().startswith("x-vault-"):
        section.warn(name, "has no effect: headers that begin with X-Vault- are Vault's own")
        return None
    if name.lower() in FRAMING:
        raise section.error(name, "is set by the HTTP server; remove it")
    value = "; ".join(section.texts(name, split=False) or ())
    if value and not VALUE.fullmatch(value):
        raise ConfigError(
            "must be texts of printable characters, without line ends or spaces around them",
            section.place,
            name,
        )
    return value or None
