"""Takes typed values out of a `Table`, in Vault's lenient forms, and notes what nobody asked for.

Vault lets a number or a truth value be written as text ("true", "1"), and a list as text with
commas; so does this. A key that is given twice counts as given the last time, which also lets a
later file override an earlier one. An empty text, and JSON's null, mean the same as no key.
"""

import contextlib
import difflib
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TypeVar

from wardgate.durations import parse_length
from wardgate.hcl import Item, Number, Place, Table, Value
from wardgate.server.document import ConfigError, shown

_TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))
_FALSE = frozenset(("0", "f", "F", "false", "FALSE", "False"))
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")
_NO_LABEL = 'must be a block with its type before the brace, such as "tcp" in listener "tcp" { }'
_NO_BLOCK = "must be a block in braces"
_MAX_UNKNOWN = 50
_E = TypeVar("_E", bound=StrEnum)


class Section:
    """A table that is being understood.

    Each getter takes one key and returns its value, or None when the file does not give it; a
    value of the wrong type is a `ConfigError` that names file, line and key. `finish` turns the
    keys that no getter took into warnings.
    """

    def __init__(self, table: Table, warnings: list[str], name: str = "") -> None:
        self.place = table.place
        self._name = name
        self._table = table
        self._warnings = warnings
        self._known: set[str] = set()

    def text(self, key: str) -> str | None:
        match self._value(key):
            case None:
                return None
            case str(text) | Number(text=text) if "\0" not in text:
                return text
        raise self.error(key, "must be a text in quotation marks")

    def value(self, key: str) -> Value:
        """What is written there, of whatever type; None when nothing is."""
        return self._value(key)

    def flag(self, key: str) -> bool | None:
        match self._value(key):
            case None | bool() as value:
                return value
            case str(text) if text in _TRUE | _FALSE:
                return text in _TRUE
            case Number(value=int(number)):
                return number != 0
        raise self.error(key, "must be true or false")

    def integer(self, key: str) -> int | None:
        match self._value(key):
            case None:
                return None
            case str(text) if _INTEGER.fullmatch(text):
                return int(text)
            case Number(value=int(number)):
                return number
        raise self.error(key, "must be a whole number")

    def seconds(self, key: str) -> int | None:
        """A duration: "30s", "768h", or a number of seconds. Never negative."""
        match self._value(key):
            case None:
                return None
            case str(written) | Number(value=written):
                with contextlib.suppress(ValueError):
                    return parse_length(written)
        raise self.error(key, 'must be a duration such as "30s", "15m" or "768h"')

    def choice(self, key: str, choices: type[_E]) -> _E | None:
        text = self.text(key)
        if text is None:
            return None
        for choice in choices:
            if choice == text.strip().lower():
                return choice
        raise self.error(key, "must be one of " + ", ".join(choices))

    def texts(self, key: str, *, split: bool = True) -> tuple[str, ...] | None:
        """A list of texts. One text alone is a list with commas, or, unless it is to be `split`, the
        only one."""
        value = self._value(key)
        if value is None:
            return None
        if isinstance(value, tuple):
            found = [each.text if isinstance(each, Number) else each for each in value]
        else:
            text = self.text(key) or ""
            found = [part.strip() for part in text.split(",")] if split else [text]
        texts = tuple(each for each in found if isinstance(each, str) and "\0" not in each)
        if len(texts) != len(found):
            raise self.error(key, "must be a list of texts in quotation marks")
        return tuple(text for text in texts if text)

    def block(self, key: str) -> "Section | None":
        """The block ``key { ... }`` without a label. Several of them add up."""
        items = self._all(key)
        if not items:
            return None
        tables = [table for item in items for table in _tables(item, key, _NO_BLOCK)]
        merged = Table(tuple(item for table in tables for item in table), items[-1].place)
        return Section(merged, self._warnings, self._named(key))

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys, each once, in the order of the file."""
        return tuple(dict.fromkeys(item.key for item in self._table))

    def labelled(self, *keys: str) -> Iterator[tuple[str, "Section"]]:
        """The blocks ``key "label" { ... }`` as label and section, in the order of the file.

        JSON writes them as {"key": {"label": {...}}}, or with lists in either place; both also
        know {"key": {"type": "label", ...}}.
        """
        for item in self._all(*keys):
            for table in _tables(item, item.key):
                kind = next((each for each in table if each.key == "type"), None)
                if kind and isinstance(kind.value, str):
                    rest = tuple(each for each in table if each is not kind)
                    yield kind.value, Section(Table(rest, item.place), self._warnings, item.key)
                    continue
                if not table.items:
                    raise ConfigError(_NO_LABEL, item.place, item.key)
                for labelled in table:
                    name = f'{item.key} "{shown(labelled.key)}"'
                    for block in _tables(labelled, item.key):
                        inner = Table(block.items, labelled.place)
                        yield labelled.key, Section(inner, self._warnings, name)

    def named(self, key: str) -> Iterator[tuple[str, "Section"]]:
        """The blocks of a second label, as name and section; or this one, if `key` is its name."""
        if any(item.key == key and isinstance(item.value, str) for item in self._table):
            yield self.text(key) or "", self
            return
        for item in self._table:
            for table in _tables(item, self._name):
                name = f'{self._name} "{shown(item.key)}"'
                yield item.key, Section(Table(table.items, item.place), self._warnings, name)

    def text_map(self, key: str) -> dict[str, str]:
        """A map of texts; numbers and truth values count as they are written."""
        found: dict[str, str] = {}
        for item in self._all(key):
            if not isinstance(item.value, Table):
                raise self.error(key, "must be a block of names and texts")
            for inner in item.value:
                match inner.value:
                    case bool(flag):
                        found[inner.key] = "true" if flag else "false"
                    case str(text) | Number(text=text):
                        found[inner.key] = text
                    case _:
                        raise self.error(key, f"{shown(inner.key)} must be a text")
        return found

    def without_effect(self, keys: Iterable[str], reason: str) -> None:
        """Accept `keys` whatever they hold, with a warning that gives the reason."""
        for key in keys:
            if items := self._all(key):
                self._note(items[-1].place, key, f"has no effect: {reason}")

    def harmless(self, *keys: str) -> None:
        """Accept `keys` in silence: Wardgate does anyway what they ask for."""
        self._known.update(keys)

    def finish(self) -> None:
        """Warn about every key that nobody took; beyond `_MAX_UNKNOWN`, only about their number."""
        unknown = [item for item in self._table if item.key not in self._known]
        for item in unknown[:_MAX_UNKNOWN]:
            near = difflib.get_close_matches(item.key[:60], self._known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            self._note(item.place, shown(item.key), f"is not known and has no effect{hint}")
        if (more := len(unknown) - _MAX_UNKNOWN) > 0:
            place = unknown[_MAX_UNKNOWN].place
            self._note(place, "from here on", f"{more} more keys are not known and have no effect")

    def warn(self, key: str, problem: str) -> None:
        """Note something about `key`, which the file gives."""
        item = self._last(key)
        self._note(item.place if item else self.place, key, problem)

    def error(self, key: str, problem: str) -> ConfigError:
        """The error about the value of `key`, to be raised by the caller."""
        item = self._last(key)
        place = item.place if item else self.place
        return ConfigError(problem, place, self._named(key))

    def missing(self, key: str, fix: str) -> ConfigError:
        """The error about a key that has to be there, to be raised by the caller."""
        return ConfigError(f"is missing; {fix}", self.place, self._named(key))

    def refused(self, problem: str) -> ConfigError:
        """The error about the section as a whole, to be raised by the caller."""
        return ConfigError(problem, self.place, self._name)

    def _named(self, key: str) -> str:
        return f"{self._name}: {key}" if self._name else key

    def _all(self, *keys: str) -> list[Item]:
        self._known.update(keys)
        return [item for item in self._table if item.key in keys]

    def _last(self, key: str) -> Item | None:
        first_time = key not in self._known
        items = self._all(key)
        if not items:
            return None
        files = [item.place.file for item in items]
        if first_time and files.count(files[-1]) > 1:
            self._note(items[-1].place, key, "is given more than once; the last one counts")
        return items[-1]

    def _value(self, key: str) -> Value:
        item = self._last(key)
        return None if item is None or item.value == "" else item.value

    def _note(self, place: Place, key: str, problem: str) -> None:
        self._warnings.append(f"{place}: {self._named(key)} {problem}")


def _tables(item: Item, key: str, problem: str = _NO_LABEL) -> Iterator[Table]:
    """The tables that an item holds: one, or a list of them."""
    values: tuple[Value, ...] = item.value if isinstance(item.value, tuple) else (item.value,)
    for value in values:
        if not isinstance(value, Table):
            raise ConfigError(problem, item.place, key)
        yield value
