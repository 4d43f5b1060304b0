"""Shows the mismatches of a scenario as a table."""

from collections.abc import Sequence

from tests.conformance.comparison import Mismatch
from tests.conformance.scenario import Scenario, Step

MAX_VALUE = 300
MAX_ROWS = 60


def table(scenario: Scenario, found: Sequence[tuple[Step, Sequence[Mismatch]]]) -> str:
    """One block a step that has mismatches: the request, then pointer, our value and theirs."""
    lines = [str(scenario)]
    rows = 0
    for step, mismatches in found:
        if not mismatches:
            continue
        lines += ["", f"{scenario.topic}.txt:{step.line}  {step}  {_cut(step.body or '')}".rstrip()]
        width = max(len(mismatch.pointer) for mismatch in mismatches)
        for mismatch in mismatches[: max(0, MAX_ROWS - rows)]:
            lines.append(f"  {mismatch.pointer:{width}}  ours   {_cut(mismatch.ours)}")
            lines.append(f"  {'':{width}}  theirs {_cut(mismatch.theirs)}")
        rows += len(mismatches)
    if rows > MAX_ROWS:
        lines.append(f"... and more: {rows} mismatches in all")
    return "\n".join(lines)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}... ({len(text)} characters)"
