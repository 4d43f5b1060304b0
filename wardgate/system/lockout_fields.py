"""``user_lockout_config``, as mounting and tuning take it and mounts show it."""

from typing import Any

import msgspec

from wardgate.core.lockout_config import LOCKOUT_KINDS, LockoutTuning
from wardgate.core.request import JsonMap
from wardgate.durations import parse_length
from wardgate.errors import InvalidRequest

_MOST_FAILURES = 2**32


def changed_lockout(tuning: LockoutTuning | None, given: JsonMap, kind: str) -> LockoutTuning:
    """`tuning` of a mount of this `kind` with the given fields; `InvalidRequest` names the one that
    cannot be. What has no name here is left out of account, as in Vault."""
    if kind not in LOCKOUT_KINDS:
        raise InvalidRequest(
            f'tuning of user lockout configuration for auth type "{kind}" not allowed'
        )
    changes: dict[str, Any] = {}
    if (value := given.get("lockout_threshold")) is not None:
        changes["threshold"] = _threshold(value)
    if (value := given.get("lockout_duration")) is not None:
        changes["duration"] = _seconds("lockout_duration", value)
    if (value := given.get("lockout_counter_reset_duration")) is not None:
        changes["counter_reset"] = _seconds("lockout_counter_reset_duration", value)
    if (value := given.get("lockout_disable")) is not None:
        if not isinstance(value, bool):
            raise InvalidRequest("user_lockout_config: lockout_disable must be true or false")
        changes["disabled"] = value
    return msgspec.structs.replace(tuning or LockoutTuning(), **changes)


def shown_lockout(tuning: LockoutTuning) -> JsonMap:
    """What mounts show; 0 stands for what holds otherwise."""
    return {
        "user_lockout_counter_reset_duration": tuning.counter_reset,
        "user_lockout_disable": tuning.disabled,
        "user_lockout_duration": tuning.duration,
        "user_lockout_threshold": tuning.threshold,
    }


def _threshold(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST_FAILURES:
        raise InvalidRequest(
            "user_lockout_config: lockout_threshold must be a whole number, not negative"
        )
    return value


def _seconds(name: str, value: Any) -> int:
    try:
        return parse_length(value)
    except ValueError:
        raise InvalidRequest(
            f"user_lockout_config: {name} must be a duration such as '90s' or '15m', not negative"
        ) from None
