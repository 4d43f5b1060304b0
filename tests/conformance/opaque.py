"""The parts of an answer that two servers choose for themselves: ids, accessors, tokens, times.

A text is split into what must be equal (the template) and what only has to correspond. Ids
correspond when each of theirs always meets the same one of ours and the other way round, so that an
accessor which changes between two answers is still seen. Times correspond when they are close.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime

TIME_TOLERANCE_SECONDS = 3.0

_WORD = "[A-Za-z0-9]"
_KINDS = {
    "time": r"(?!0001)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)",
    "uuid": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "service token": rf"(?<!{_WORD})s\.{_WORD}{{24,}}",
    "batch token": rf"(?<!{_WORD})b\.[A-Za-z0-9_-]{{40,}}",
    "mount accessor": rf"[a-z][a-z0-9-]*(?:_[a-z0-9-]+)*_[0-9a-f]{{8}}(?!{_WORD})",
    "lease of a token": rf"(?<!{_WORD})h(?:(?:{_WORD}{{8}})?[0-9a-f]{{40}}|[0-9a-f]{{64}})(?!{_WORD})",
    "hex share": r"(?<![0-9a-f])[0-9a-f]{64}(?:[0-9a-f]{2})?(?![0-9a-f])",
    # (the end of a path with our lease of a token behind it is as long as a share)
    "base64 share": r"(?<![A-Za-z0-9+/])(?!\w{0,3}/h(?:\w{8})?[0-9a-f]{40})"
    r"[A-Za-z0-9+/]{43}[A-Za-z0-9+/=](?![A-Za-z0-9+/=])",
    "cluster name": r"(?<![a-z-])[a-z]+-cluster-[0-9a-f]{8}(?![0-9a-f])",
    # (of two kinds of characters, since one in 200000 has no small letter or no capital)
    "accessor": rf"(?<!{_WORD})(?:(?=[a-z0-9]*[A-Z])(?=[A-Z0-9]*[a-z])|(?=[A-Za-z]*\d)(?=\d*[A-Za-z]))"
    rf"(?:{_WORD}{{24}}|{_WORD}{{32}})(?!{_WORD})",
    "plugin version": r"v\d+\.\d+\.\d+\+builtin(?:\.\w+)?",
}
_OPAQUE = re.compile(
    "|".join(f"(?P<{kind.replace(' ', '_')}>{pattern})" for kind, pattern in _KINDS.items())
)


@dataclass(frozen=True, slots=True)
class Part:
    """One opaque part of a text."""

    kind: str
    text: str


def split(text: str) -> tuple[str, list[Part]]:
    """The text with every opaque part replaced by its kind, and these parts in order."""
    parts: list[Part] = []

    def name_kind(match: re.Match[str]) -> str:
        kind = (match.lastgroup or "").replace("_", " ")
        parts.append(Part(kind, match[0]))
        return f"<{_shape(kind, match[0])}>"

    return _OPAQUE.sub(name_kind, text), parts


def _shape(kind: str, text: str) -> str:
    if kind == "time":
        fraction = "with fraction" if "." in text else "whole seconds"
        return f"time, {fraction}, {'UTC' if text.endswith('Z') else 'offset'}"
    if kind == "mount accessor":
        return text[: -len("01234567")] + kind
    return kind


@dataclass(slots=True)
class Correspondence:
    """Which id of ours stands for which of theirs, learned during one scenario.

    `passed` is how many seconds ago the scenario began. By so much more may times differ: a step is
    sent to one server after the other, and a busy machine may stop in between.
    """

    passed: float = 0.0
    _theirs_to_ours: dict[str, str] = field(default_factory=dict)
    _ours_to_theirs: dict[str, str] = field(default_factory=dict)

    def holds(self, ours: str, theirs: str) -> bool:
        """Whether two texts say the same, given what was learned; learns from what is new."""
        our_template, our_parts = split(ours)
        their_template, their_parts = split(theirs)
        if our_template != their_template:
            return False
        return all(map(self._correspond, our_parts, their_parts))

    def our_order(self, text: str) -> tuple[str, list[str]]:
        """A key by which texts of ours are sorted as theirs that they correspond to."""
        template, parts = split(text)
        return template, [self._ours_to_theirs.get(part.text, "") for part in parts]

    def their_order(self, text: str) -> tuple[str, list[str]]:
        """A key by which texts of theirs are sorted: by ids that are known, then as they come."""
        template, parts = split(text)
        return template, [part.text if part.text in self._theirs_to_ours else "" for part in parts]

    def _correspond(self, ours: Part, theirs: Part) -> bool:
        if ours.kind == "time":
            return _seconds_between(ours.text, theirs.text) <= TIME_TOLERANCE_SECONDS + self.passed
        if ours.kind == "plugin version":
            return True
        if ours.text in self._ours_to_theirs or theirs.text in self._theirs_to_ours:
            return self._ours_to_theirs.get(ours.text) == theirs.text
        self._ours_to_theirs[ours.text] = theirs.text
        self._theirs_to_ours[theirs.text] = ours.text
        return True


def _seconds_between(one: str, other: str) -> float:
    return abs((_parse(one) - _parse(other)).total_seconds())


def _parse(time: str) -> datetime:
    # Go writes nanoseconds, datetime reads at most microseconds.
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", time))
