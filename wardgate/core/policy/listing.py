"""Limits on what a LIST or SCAN shows: `pagination_limit` and the filter on listed keys."""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\{\{\s*\.(path|key)\s*\}\}")


def check_list_filter(template: str) -> str | None:
    """What is wrong with a `list_scan_response_keys_filter_path`, or None."""
    rest = _REFERENCE.sub("", template)
    if "{{" in rest or "}}" in rest:
        return "may only refer to {{ .path }} and {{ .key }}"
    if all(reference[1] != "key" for reference in _REFERENCE.finditer(template)):
        return "must hold {{ .key }}, or all keys would stand and fall together"
    return None


def filtered_path(template: str, path: str, key: str) -> str:
    """The path that decides whether `key`, listed below `path` (ending in /), may be shown."""
    values = {"path": path, "key": key}
    return _REFERENCE.sub(lambda reference: values[reference[1]], template)


def granted_limit(data: Mapping[str, object], limit: int) -> int | None:
    """How many keys a listing may return when a rule allows `limit` of them; None refuses.

    Asking for nothing, for 0 (elsewhere: everything) or for "max" gets the most that is allowed.
    Asking for more, for a negative number or for what is no number is refused, as OpenBao does.
    """
    asked = data.get("limit")
    if isinstance(asked, str) and re.fullmatch("[0-9]{1,18}", asked):
        asked = int(asked)
    if asked is None or asked in ("", "max"):
        return limit
    if isinstance(asked, bool) or not isinstance(asked, int) or not 0 <= asked <= limit:
        return None
    return asked or limit
