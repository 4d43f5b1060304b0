"""Names of policies that are made of claims, such as ``project-{{ .project | lowercase }}``.

A part of the language that OpenBao has for them: ``{{ .name }}``, ``{{ .name.of.parts }}`` and
``{{ index . "any name" "part" }}``, each with ``| lowercase`` or ``| uppercase`` behind it. It has no
conditions and no loops, so what a name can cost is its own length.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from wardgate.errors import InvalidRequest

_ACTION = re.compile(r"\{\{-?(?P<action>.*?)-?\}\}", re.DOTALL)
_FIELD = re.compile(r"(?:\.[A-Za-z_]\w*)+", re.ASCII)
_INDEX = re.compile(r'index\s+\.(?P<names>(?:\s+"[^"\\]*")+)')
_NAME = re.compile(r'"([^"]*)"')
_CHANGES = {"lowercase": str.lower, "uppercase": str.upper}
_LONGEST = 512  # characters of a policy's name when it is filled in

Lookup: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""The way to a claim, and the names of what is done with it."""


def checked_template(text: str) -> str:
    """`text` as it is; `InvalidRequest` when it is no template."""
    for match in _ACTION.finditer(text):
        _lookup(match["action"])
    rest = _ACTION.sub("", text)
    if "{{" in rest or "}}" in rest:
        raise _malformed()
    return text


def filled_in(templates: Iterable[str], claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The policies that these templates stand for; those that come out empty are left out.

    Raises `InvalidRequest` when a claim is missing, or is neither a text nor a whole number nor true
    or false.
    """
    found = (_ACTION.sub(lambda match: _value(match["action"], claims), text) for text in templates)
    policies = tuple(name for name in (text.strip() for text in found) if name)
    if any(len(name) > _LONGEST for name in policies):
        raise InvalidRequest("a claim is too long for the name of a policy that is made of it")
    return policies


def _lookup(action: str) -> Lookup:
    source, *changes = (part.strip() for part in action.split("|"))
    if any(change not in _CHANGES for change in changes):
        raise _malformed()
    if _FIELD.fullmatch(source):
        return tuple(source[1:].split(".")), tuple(changes)
    index = _INDEX.fullmatch(source)
    if index is None:
        raise _malformed()
    return tuple(_NAME.findall(index["names"])), tuple(changes)


def _value(action: str, claims: Mapping[str, Any]) -> str:
    path, changes = _lookup(action)
    value: Any = claims
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    match value:
        case bool():
            text = "true" if value else "false"
        case str() | int():
            text = str(value)
        case _:
            raise InvalidRequest(
                "a claim that the role's policies are made of is missing, or is no text"
            )
    for change in changes:
        text = _CHANGES[change](text)
    return text


def _malformed() -> InvalidRequest:
    return InvalidRequest(
        "token_policies: as templates they may have {{ .claim }}, {{ .claim.part }} and"
        ' {{ index . "claim" "part" }}, followed by | lowercase or | uppercase'
    )
