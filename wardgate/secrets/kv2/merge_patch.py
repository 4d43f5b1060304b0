"""JSON Merge Patch (RFC 7396)."""

from typing import Any


def merge_patch(target: Any, patch: Any) -> Any:
    """What `patch` makes of `target`, both decoded JSON; neither is changed.

    In an object, null removes a name and any other value is merged into what is there. Anything that
    is not an object, a list too, takes the place of the target as it is.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
