"""Values as one line of text, the way the Vault CLI writes them.

Scripts cut such lines apart, so lists are ``[a b]``, objects ``map[key:value]`` and null ``<nil>``.
"""

from collections.abc import Sequence
from typing import Any

from wardgate.durations import brief_duration

_CONTROLS = [code for code in (*range(32), *range(127, 160)) if code not in (9, 10)]
_VISIBLE = {code: f"\\x{code:02x}" for code in _CONTROLS}
_VISIBLE_IN_JSON = {code: f"\\u{code:04x}" for code in _CONTROLS}
_DURATIONS = ("ttl", "period", "duration")


def visible(text: str, *, json: bool = False) -> str:
    """`text` for a terminal, which does what control characters in it say: they are written out, in
    `json` so that it stays the same JSON. Ends of lines and tabs stay."""
    return text.translate(_VISIBLE_IN_JSON if json else _VISIBLE)


def plain(value: Any) -> str:
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{plain(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(plain(item) for item in value) + "]"
    return str(value)


def cell(key: str, value: Any) -> str:
    """`value` as a table shows it under `key`: seconds as a duration, ``n/a`` for nothing."""
    if isinstance(value, int) and not isinstance(value, bool) and _is_duration(key):
        return brief_duration(value)
    return plain(value) or "n/a"


def quoted(texts: Sequence[Any] | None) -> str:
    """A list of names, each in quotes: ``["default" "app"]``."""
    return "[" + " ".join(f'"{text}"' for text in texts or ()) + "]"


def _is_duration(key: str) -> bool:
    return key in _DURATIONS or key.endswith(tuple(f"_{name}" for name in _DURATIONS))
