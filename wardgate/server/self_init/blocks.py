"""Reads ``initialize "NAME" { request "NAME" { … } }`` blocks. Nothing is evaluated here.

Wherever a value may stand, a source may stand instead: a map with ``eval_source``, ``eval_type``
and the source's own keys. What can be known to be wrong without running anything is refused here:
sources, types and operations that do not exist, and references to requests that do not come before.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from wardgate.core.operation import Operation
from wardgate.hcl import Item, Number, Place, Table, Value
from wardgate.server.document import ConfigError, shown
from wardgate.server.section import Section

_NAME = re.compile("[A-Za-z_][A-Za-z0-9_-]*")
_NAME_RULE = "is no name; begin with a letter or '_' and go on with letters, digits, '_' and '-'"
OPERATIONS = ", ".join(Operation)
TYPES = ("string", "int", "float64", "bool", "[]string", "map", "any")

Template: TypeAlias = (
    "str | int | float | bool | list[Template] | dict[str, Template] | Source | None"
)
"""A value as JSON has it, with sources in it."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from. `type` is one of `TYPES`."""

    type: str
    place: Place


@dataclass(frozen=True, slots=True)
class Environment(Source):
    """A variable; without one an empty text, or an error if it is `required`."""

    variable: str
    required: bool


@dataclass(frozen=True, slots=True)
class File(Source):
    """What a file holds, as it is."""

    path: str


@dataclass(frozen=True, slots=True)
class Reference(Source):
    """A part of an earlier request, or of the response to it; `fields` lead to it."""

    of_response: bool
    block: str
    request: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class InitRequest:
    """One request to make. `token` is None for the root token."""

    block: str
    name: str
    operation: Template
    path: Template
    token: Template
    data: Template
    allow_failure: Template
    place: Place

    def __str__(self) -> str:
        return f'{self.place}: initialize "{self.block}": request "{self.name}"'


def read_initialize(section: Section, warnings: list[str]) -> tuple[InitRequest, ...]:
    """The requests of all blocks in their order. Raises `ConfigError`."""
    found: dict[tuple[str, str], InitRequest] = {}
    blocks: set[str] = set()
    for name, block in section.labelled("initialize"):
        _check_name(name, block)
        if name in blocks:
            raise block.refused("is there already; give each block a name of its own")
        blocks.add(name)
        requests = list(block.labelled("request"))
        if not requests:
            raise block.refused('has no request; write request "NAME" { } blocks into it')
        for request_name, request in requests:
            _check_name(request_name, request)
            if (name, request_name) in found:
                raise request.refused("is there already; give each request a name of its own")
            reader = _Reader(request, warnings, found)
            found[name, request_name] = reader.request(name, request_name)
            request.finish()
        block.finish()
    return tuple(found.values())


def _check_name(name: str, section: Section) -> None:
    if not _NAME.fullmatch(name):
        raise section.refused(_NAME_RULE)


class _Reader:
    """Reads one request block."""

    def __init__(
        self,
        section: Section,
        warnings: list[str],
        earlier: Mapping[tuple[str, str], InitRequest],
    ) -> None:
        self._section = section
        self._warnings = warnings
        self._earlier = earlier

    def request(self, block: str, name: str) -> InitRequest:
        for key in ("operation", "path"):
            if self._section.value(key) is None:
                raise self._section.missing(key, "say what to do, and where")
        operation = self._template("operation")
        if isinstance(operation, str) and operation not in tuple(Operation):
            raise self._section.error("operation", f"must be one of {OPERATIONS}")
        data = self._template("data")
        if data is not None and not isinstance(data, dict | Source):
            raise self._section.error("data", "must be a map, or one source for all of it")
        return InitRequest(
            block=block,
            name=name,
            operation=operation,
            path=self._template("path"),
            token=self._template("token"),
            data=data,
            allow_failure=self._template("allow_failure"),
            place=self._section.place,
        )

    def _template(self, key: str) -> Template:
        return self._read(self._section.value(key), key)

    def _read(self, value: Value, key: str) -> Template:
        match value:
            case Table():
                items = self._items(value, key)
                if "eval_source" in items or "eval_type" in items:
                    return self._source(value, key)
                return {name: self._read(item.value, key) for name, item in items.items()}
            case tuple():
                return [self._read(each, key) for each in value]
            case Number(value=number):
                return number
        return value

    def _items(self, table: Table, key: str) -> dict[str, Item]:
        items: dict[str, Item] = {}
        for item in table:
            if item.key in items:
                raise ConfigError("is given twice", item.place, f"{key}: {shown(item.key)}")
            items[item.key] = item
        return items

    def _source(self, table: Table, key: str) -> Source:
        section = Section(table, self._warnings, key)
        kind = section.text("eval_source")
        if kind is None:
            raise section.missing("eval_source", "say where the value comes from")
        produces = section.text("eval_type")
        if produces is None:
            raise section.missing("eval_type", "say of which type the value is")
        if produces not in TYPES:
            raise section.error("eval_type", "must be one of " + ", ".join(TYPES))
        source = self._of_kind(kind, produces, section)
        section.finish()
        return source

    def _of_kind(self, kind: str, produces: str, section: Section) -> Source:
        place = section.place
        match kind:
            case "env":
                required = section.flag("require_present") or False
                return Environment(produces, place, _text(section, "env_var"), required)
            case "file":
                return File(produces, place, _text(section, "path"))
            case "request" | "response":
                return self._reference(kind, produces, section)
            case "cel" | "template":
                raise section.error(
                    "eval_source", "expressions and templates are not supported yet"
                )
        raise section.error("eval_source", "must be one of env, file, request, response")

    def _reference(self, kind: str, produces: str, section: Section) -> Reference:
        block = _text(section, "initialize_name")
        request = _text(section, f"{kind}_name")
        if (block, request) not in self._earlier:
            raise section.error(f"{kind}_name", "names no request that is made before this one")
        return Reference(
            produces, section.place, kind == "response", block, request, _fields(section)
        )


def _text(section: Section, key: str) -> str:
    text = section.text(key)
    if text is None:
        raise section.missing(key, "this source needs it")
    return text


def _fields(section: Section) -> tuple[str, ...]:
    match section.value("field_selector"):
        case str(text):
            return (text,)
        case tuple(parts) if parts and all(isinstance(part, str) for part in parts):
            return tuple(str(part) for part in parts)
    raise section.error("field_selector", "must be the name of a field, or a list of names")
