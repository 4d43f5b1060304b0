"""Which parameters a request may, must and must not carry.

A denial compares leniently and a permission strictly, because endpoints read values leniently: a
field that takes a list also takes `"a,b"`, one that takes a number also takes `"1"`. So `denied`
looks at every form in which a value could be meant, and `allowed` at the value as it was sent.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from wardgate.core.policy.rules import Parameters

_TRUE = frozenset({"true", "t", "1"})
_FALSE = frozenset({"false", "f", "0"})


def are_permitted(
    data: Mapping[str, object],
    allowed: Parameters,
    denied: Parameters,
    required: tuple[str, ...],
) -> bool:
    """Whether a request with this data passes the three rules on parameters."""
    if any(name not in data for name in required):
        return False
    if not data:
        return True
    if "*" in denied:
        return False
    for name, value in data.items() if denied else ():
        values = denied.get(name.lower())
        if values is not None and (not values or _is_denied(value, values)):
            return False
    if not allowed:
        return True
    others_allowed = "*" in allowed
    for name, value in data.items():
        values = allowed.get(name.lower())
        if values is None:
            if not others_allowed:
                return False
        elif values and name != "*" and not any(_equals(want, value) for want in values):
            return False
    return True


def _equals(want: Any, value: object) -> bool:
    """Whether the value is the one that the rule names: same type, text with a glob."""
    if isinstance(want, str):
        return isinstance(value, str) and _matches(want, value)
    return _same(want, value)


def _same(want: Any, value: object) -> bool:
    """Equality as JSON has it: 1 is 1.0, but neither is true."""
    if isinstance(want, bool) or isinstance(value, bool):
        return want is value
    if isinstance(want, list):
        return isinstance(value, list) and len(want) == len(value) and all(map(_same, want, value))
    if isinstance(want, dict):
        return (
            isinstance(value, dict)
            and want.keys() == value.keys()
            and all(_same(want[key], value[key]) for key in want)
        )
    return bool(want == value)


def _matches(glob: str, text: str) -> bool:
    """Whether a glob fits: `*` stands for anything at the start or the end, and only there.

    A lone `*` is just that character, as in OpenBao.
    """
    if len(glob) < 2 or "*" not in (glob[0], glob[-1]):
        return glob == text
    if glob[0] != "*":
        return text.startswith(glob[:-1])
    if glob[-1] != "*":
        return text.endswith(glob[1:])
    return glob[1:-1] in text


def _is_denied(value: object, unwanted: tuple[Any, ...]) -> bool:
    forms = list(_forms(value))
    for want in unwanted:
        if isinstance(want, list | dict):
            if _same(want, value):
                return True
        elif isinstance(want, bool):
            words = _TRUE if want else _FALSE
            if any(form.lower() in words for form in forms):
                return True
        else:
            glob = _number_text(want) if isinstance(want, int | float) else want
            if glob == "*" or any(_matches(glob, form) for form in forms):
                return True
    return False


def _forms(value: object) -> Iterator[str]:
    """Every text that an endpoint could take the value for."""
    if isinstance(value, str):
        yield value
        if "," in value:
            yield from (piece.strip() for piece in value.split(","))
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, int | float):
        yield _number_text(value)
    elif isinstance(value, list):
        for item in value:
            yield from _forms(item)


def _number_text(number: int | float) -> str:
    whole = isinstance(number, float) and number.is_integer()
    return str(int(number) if whole else number)
