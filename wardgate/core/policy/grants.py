"""What all rules for one pattern add up to.

Rules for the same pattern, in one policy or several, are merged: capabilities add up, deny takes
all, and every limit stays. Of two minimal wrapping TTLs, of two maximal ones and of two
pagination limits the smaller counts; allowed, denied and required parameters are put together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wardgate.core.operation import Operation
from wardgate.core.policy.capabilities import BITS, DENY_BIT, SUDO_BIT, mask_of, words_of
from wardgate.core.policy.listing import granted_limit
from wardgate.core.policy.parameters import are_permitted
from wardgate.core.policy.rules import Parameters, PathRule, merge_parameters


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request."""

    allowed: bool
    limit: int | None = None
    """For LIST and SCAN: return at most so many keys. It stands in for the `limit` that the request
    asked for. None leaves the request's own `limit` alone."""
    list_filters: tuple[str, ...] = ()
    """For LIST and SCAN: show only what `Acl.shown_keys` leaves."""


ALLOWED = Decision(allowed=True)
REFUSED = Decision(allowed=False)

_LISTINGS = (Operation.LIST, Operation.SCAN)
_WITH_PARAMETERS = (Operation.READ, Operation.CREATE, Operation.UPDATE, Operation.PATCH)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a rule asks of a request beside the capability."""

    min_wrapping_ttl: int
    max_wrapping_ttl: int
    allowed_parameters: Parameters
    denied_parameters: Parameters
    required_parameters: tuple[str, ...]
    pagination_limit: int
    list_filters: tuple[str, ...]

    def decide(
        self, operation: Operation, data: Mapping[str, object], wrap_ttl: int | None
    ) -> Decision:
        """Whether a request that has the capability passes, and what its listing may show.

        OpenBao looks at parameters for reads and writes, at `limit` for listings, and at neither
        for DELETE.
        """
        if not self._wraps_well(wrap_ttl):
            return REFUSED
        if operation in _LISTINGS:
            return self._decide_listing(data)
        if operation in _WITH_PARAMETERS and not are_permitted(
            data, self.allowed_parameters, self.denied_parameters, self.required_parameters
        ):
            return REFUSED
        return ALLOWED

    def _wraps_well(self, wrap_ttl: int | None) -> bool:
        if not self.min_wrapping_ttl and not self.max_wrapping_ttl:
            return True
        # A TTL of 0 wraps nothing, so it is as good as not having asked.
        if not wrap_ttl or wrap_ttl < self.min_wrapping_ttl:
            return False
        return not self.max_wrapping_ttl or wrap_ttl <= self.max_wrapping_ttl

    def _decide_listing(self, data: Mapping[str, object]) -> Decision:
        limit = None
        if self.pagination_limit:
            if "limit" in self.required_parameters and "limit" not in data:
                return REFUSED
            limit = granted_limit(data, self.pagination_limit)
            if limit is None:
                return REFUSED
        return Decision(allowed=True, limit=limit, list_filters=self.list_filters)


@dataclass(frozen=True, slots=True)
class Grant:
    """The merged rules of one pattern."""

    mask: int
    """Bits of the capabilities."""
    limits: Limits | None
    """None when the capability is all that counts, as it mostly is."""
    sources: tuple[tuple[str, int], ...] = ()
    """The names of the policies that have rules for it, each with the bits that it grants."""

    @property
    def denies(self) -> bool:
        """Whether a rule says `deny`, as opposed to merely granting nothing."""
        return self.mask == DENY_BIT

    def summary(self) -> dict[str, Any]:
        """The capabilities and what limits them, as ``resultant-acl`` tells it."""
        shown: dict[str, Any] = {"capabilities": words_of(self.mask)}
        if self.limits is not None:
            for name in (
                "min_wrapping_ttl",
                "max_wrapping_ttl",
                "allowed_parameters",
                "denied_parameters",
                "required_parameters",
            ):
                value = getattr(self.limits, name)
                if value:
                    shown[name] = value
        return shown

    def decide(
        self,
        operation: Operation,
        data: Mapping[str, object] | None,
        wrap_ttl: int | None,
        sudo: bool,
    ) -> Decision:
        """Whether the grant covers a request other than HELP."""
        need = BITS[operation] | SUDO_BIT if sudo else BITS[operation]
        if self.mask & need != need:
            return REFUSED
        if self.limits is None:
            return ALLOWED
        return self.limits.decide(operation, data or {}, wrap_ttl)


@dataclass(slots=True)
class Merging:
    """Collects the rules of one pattern while an ACL is compiled."""

    mask: int = 0
    min_wrapping_ttl: int = 0
    max_wrapping_ttl: int = 0
    allowed: Parameters = field(default_factory=dict)
    denied: Parameters = field(default_factory=dict)
    required: dict[str, None] = field(default_factory=dict)
    pagination_limit: int = 0
    list_filters: dict[str, None] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)

    def add(self, rule: PathRule, source: str = "") -> None:
        """Put one more rule to it, of the policy named `source`; the order does not matter."""
        mask = mask_of(rule.capabilities)
        self.mask |= mask
        self.sources[source] = self.sources.get(source, 0) | mask
        self.min_wrapping_ttl = _smaller(self.min_wrapping_ttl, rule.min_wrapping_ttl)
        self.max_wrapping_ttl = _smaller(self.max_wrapping_ttl, rule.max_wrapping_ttl)
        self.pagination_limit = _smaller(self.pagination_limit, rule.pagination_limit)
        merge_parameters(self.allowed, rule.allowed_parameters)
        merge_parameters(self.denied, rule.denied_parameters)
        self.required.update(dict.fromkeys(rule.required_parameters))
        if rule.list_filter:
            self.list_filters[rule.list_filter] = None

    def grant(self) -> Grant:
        """What it came to."""
        if self.mask & DENY_BIT:
            return Grant(DENY_BIT, None)
        limits = Limits(
            self.min_wrapping_ttl,
            self.max_wrapping_ttl,
            self.allowed,
            self.denied,
            tuple(self.required),
            self.pagination_limit,
            tuple(self.list_filters),
        )
        return Grant(
            self.mask, None if limits == _NO_LIMITS else limits, tuple(sorted(self.sources.items()))
        )


_NO_LIMITS = Limits(0, 0, {}, {}, (), 0, ())


def _smaller(one: int, other: int) -> int:
    """The smaller of two limits, of which 0 is none."""
    return min(one, other) if one and other else one or other
