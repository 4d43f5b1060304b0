"""A line of the tables of messages that are worded differently."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """A line of a table: OpenBao's message, and ours for the same."""

    theirs: str
    ours: str

    def fits(self, ours: str, theirs: str) -> bool:
        """Whether these two messages are those of this line."""
        match = re.fullmatch(self.theirs, theirs, re.DOTALL)
        return match is not None and self.ours.format(**match.groupdict()) == ours
