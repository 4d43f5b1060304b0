"""Turns the templates of ``initialize`` blocks into values."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from wardgate.errors import WardgateError
from wardgate.server.self_init.blocks import Environment, File, Reference, Source, Template

MAX_FILE_BYTES = 1024 * 1024

_TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))
_FALSE = frozenset(("0", "f", "F", "false", "FALSE", "False", ""))


class NoValue(WardgateError):
    """A source gives nothing that can be used. The message names where it stands, no value."""


class Values:
    """What sources can draw on: the environment, files, and the requests made so far."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._requests: dict[tuple[str, str], Any] = {}
        self._responses: dict[tuple[str, str], Any] = {}

    def remember(self, block: str, name: str, request: Any, response: Any) -> None:
        """Let later sources refer to a request and the response to it, both as JSON has them."""
        self._requests[block, name] = request
        self._responses[block, name] = response

    def of(self, template: Template) -> Any:
        """`template` with a value in the place of each source. Raises `NoValue`."""
        match template:
            case Source():
                return _converted(self._drawn(template), template)
            case dict():
                return {key: self.of(each) for key, each in template.items()}
            case list():
                return [self.of(each) for each in template]
        return template

    def _drawn(self, source: Source) -> Any:
        match source:
            case Environment():
                value = self._environ.get(source.variable)
                if value is None and source.required:
                    raise _none(source, f"the variable {source.variable} is not set")
                return value or ""
            case File():
                return _content(source)
            case Reference():
                return self._selected(source)
        raise AssertionError(source)

    def _selected(self, source: Reference) -> Any:
        history = self._responses if source.of_response else self._requests
        value = history[source.block, source.request]
        for field in source.fields:
            if not isinstance(value, dict) or field not in value:
                raise _none(source, f"what it refers to has no field {field}")
            value = value[field]
        return value


def _content(source: File) -> str:
    try:
        with open(source.path, "rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no valid path"
        raise _none(source, f"the file cannot be read: {reason}") from None
    if len(content) > MAX_FILE_BYTES:
        raise _none(source, f"the file is larger than {MAX_FILE_BYTES} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _none(source, "the file is not UTF-8 text") from None


def _converted(value: Any, source: Source) -> Any:
    try:
        return _as_type(value, source.type)
    except ValueError:
        raise _none(source, f"the value is no {source.type}") from None


def _as_type(value: Any, kind: str) -> Any:
    """`value` as `kind`, as leniently as OpenBao. Raises `ValueError`."""
    match kind:
        case "string":
            return _text(value)
        case "bool":
            return boolean(value)
        case "int":
            return _integer(value)
        case "float64" if isinstance(value, bool | int | float | Decimal | str):
            return _finite(float(value or 0))
        case "[]string" if isinstance(value, list | tuple):
            return [_text(each) for each in value]
        case "[]string" if isinstance(value, str):
            return [value]
        case "map" if isinstance(value, dict):
            return value
        case "any":
            return value
    raise ValueError


def _integer(value: Any) -> int:
    if isinstance(value, str):
        return int(value, 0) if value else 0
    if isinstance(value, bool | int | float | Decimal):
        return int(_finite(float(value)))
    raise ValueError


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str | int | float | Decimal):
        return str(value)
    raise ValueError


def boolean(value: Any) -> bool:
    """A truth value, also as number or text. Raises `ValueError`."""
    if isinstance(value, bool | int | float | Decimal):
        return bool(value)
    if isinstance(value, str) and value in _TRUE | _FALSE:
        return value in _TRUE
    raise ValueError


def _none(source: Source, problem: str) -> NoValue:
    return NoValue(f"{source.place}: {problem}")
