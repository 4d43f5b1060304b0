"""Headers that an operator adds to responses, by status."""

import re
from dataclasses import dataclass, field
from typing import TypeAlias

Pair: TypeAlias = tuple[str, str]

STATUS = re.compile("default|[1-5]xx|[1-5][0-9][0-9]")
"""What headers may be given for: every response, a class of statuses, or one status."""
NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
"""A header's name (RFC 9110, section 5.1)."""
VALUE = re.compile(r"[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?")
"""A header's value: no line ends, no space at either end (RFC 9110, section 5.5)."""
FRAMING = frozenset(
    {"connection", "content-length", "date", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers by which HTTP itself works; the HTTP server sets them."""


@dataclass(frozen=True, slots=True)
class ResponseHeaders:
    """`given` leads from ``default``, ``4xx`` or ``404`` to headers; the more special goes first."""

    given: tuple[tuple[str, tuple[Pair, ...]], ...] = ()
    _found: dict[int, tuple[Pair, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __bool__(self) -> bool:
        return bool(self.given)

    def of(self, status: int) -> tuple[Pair, ...]:
        """The headers for a response with this status; names are in lower case."""
        found = self._found.get(status)
        if found is None:
            by_key = dict(self.given)
            merged: dict[str, str] = {}
            for key in ("default", f"{status // 100}xx", str(status)):
                merged |= {name.lower(): value for name, value in by_key.get(key, ())}
            found = self._found[status] = tuple(merged.items())
        return found


NO_HEADERS = ResponseHeaders()
