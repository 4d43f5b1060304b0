"""Typed request bodies, read as leniently as Vault reads them.

A body is a `Body` struct. Each field's type says what may be sent for it:

==================  ============================================================================
`str`               text; a number or boolean becomes text
`int`               a whole number, also as text
`float`             a number, also as text
`bool`              true/false, also as text ("true", "1", "f") or number
`Duration`          seconds (int): 90, "90", "90s", "1h30m", "7d"
`DurationText`      the same, shown as text in the API document
`SignedDuration`    the same, which may be negative: for fields where that has a meaning
`StringList`        a list of texts, or one text with commas
`Strings`           a list of texts, or one text, which is taken as it is
`StringMap`         an object of texts, a list of ``key=value``, or an object as JSON text
`JsonObject`        any object, or an object as JSON text (1 MiB at most)
`JsonObjects`       a list of objects, each also as JSON text, or one of them
`JsonValue`         anything
==================  ============================================================================

``None`` as default means "not given": JSON null counts as not given too. A field that cannot be read
raises `InvalidRequest`, which names the field and what was expected, never the value.
"""

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from wardgate.durations import parse_duration, parse_length
from wardgate.errors import InvalidRequest


class Kind(msgspec.Struct, frozen=True, eq=False):
    """How a field is read (`convert`) and how OpenAPI describes it."""

    name: str
    expected: str
    convert: Callable[[Any], Any]
    openapi: dict[str, Any]


class Doc(msgspec.Struct, frozen=True):
    """What people are told of a field."""

    text: str
    deprecated: bool = False
    default: Any = None
    """The default to show where the real one ("not given") says nothing."""
    query: bool = False
    """Whether a write takes this from its query, too, where the body has no such field."""


class Body(msgspec.Struct, kw_only=True):
    """A request body (or query); fields are read by their types, all are optional."""


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float | Decimal):
        return str(value)
    raise ValueError


_NUMBER = re.compile("[+-]?(?:0|[1-9][0-9]*|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)")
_MOST = 2**63  # whole numbers have 64 bits with a sign, in the storage and in Vault's clients
_LONGEST_NUMBER = 80  # characters: 64 binary digits with prefix, sign and some underscores


def whole_number(value: Any) -> int:
    """How `int` fields are read; `ValueError` for what is no whole number."""
    if isinstance(value, str):
        if len(value) > _LONGEST_NUMBER:
            raise ValueError
        if value and not _NUMBER.fullmatch(value):
            raise ValueError
        value = int(value, 0) if value else 0
    if not isinstance(value, int) or not -_MOST <= value < _MOST:
        raise ValueError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, str) and value.strip() != value:
        raise ValueError
    number = float(value or 0)
    if not math.isfinite(number):
        raise ValueError
    return number


_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False", ""), False),
}


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return value == 1
    if isinstance(value, str) and value in _BOOLEANS:
        return _BOOLEANS[value]
    raise ValueError


def _strings(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
    if isinstance(value, list | tuple):
        return tuple(part for part in (_text(item).strip() for item in value) if part)
    return (_text(value),)


def _uncut_strings(value: Any) -> tuple[str, ...]:
    return tuple(_text(item) for item in (value if isinstance(value, list | tuple) else [value]))


_LONGEST_JSON = 2**20  # characters of JSON in a text, whose values nobody has counted


def _from_text(text: str) -> Any:
    """What a text holds as JSON."""
    if len(text) > _LONGEST_JSON:
        raise ValueError
    return msgspec.json.decode(text)


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = _from_text(value) if value.strip() else {}
    if not isinstance(value, dict):
        raise ValueError
    return value


def _objects(value: Any) -> tuple[dict[str, Any], ...]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _from_text(value)
    return tuple(map(_object, value if isinstance(value, list | tuple) else [value]))


def _string_map(value: Any) -> dict[str, str]:
    if isinstance(value, str) and "=" in value and not value.lstrip().startswith("{"):
        value = [value]
    if isinstance(value, list | tuple):
        pairs = [_text(item).partition("=") for item in value]
        if not all(equals for _, equals, _ in pairs):
            raise ValueError
        return {key: text for key, _, text in pairs}
    return {key: _text(text) for key, text in _object(value).items()}


_TEXT = Kind("string", "text", _text, {"type": "string"})
_INTEGER = Kind("int", "a whole number", whole_number, {"type": "integer"})
_NUMBER_KIND = Kind("float", "a number", _number, {"type": "number", "format": "float"})
_BOOLEAN = Kind("bool", "true or false", _boolean, {"type": "boolean"})
_DURATION = Kind(
    "duration (sec)",
    "a duration such as 90, '90s' or '1h30m', not negative",
    parse_length,  # not what JSON writes as 1.5: a part of it would be lost
    {"type": "integer", "format": "seconds"},
)
_SIGNED_DURATION = msgspec.structs.replace(
    _DURATION, expected="a duration such as 90, '90s', '1h30m' or -1", convert=parse_duration
)
_DURATION_TEXT = msgspec.structs.replace(
    _DURATION, convert=lambda value: parse_length(_text(value)), openapi={"type": "string"}
)
_STRINGS = Kind(
    "list",
    "a list of texts, or one text with commas",
    _strings,
    {"type": "array", "items": {"type": "string"}},
)
_UNCUT = Kind(
    "slice",
    "a list of texts",
    _uncut_strings,
    {"type": "array", "items": {"type": "string"}},
)
_STRING_MAP = Kind(
    "keypair",
    "an object whose values are texts",
    _string_map,
    {"type": "object", "format": "kvpairs"},
)
_OBJECT = Kind("map", "an object", _object, {"type": "object", "format": "map"})
_OBJECTS = Kind(
    "slice",
    "a list of objects",
    _objects,
    {"type": "array", "items": {"type": "object"}},
)
_ANY = Kind("any", "anything", lambda value: value, {})

Duration = Annotated[int, _DURATION]
SignedDuration = Annotated[int, _SIGNED_DURATION]
DurationText = Annotated[int, _DURATION_TEXT]
StringList = Annotated[tuple[str, ...], _STRINGS]
Strings = Annotated[tuple[str, ...], _UNCUT]
StringMap = Annotated[dict[str, str], _STRING_MAP]
JsonObject = Annotated[dict[str, Any], _OBJECT]
JsonObjects = Annotated[tuple[dict[str, Any], ...], _OBJECTS]
JsonValue = Annotated[Any, _ANY]

_PLAIN: dict[Any, Kind] = {
    str: _TEXT,
    int: _INTEGER,
    float: _NUMBER_KIND,
    bool: _BOOLEAN,
}

B = TypeVar("B", bound=Body)


class Field(msgspec.Struct, frozen=True):
    """One field of a body, as found in its type."""

    name: str
    attribute: str
    """Its name in Python, which differs where the wire's name is a keyword."""
    kind: Kind
    doc: Doc


def _find(hint: Any, kind: type[Any]) -> Any:
    """The first annotation of `kind` inside a type hint, or None."""
    if get_origin(hint) is Annotated:
        for extra in hint.__metadata__:
            if isinstance(extra, kind):
                return extra
        return _find(hint.__origin__, kind)
    for part in get_args(hint):
        found = _find(part, kind)
        if found is not None:
            return found
    return None


def _kind(hint: Any) -> Kind:
    found: Kind | None = _find(hint, Kind)
    if found is not None:
        return found
    while get_origin(hint) is Annotated:
        hint = hint.__origin__
    options = [part for part in get_args(hint) or (hint,) if part is not type(None)]
    return _PLAIN[options[0]]


def fields_of(struct: type[Body]) -> tuple[Field, ...]:
    """The fields of a body, in the order in which they are declared."""
    hints = get_type_hints(struct, include_extras=True)
    return tuple(
        Field(
            info.encode_name,
            info.name,
            _kind(hints[info.name]),
            _find(hints[info.name], Doc) or Doc(""),
        )
        for info in msgspec.structs.fields(struct)
    )


class BodyReader(Generic[B]):
    """Reads one kind of body; made once for each endpoint."""

    def __init__(self, struct: type[B]) -> None:
        self.struct = struct
        self.fields = fields_of(struct)
        self._by_name = {field.name: field for field in self.fields}

    def read(self, given: Mapping[str, Any] | None, warnings: list[str]) -> B:
        """The body, with a warning for what it has no field for."""
        if not given:
            return self.struct()
        values: dict[str, Any] = {}
        unknown: list[str] = []
        for name, value in given.items():
            field = self._by_name.get(name)
            if field is None:
                unknown.append(name)
            elif value is not None:
                values[field.attribute] = convert(field, value)
        if unknown:
            warnings.append(
                f"Endpoint ignored these unrecognized parameters: [{' '.join(sorted(unknown))}]"
            )
        return self.struct(**values)


def convert(field: Field, value: Any) -> Any:
    """`value` as the field wants it; `InvalidRequest` when it cannot be read so."""
    try:
        return field.kind.convert(value)
    except (ValueError, TypeError, ArithmeticError, RecursionError, msgspec.DecodeError):
        raise InvalidRequest(
            f'Field validation failed: error converting input for field "{field.name}":'
            f" expected {field.kind.expected}"
        ) from None
