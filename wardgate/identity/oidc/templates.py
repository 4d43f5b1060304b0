"""Templates of identity tokens: a JSON object in which directives stand for values.

    {"name": {{identity.entity.name}}, "until": {{time.now.plus.1h}}}

A directive takes the place of a whole value, without quotes. The object is read with marks in the
place of the directives, and the values are put into what was read, never into the text: so there is
no value, whatever quotes and brackets are in it, that could add a claim or change another one.
"""

import base64
import binascii
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from wardgate.core.json import decode
from wardgate.core.policy import TemplateSubject
from wardgate.core.request import JsonMap
from wardgate.durations import parse_duration
from wardgate.errors import InvalidRequest

RESERVED = (
    "iat", "aud", "exp", "iss", "sub", "namespace", "nonce", "auth_time", "at_hash", "c_hash",
)  # fmt: skip
"""Claims that the server alone makes."""

_BRACES = (
    "template: unbalanced templating characters; write {{directive}}, and a space between the braces"
    " that end two objects"
)
_UNKNOWN = (
    "template: no value could be found for one of the template directives; use identity.entity.id,"
    " .name, .metadata, .aliases.ACCESSOR... or .groups.names|ids, or time.now"
)
_NOT_JSON = (
    "template: must be a JSON object, as text or base64; directives stand without quotes where a"
    " value stands"
)
_DEEPEST = 64
_LONGEST = 65_536  # characters: it is read for each token


@dataclass(frozen=True, slots=True)
class Moment:
    """For whom and when a token is made. `time` is seconds since the epoch."""

    subject: TemplateSubject
    time: int


Directive = Callable[[Moment], Any]


class Template:
    """A template that can be filled in. Raises `InvalidRequest` for what is none."""

    def __init__(self, text: str) -> None:
        self._directives: dict[str, Directive] = {}
        self._tree = self._parsed(text) if text else {}
        if isinstance(self._tree, dict):
            taken = [name for name in self._tree if name in RESERVED]
            if taken:
                raise InvalidRequest(
                    f"template: these claims are the server's own: {', '.join(RESERVED)}"
                )

    def fill_in(self, moment: Moment) -> JsonMap:
        """The claims. What a directive finds nothing for is empty; no claim of `RESERVED` is given,
        even where the whole template is somebody's metadata."""
        claims: JsonMap = self._filled(self._tree, moment)
        return {name: value for name, value in claims.items() if name not in RESERVED}

    def _parsed(self, text: str) -> Any:
        if len(text) > _LONGEST:
            raise InvalidRequest(f"template: at most {_LONGEST} characters")
        start, *rest = text.split("{{")
        if "}}" in start:
            raise InvalidRequest(_BRACES)
        nonce = secrets.token_hex(16)
        pieces = [start]
        for number, piece in enumerate(rest):
            inside = piece.split("}}")
            if len(inside) != 2:
                raise InvalidRequest(_BRACES)
            mark = f"{nonce}-{number}"
            self._directives[mark] = _directive(inside[0].strip())
            pieces += [f'"{mark}"', inside[1]]
        try:
            tree = decode("".join(pieces).encode())
        except (ValueError, ArithmeticError, RecursionError):
            raise InvalidRequest(_NOT_JSON) from None
        whole = self._directives.get(tree) if isinstance(tree, str) else None
        if not isinstance(tree, dict) and not (whole and whole(_NOBODY) == {}):
            raise InvalidRequest(_NOT_JSON)
        if not self._sound(tree, _DEEPEST):
            raise InvalidRequest(_NOT_JSON)
        return tree

    def _sound(self, tree: Any, depth: int) -> bool:
        """Whether every directive stands for a value, and none for a name, and it is not too deep."""
        if depth == 0:
            return False
        if isinstance(tree, dict):
            return not any(name in self._directives for name in tree) and all(
                self._sound(value, depth - 1) for value in tree.values()
            )
        return not isinstance(tree, list) or all(self._sound(item, depth - 1) for item in tree)

    def _filled(self, tree: Any, moment: Moment) -> Any:
        if isinstance(tree, dict):
            return {name: self._filled(value, moment) for name, value in tree.items()}
        if isinstance(tree, list):
            return [self._filled(item, moment) for item in tree]
        if isinstance(tree, str) and tree in self._directives:
            return self._directives[tree](moment)
        return tree


def template_text(given: str) -> str:
    """A template as its author wrote it; it may have been sent in base64."""
    if not given.lstrip().startswith("{"):
        try:
            return base64.b64decode(given, validate=True).decode()
        except (binascii.Error, ValueError):
            return given
    return given


_NOBODY = Moment(TemplateSubject(entity_id="", entity_name=""), 0)


def _directive(text: str) -> Directive:
    match text.split(".", 2):
        case ["time", "now", *operation]:
            return _time(operation)
        case ["time", _, *_]:
            raise InvalidRequest("template: the only directives about time begin with time.now")
        case ["identity", "entity", what]:
            return _of_entity(what)
        case ["identity", "groups", *_]:
            raise InvalidRequest(
                "template: directives about one group are for policies; use"
                " identity.entity.groups.names or identity.entity.groups.ids"
            )
    raise InvalidRequest(_UNKNOWN)


def _time(operation: list[str]) -> Directive:
    if not operation:
        return lambda moment: moment.time
    sign, dot, length = operation[0].partition(".")
    if not dot or sign not in ("plus", "minus"):
        raise InvalidRequest("template: missing time operand; write time.now.plus.1h or .minus.1h")
    try:
        seconds = parse_duration(length)
    except ValueError:
        raise InvalidRequest("template: invalid duration; write time.now.plus.1h30m") from None
    shift = seconds if sign == "plus" else -seconds
    return lambda moment: moment.time + shift


def _of_entity(what: str) -> Directive:
    match what.split("."):
        case ["id"]:
            return lambda moment: moment.subject.entity_id
        case ["name"]:
            return lambda moment: moment.subject.entity_name
        case ["metadata"]:
            return lambda moment: dict(moment.subject.entity_metadata)
        case ["metadata", *key]:
            name = ".".join(key)
            return lambda moment: moment.subject.entity_metadata.get(name, "")
        case ["groups", "ids"]:
            return lambda moment: _or_null(group.id for group in moment.subject.groups)
        case ["groups", "names"]:
            return lambda moment: _or_null(group.name for group in moment.subject.groups)
        case ["aliases", accessor, *of_alias] if of_alias:
            return _of_alias(accessor, of_alias)
    raise InvalidRequest(_UNKNOWN)


def _of_alias(accessor: str, what: list[str]) -> Directive:
    field, *key = what
    if field not in ("id", "name", "metadata", "custom_metadata"):
        raise InvalidRequest(_UNKNOWN)
    if key and field in ("id", "name"):
        raise InvalidRequest(_UNKNOWN)
    name = ".".join(key)

    def found(moment: Moment) -> Any:
        alias = moment.subject.aliases.get(accessor)
        if field in ("id", "name"):
            return "" if alias is None else getattr(alias, field)
        metadata = {} if alias is None else getattr(alias, field)
        return metadata.get(name, "") if key else dict(metadata)

    return found


def _or_null(names: Iterable[str]) -> list[str] | None:
    """Names in their order; null for none, as in Vault's tokens."""
    return sorted(names) or None
