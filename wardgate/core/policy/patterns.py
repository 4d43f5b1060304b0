"""Path patterns: what they match, and which of several is the most specific.

A pattern is an exact path, a prefix (`*` at its end), or has segments that match any one segment
(`+`). Among the patterns with wildcards that match a path, the first of these that tells two apart
decides (Vault's "priority matching"); the one named is the less specific:

1. the one whose first wildcard comes earlier;
2. the one that ends in `*`;
3. the one with more `+` segments;
4. the shorter one;
5. the one that sorts first.
"""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

G = TypeVar("G")

Rank: TypeAlias = tuple[int, bool, int, int, str]
"""Sorts patterns: the greater, the more specific."""


def has_plus(pattern: str) -> bool:
    """Whether a whole segment is `+`; anywhere else it is a plain character."""
    return "+" in pattern and "+" in pattern.removesuffix("*").split("/")


def rank(pattern: str) -> Rank:
    """How specific a pattern with a wildcard is."""
    open_end = pattern.endswith("*")
    wildcard = len(pattern) - open_end
    pluses = 0
    place = 0
    for segment in pattern.split("/"):
        if segment == "+":
            pluses += 1
            wildcard = min(wildcard, place)
        place += len(segment) + 1
    return wildcard, not open_end, -pluses, len(pattern), pattern


@dataclass(frozen=True, slots=True)
class PlusPattern(Generic[G]):
    """A pattern with `+` segments, taken apart for matching, and what it grants."""

    rank: Rank
    lead: str
    """The text before the first `+`, to discard most paths at once."""
    segments: tuple[str | None, ...]
    """The segments; None matches anything."""
    open_end: bool
    """Whether the last segment is only the beginning of what must follow."""
    grant: G

    @classmethod
    def of(cls, pattern: str, grant: G) -> "PlusPattern[G]":
        """Take apart a pattern for which `has_plus` holds."""
        order = rank(pattern)
        segments = pattern.removesuffix("*").split("/")
        return cls(
            rank=order,
            lead=pattern[: order[0]],
            segments=tuple(None if segment == "+" else segment for segment in segments),
            open_end=pattern.endswith("*"),
            grant=grant,
        )

    def overlaps(self, folder: str) -> bool:
        """Whether it can match a path at `folder` (which ends in ``/``) or below."""
        wanted = folder.rstrip("/").split("/")
        last = len(self.segments) - 1
        if len(wanted) > len(self.segments) and not self.open_end:
            return False
        for place, (own, other) in enumerate(zip(self.segments, wanted, strict=False)):
            beginning = self.open_end and place == last
            if own is not None and own != other and not (beginning and other.startswith(own)):
                return False
        return True

    def matches(self, path: str) -> bool:
        """Whether the path fits."""
        if not path.startswith(self.lead):
            return False
        wanted, segments = self.segments, path.split("/")
        if len(segments) != len(wanted) and not (self.open_end and len(segments) > len(wanted)):
            return False
        last = len(wanted) - 1 if self.open_end else len(wanted)
        for place in range(last):
            want = wanted[place]
            if want is not None and want != segments[place]:
                return False
        return not self.open_end or segments[last].startswith(wanted[last] or "")
