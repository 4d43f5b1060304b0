"""Kinds of fields that only this engine has, beside those of `wardgate.framework.fields`."""

from collections.abc import Container
from typing import Annotated, Any

from wardgate.durations import parse_duration
from wardgate.errors import InvalidRequest
from wardgate.framework.fields import Body, Doc, Kind

MOST_VERSIONS = 2**32 - 1


def _map(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if value == []:  # how PHP writes an empty map
        return {}
    raise ValueError


def _integer(value: Any) -> int:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return int(value, 0)
    raise ValueError


def _integers(value: Any) -> tuple[int, ...]:
    if isinstance(value, str):
        return tuple(int(part, 0) for part in value.split(",") if part.strip())
    return tuple(_integer(item) for item in (value if isinstance(value, list) else [value]))


Map = Annotated[dict[str, Any], Kind("map", "an object", _map, {"type": "object", "format": "map"})]
"""An object, and nothing that could be read as one: a secret is stored as it is given."""

IntegerList = Annotated[
    tuple[int, ...],
    Kind(
        "list",
        "a list of whole numbers",
        _integers,
        {"type": "array", "items": {"type": "integer"}},
    ),
]

SignedDuration = Annotated[
    int,
    Kind(
        "duration (sec)",
        "a duration such as 90, '90s' or '1h30m'",
        parse_duration,
        {"type": "integer", "format": "seconds"},
    ),
]


class CasBody(Body):
    """The settings that a mount and a secret both have, for check-and-set."""

    cas_required: Annotated[
        bool | None, Doc("Whether each write must say, by 'cas', which version it replaces.")
    ] = None
    metadata_cas_required: Annotated[
        bool | None,
        Doc("Whether each change of metadata must say, by 'metadata_cas', what it replaces."),
    ] = None


_UNSET: dict[str, int | bool] = {
    "max_versions": 0,
    "cas_required": False,
    "metadata_cas_required": False,
    "delete_version_after": 0,
}


def settings_given(given: Container[str], body: CasBody) -> dict[str, Any]:
    """Of the settings that a mount and a secret both have, those that a request gives; null sets
    one back."""
    changes = {
        name: getattr(body, name) or unset for name, unset in _UNSET.items() if name in given
    }
    if not 0 <= changes.get("max_versions", 0) <= MOST_VERSIONS:
        raise InvalidRequest(f"max_versions: must be a number from 0 to {MOST_VERSIONS}")
    return changes
