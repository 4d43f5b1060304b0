"""``user_lockout`` blocks: after how many wrong passwords somebody is locked out."""

from wardgate.core.lockout_config import ALL, LOCKOUT_KINDS, LockoutTuning
from wardgate.server.section import Section

_MOST_FAILURES = 2**32


def read_user_lockout(section: Section) -> dict[str, LockoutTuning]:
    """What the blocks say, by kind of auth method. Of several for one kind, the last one counts.
    Raises `ConfigError`."""
    found: dict[str, LockoutTuning] = {}
    for label, block in section.labelled("user_lockout"):
        kind = label.lower()
        if kind not in (ALL, *LOCKOUT_KINDS):
            raise block.refused(f"is not possible; the types are {ALL}, {', '.join(LOCKOUT_KINDS)}")
        found[kind] = LockoutTuning(
            threshold=_threshold(block),
            duration=block.seconds("lockout_duration") or 0,
            counter_reset=block.seconds("lockout_counter_reset_duration") or 0,
            disabled=block.flag("disable_lockout") or False,
        )
        block.finish()
    return found


def _threshold(section: Section) -> int:
    threshold = section.integer("lockout_threshold") or 0
    if not 0 <= threshold < _MOST_FAILURES:
        raise section.error("lockout_threshold", "must be a whole number, not negative")
    return threshold
