"""Policy text to `PolicyRules`: which keys there are, what they take, and what is refused.

The keys and their meanings are those of OpenBao 2.7.2; `docs/policies.md` lists the few
differences. An error names the line, or the rule's path and the key, never a value.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from wardgate.core.policy.capabilities import SHORTHAND, Capability
from wardgate.core.policy.listing import check_list_filter
from wardgate.core.policy.rules import Parameters, PathRule, PolicyRules, merge_parameters
from wardgate.core.policy.templates import check_template
from wardgate.durations import parse_nanoseconds
from wardgate.errors import InvalidRequest
from wardgate.hcl import HclError, Limits, Number, Table, Value, read

LIMITS = Limits(size=256 * 1024, depth=32)
"""Longest policy text, some 2,500 rules, and its deepest nesting; a policy needs five."""

_SECOND = 1_000_000_000
_INT = re.compile(r"[+-]?[0-9]{1,18}")
_PLAIN_KEY = re.compile(r"[a-z_]{1,40}")
_LONGEST_NAMED_PATH = 200


class _Fault(Exception):
    """A key's value is wrong; the message goes on after the key's name."""


def parse_policy(text: str) -> PolicyRules:
    """Read a policy in HCL or JSON; an empty text is a policy that grants nothing.

    Raises InvalidRequest, naming the rule and the key at fault.
    """
    try:
        policy = read(text, LIMITS)
    except HclError as error:
        raise InvalidRequest(f"failed to parse policy: {error}") from None
    rules: list[PathRule] = []
    for item in policy:
        if item.key == "path":
            rules.extend(_rule(path, body) for path, body in _blocks(item.value))
        elif item.key != "name":
            problem = f"{_invalid_key(item.key)}; write path blocks"
            raise InvalidRequest(f"failed to parse policy: {item.place.located(problem)}")
    return PolicyRules(tuple(rules))


def _blocks(value: Value) -> list[tuple[str, Value]]:
    """The paths of one `path` item; JSON may give them as an object or as a list of objects."""
    blocks = value if isinstance(value, tuple) else (value,)
    entries: list[tuple[str, Value]] = []
    for block in blocks:
        if not isinstance(block, Table):
            raise InvalidRequest(
                'failed to parse policy: "path" needs a path and a block, as in '
                'path "secret/*" { capabilities = ["read"] }'
            )
        entries.extend((item.key, item.value) for item in block)
    return entries


def _rule(path: str, body: Value) -> PathRule:
    try:
        _check_path(path)
        if not isinstance(body, Table):
            raise _Fault("needs a block of keys")
        given: dict[str, list[Value]] = {}
        for item in body:
            if item.key not in _KEYS:
                raise _Fault(_invalid_key(item.key))
            given.setdefault(item.key, []).append(item.value)
        return _assemble(path.removeprefix("/"), {key: _read(key, v) for key, v in given.items()})
    except _Fault as fault:
        raise InvalidRequest(f'failed to parse policy: path "{_shown(path)}": {fault}') from None


def _read(key: str, values: list[Value]) -> Any:
    try:
        return _KEYS[key](values)
    except _Fault as fault:
        raise _Fault(f"{key} {fault}") from None


def _assemble(path: str, values: dict[str, Any]) -> PathRule:
    capabilities = values.get("capabilities", frozenset()) | values.get("policy", frozenset())
    shortest, longest = values.get("min_wrapping_ttl", 0), values.get("max_wrapping_ttl", 0)
    if longest and longest < shortest:
        raise _Fault("max_wrapping_ttl cannot be less than min_wrapping_ttl")
    list_filter = values.get("list_scan_response_keys_filter_path", "")
    if list_filter and not capabilities & {Capability.LIST, Capability.SCAN}:
        raise _Fault(
            "list_scan_response_keys_filter_path needs the list or scan capability beside it"
        )
    return PathRule(
        path=path,
        capabilities=capabilities,
        min_wrapping_ttl=shortest,
        max_wrapping_ttl=longest,
        allowed_parameters=values.get("allowed_parameters", {}),
        denied_parameters=values.get("denied_parameters", {}),
        required_parameters=values.get("required_parameters", ()),
        pagination_limit=values.get("pagination_limit", 0),
        list_filter=list_filter,
        expiration=values.get("expiration"),
    )


def _check_path(path: str) -> None:
    if "+*" in path:
        raise _Fault("+* is not allowed; write +/* for everything below any one segment")
    if problem := check_template(path):
        raise _Fault(problem)


def _shown(path: str) -> str:
    return path if len(path) <= _LONGEST_NAMED_PATH else path[:_LONGEST_NAMED_PATH] + "..."


def _invalid_key(key: str) -> str:
    return f'invalid key "{key}"' if _PLAIN_KEY.fullmatch(key) else "invalid key"


def _single(values: list[Value]) -> Value:
    if len(values) > 1:
        raise _Fault("is given twice")
    return values[0]


def _text(values: list[Value]) -> str:
    value = _single(values)
    if not isinstance(value, str):
        raise _Fault("must be text in quotes")
    return value


def _items(values: list[Value]) -> list[Value]:
    """The items of a list that may be given in several parts."""
    items: list[Value] = []
    for value in values:
        if not isinstance(value, tuple):
            raise _Fault("must be a list")
        items.extend(value)
    return items


def _shorthand(values: list[Value]) -> frozenset[Capability]:
    word = _text(values)
    if word not in SHORTHAND:
        raise _Fault("must be one of deny, read, write, sudo")
    return SHORTHAND[word]


def _capabilities(values: list[Value]) -> frozenset[Capability]:
    words = set()
    for item in _items(values):
        try:
            words.add(Capability(item))  # type: ignore[arg-type]
        except ValueError:
            known = ", ".join(Capability)
            raise _Fault(f"holds an invalid capability; known are {known}") from None
    return frozenset(words)


def _nanoseconds(values: list[Value]) -> int:
    value = _single(values)
    try:
        if not isinstance(value, str | Number):
            raise ValueError
        nanoseconds = parse_nanoseconds(value if isinstance(value, str) else value.value)
    except ValueError:
        raise _Fault("must be a duration, such as 90 or 1h30m") from None
    if nanoseconds < 0:
        raise _Fault("must not be negative")
    return nanoseconds


def _shortest_ttl(values: list[Value]) -> int:
    # Rounded up, since rounding 1ms down to 0 would mean no limit.
    return -(-_nanoseconds(values) // _SECOND)


def _longest_ttl(values: list[Value]) -> int:
    nanoseconds = _nanoseconds(values)
    if 0 < nanoseconds < _SECOND:
        raise _Fault("must be at least one second")
    return nanoseconds // _SECOND


def _parameters(values: list[Value]) -> Parameters:
    parameters: Parameters = {}
    for value in values:
        if not isinstance(value, Table):
            raise _Fault("must map parameter names to lists of values")
        for item in value:
            listed = (item.value,) if isinstance(item.value, Table) else item.value
            if not isinstance(listed, tuple):
                raise _Fault("must map each parameter to a list of values")
            merge_parameters(parameters, {item.key.lower(): tuple(map(_plain, listed))})
    return parameters


def _plain(value: Value) -> Any:
    """A parameter's value as the JSON value that it is compared with."""
    match value:
        case Table():
            return {item.key: _plain(item.value) for item in value}
        case tuple():
            return [_plain(item) for item in value]
        case Number():
            return value.value
        case None:
            raise _Fault("holds a null; no parameter has that value")
    return value


def _required(values: list[Value]) -> tuple[str, ...]:
    names = []
    for item in _items(values):
        if not isinstance(item, str | Number):
            raise _Fault("must be a list of parameter names")
        names.append(str(item if isinstance(item, str) else item.value).lower())
    return tuple(dict.fromkeys(names))


def _pagination_limit(values: list[Value]) -> int:
    match _single(values):
        case str(text) if _INT.fullmatch(text):
            return max(int(text), 0)
        case Number(value=int(number)):
            return max(number, 0)
    raise _Fault("must be a whole number")


def _list_filter(values: list[Value]) -> str:
    template = _text(values)
    if template and (problem := check_list_filter(template)):
        raise _Fault(problem)
    return template


def _expiration(values: list[Value]) -> float | None:
    try:
        match _single(values):
            case "":
                return None
            case str(text) if _INT.fullmatch(text):
                return float(text)
            case str(text):
                moment = datetime.fromisoformat(text)
                if moment.tzinfo is not None:
                    return moment.timestamp()
            case Number(value=number):
                return float(number)
    except (ValueError, OverflowError):
        pass
    raise _Fault("must be a time such as 2030-01-31T12:00:00Z, or seconds since 1970")


def _ignored(_: list[Value]) -> None:
    """Any value will do."""


def _unenforced(_: list[Value]) -> None:
    raise _Fault("is not supported, and a rule must not grant without what it asks for")


_Reading = Callable[[list[Value]], Any]

_KEYS: dict[str, _Reading] = {
    "policy": _shorthand,
    "capabilities": _capabilities,
    "min_wrapping_ttl": _shortest_ttl,
    "max_wrapping_ttl": _longest_ttl,
    "allowed_parameters": _parameters,
    "denied_parameters": _parameters,
    "required_parameters": _required,
    "pagination_limit": _pagination_limit,
    "list_scan_response_keys_filter_path": _list_filter,
    "expiration": _expiration,
    "comment": _ignored,
    "control_group": _unenforced,
    "mfa_methods": _unenforced,
}
