"""Differences in messages that are the same everywhere, and so are not noted at each step.

Only the wording is excused: the status, the number of messages and everything else must be equal.
Four entries of docs/compatibility.md are applied here, in this order (the comparison itself knows a
fifth, `commit-date`):

- `error-framing`: OpenBao's frame around a single error is taken off.
- `error-no-echo`: the part of OpenBao's message called `kept` (the name of a field) must be in ours,
  and the part called `sent` (what the client had sent) must not.
- `error-wording` and `warning-wording`: a line of the tables in `tests/conformance/wordings` gives
  OpenBao's whole message as a regular expression and ours as it stands, with the named groups of
  theirs filled in. No message of theirs is an empty text.
"""

import re
from dataclasses import dataclass, field

from tests.conformance.wordings import (
    access,
    approle,
    jwt,
    kubernetes,
    ldap,
    notes,
    oidc,
    operation,
    requests,
)
from tests.conformance.wordings.echoes import ECHOING
from tests.conformance.wordings.wording import Wording

FRAMING = "error-framing"
NO_ECHO = "error-no-echo"
ERROR_WORDING = "error-wording"
WARNING_WORDING = "warning-wording"
COMMIT_DATE = "commit-date"
EVERYWHERE = frozenset({FRAMING, NO_ECHO, ERROR_WORDING, WARNING_WORDING, COMMIT_DATE})
MIN_TELLING_LENGTH = 3  # a shorter value is part of ordinary words

_FRAMED = re.compile(r"1 error occurred:\n\t\* (?P<message>.*)\n\n", re.DOTALL)

ERRORS = [
    *requests.ERRORS,
    *access.ERRORS,
    *operation.ERRORS,
    *approle.ERRORS,
    *jwt.ERRORS,
    *kubernetes.ERRORS,
    *ldap.ERRORS,
    *oidc.ERRORS,
]
WARNINGS = [*notes.WARNINGS, *jwt.WARNINGS]


@dataclass(frozen=True, slots=True)
class Rewordings:
    """Which entries and lines were needed so far, so that one which is not any more is noticed."""

    used: set[str] = field(default_factory=set)
    used_lines: set[Wording] = field(default_factory=set)

    def accept(self, ours: str, theirs: str) -> bool:
        """Whether two different errors differ only as the page says."""
        framed = _FRAMED.fullmatch(theirs)
        message = framed["message"] if framed else theirs
        needed = {FRAMING} if framed else set()
        if ours != message:
            if any(_says_the_same(pattern, ours, message) for pattern in ECHOING):
                needed.add(NO_ECHO)
            elif self._is_worded(ERRORS, ours, message):
                needed.add(ERROR_WORDING)
            else:
                return False
        self.used.update(needed)
        return True

    def accept_warning(self, ours: str, theirs: str) -> bool:
        """Whether two different warnings differ only as the page says."""
        if not self._is_worded(WARNINGS, ours, theirs):
            return False
        self.used.add(WARNING_WORDING)
        return True

    def unused(self) -> list[str]:
        """The entries and lines that nothing needed."""
        entries = EVERYWHERE - self.used
        lines = [line for line in (*ERRORS, *WARNINGS) if line not in self.used_lines]
        return [*sorted(entries), *(f"{line.theirs} -> {line.ours}" for line in lines)]

    def _is_worded(self, table: list[Wording], ours: str, theirs: str) -> bool:
        fitting = [line for line in table if line.fits(ours, theirs)]
        self.used_lines.update(fitting)
        return bool(fitting)


def _says_the_same(pattern: re.Pattern[str], ours: str, theirs: str) -> bool:
    match = pattern.fullmatch(theirs)
    if match is None or not ours:
        return False
    groups = match.groupdict()
    kept, sent = groups.get("kept") or "", groups.get("sent") or ""
    return kept in ours and (len(sent) < MIN_TELLING_LENGTH or sent not in ours)
