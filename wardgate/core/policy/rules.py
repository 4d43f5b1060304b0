"""What a policy says, once its text is read: the form between the text and a compiled `Acl`.

These are `msgspec` structs, so that a store can keep them next to the text: reading HCL takes some
20 µs a rule, decoding this a fraction of that.
"""

from typing import Any

import msgspec

from wardgate.core.policy.capabilities import Capability

Parameters = dict[str, tuple[Any, ...]]
"""Parameter name in lower case (or `*`) to the values named for it; no values means any value. A
value is what JSON can hold."""


class PathRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """One `path "..." { }` block."""

    path: str
    """The pattern, without a leading slash, templates not yet filled in."""
    capabilities: frozenset[Capability] = frozenset()
    min_wrapping_ttl: int = 0
    """Seconds; 0 is no limit."""
    max_wrapping_ttl: int = 0
    """Seconds; 0 is no limit."""
    allowed_parameters: Parameters = {}
    denied_parameters: Parameters = {}
    required_parameters: tuple[str, ...] = ()
    pagination_limit: int = 0
    """Most keys that a LIST or SCAN may return; 0 is no limit."""
    list_filter: str = ""
    """`list_scan_response_keys_filter_path`: the path that must be readable for a key to show."""
    expiration: float | None = None
    """Seconds since the Unix epoch from which the rule is gone."""


class PolicyRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """All rules of one policy, in the order of its text."""

    paths: tuple[PathRule, ...] = ()


def merge_parameters(into: Parameters, more: Parameters) -> None:
    """Add `more` to `into`. A name without values stands for any value, and stays so."""
    for name, values in more.items():
        known = into.get(name)
        if known is None:
            into[name] = values
        else:
            into[name] = known + values if known and values else ()
