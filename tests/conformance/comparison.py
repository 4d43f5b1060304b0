"""Compares two answers to the same request, field by field."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.conformance.exchange import Answer, Json
from tests.conformance.opaque import Correspondence
from tests.conformance.pointers import covers, escape
from tests.conformance.rewordings import COMMIT_DATE, Rewordings
from tests.conformance.scenario import Difference, Step

REMAINING_SECONDS_TOLERANCE = 2
CLOCK_SECONDS_TOLERANCE = 3

# Seconds that run down while a scenario runs, and moments in Unix time.
REMAINING_SECONDS = frozenset({"ttl", "lease_duration"})
CLOCK_SECONDS = frozenset({"creation_time", "last_renewal_time", "server_time_utc"})

# What a product says of itself, and the form in which it says it.
OF_THE_PRODUCT = {
    "version": re.compile(r"\d+\.\d+\.\d+\S*"),
    "commit_date": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
}

ERRORS, WARNINGS = "/body/errors", "/body/warnings"
ABSENT: Final = "(absent)"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One part of an answer that is not as it should be; `ours` and `theirs` are for reading."""

    pointer: str
    ours: str
    theirs: str


def compare(
    step: Step, ours: Answer, theirs: Answer, ids: Correspondence, rewordings: Rewordings | None
) -> list[Mismatch]:
    """What differs between the answers, less what the step ignores or knows to differ.

    A known difference that does not show is reported as well. Without `rewordings` both servers
    are the same product, between which there are no known differences.
    """
    found = [
        mismatch
        for mismatch in _Walk(step, ids, rewordings).compare("", ours.as_json(), theirs.as_json())
        if _is_compared(step, mismatch.pointer)
    ]
    if rewordings is None:
        return found
    unexpected = [
        mismatch
        for mismatch in found
        if not any(_explains(difference, mismatch) for difference in step.differences)
    ]
    return [*unexpected, *_stale(step.differences, found)]


def _is_compared(step: Step, pointer: str) -> bool:
    if any(covers(pattern, pointer) for pattern in step.ignore):
        return False
    if not step.only or pointer == "/status":
        return True
    # The second half keeps a mismatch above the wanted part, such as a body that is no object.
    return any(covers(wanted, pointer) or wanted.startswith(f"{pointer}/") for wanted in step.only)


def _explains(difference: Difference, mismatch: Mismatch) -> bool:
    return any(covers(pattern, mismatch.pointer) for pattern in difference.pointers)


def _stale(differences: list[Difference], found: list[Mismatch]) -> Iterator[Mismatch]:
    for difference in differences:
        for pattern in difference.pointers:
            if not any(covers(pattern, mismatch.pointer) for mismatch in found):
                said = f"(no difference, though `{difference.entry}` says so)"
                yield Mismatch(pattern, said, said)


@dataclass(frozen=True, slots=True)
class _Walk:
    step: Step
    ids: Correspondence
    rewordings: Rewordings | None

    def compare(self, pointer: str, ours: Json, theirs: Json) -> Iterator[Mismatch]:
        if isinstance(ours, dict) and isinstance(theirs, dict):
            yield from self._compare_objects(pointer, ours, theirs)
        elif isinstance(ours, list) and isinstance(theirs, list):
            yield from self._compare_lists(pointer, ours, theirs)
        elif not self._agree(pointer, ours, theirs):
            yield Mismatch(pointer, _show(ours), _show(theirs))

    def _compare_objects(
        self, pointer: str, ours: dict[str, Json], theirs: dict[str, Json]
    ) -> Iterator[Mismatch]:
        for key in dict.fromkeys([*theirs, *ours]):
            below = f"{pointer}/{escape(key)}"
            if key not in ours:
                yield Mismatch(below, ABSENT, _show(theirs[key]))
            elif key not in theirs:
                yield Mismatch(below, _show(ours[key]), ABSENT)
            else:
                yield from self.compare(below, ours[key], theirs[key])

    def _compare_lists(
        self, pointer: str, ours: list[Json], theirs: list[Json]
    ) -> Iterator[Mismatch]:
        if any(covers(pattern, pointer) for pattern in self.step.unordered):
            ours = sorted(ours, key=lambda value: self.ids.our_order(_sortable(value)))
            theirs = sorted(theirs, key=lambda value: self.ids.their_order(_sortable(value)))
        if pointer == ERRORS and not theirs and len(ours) == 1:
            theirs = [""]  # where OpenBao says nothing, ours may be a message that is known
        for index in range(max(len(ours), len(theirs))):
            below = f"{pointer}/{index}"
            if index >= len(ours):
                yield Mismatch(below, ABSENT, _show(theirs[index]))
            elif index >= len(theirs):
                yield Mismatch(below, _show(ours[index]), ABSENT)
            else:
                yield from self.compare(below, ours[index], theirs[index])

    def _agree(self, pointer: str, ours: Json, theirs: Json) -> bool:
        if type(ours) is not type(theirs):
            return False
        key = pointer.rpartition("/")[2]
        if isinstance(ours, str) and isinstance(theirs, str):
            form = OF_THE_PRODUCT.get(key)
            if form and form.fullmatch(ours) and form.fullmatch(theirs):
                return True
            if self.rewordings is not None and key == "commit_date" and not ours:
                self.rewordings.used.add(COMMIT_DATE)
                return True
            return self.ids.holds(ours, theirs) or self._is_reworded(pointer, ours, theirs)
        if isinstance(ours, int) and isinstance(theirs, int) and min(ours, theirs) > 0:
            if key in REMAINING_SECONDS:
                return abs(ours - theirs) <= REMAINING_SECONDS_TOLERANCE + self.ids.passed
            if key in CLOCK_SECONDS:
                return abs(ours - theirs) <= CLOCK_SECONDS_TOLERANCE + self.ids.passed
        return ours == theirs

    def _is_reworded(self, pointer: str, ours: str, theirs: str) -> bool:
        if self.rewordings is None:
            return False
        if covers(ERRORS, pointer):
            return self.rewordings.accept(ours, theirs)
        return covers(WARNINGS, pointer) and self.rewordings.accept_warning(ours, theirs)


def _sortable(value: Json) -> str:
    return json.dumps(value, sort_keys=True)


def _show(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
