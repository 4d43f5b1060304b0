"""How a command is declared: as a function whose signature is its command line.

    def get(session: Session, key: str, *data: str, mount: Mount = "", cas: int | None = None)

A parameter that can be given by its place is a word, one that can only be given by its name is an
option: `mount` is ``-mount=TEXT``. The type decides how the text is read (`_read`), and `Annotated`
adds what the help says. ``**given: Unpack[Settings]`` takes in the options of a `TypedDict`, which
commands can share; those that are not on the command line are not in it.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Union,
    Unpack,
    get_args,
    get_origin,
    get_type_hints,
)

from wardgate.cli.failure import UsageError
from wardgate.cli.keyvalue import parse_texts
from wardgate.durations import parse_duration

if TYPE_CHECKING:
    from wardgate.cli.session import Session

Function = Callable[..., None]


class Duration(str):
    """A duration such as ``90``, ``30s`` or ``1h30m`` as it was typed, for the server to read.

    It is checked here already, so that a typing error never becomes a request.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """What the help says of an option, and its one-letter name if it has one."""

    help: str
    short: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """What the help says of a word: how it is shown in the usage line, and what it means."""

    shown: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Commands under one name, such as those of ``wardgate kv``."""

    summary: str
    commands: "Commands"


@dataclass(frozen=True, slots=True)
class Program:
    """A command that reads its own command line and returns its exit code."""

    summary: str
    run: Callable[[Sequence[str]], int]


Commands = Mapping[str, Function | Group | Program]


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command: it becomes the argument `parameter`, of the type `kind`."""

    parameter: str
    kind: Any
    flag: Flag

    @property
    def name(self) -> str:
        return self.parameter.rstrip("_").replace("_", "-")

    @property
    def is_switch(self) -> bool:
        return self.kind is bool


@dataclass(frozen=True, slots=True)
class Command:
    """A function with what its signature says. `most` is None when any number of words will do."""

    function: Function
    words: tuple[Word, ...]
    least: int
    most: int | None
    options: tuple[Option, ...]

    @staticmethod
    def of(function: Function) -> "Command":
        words: list[Word] = []
        options: list[Option] = []
        least, most = 0, 0
        hints = get_type_hints(function, include_extras=True)
        _, *parameters = inspect.signature(function).parameters.values()
        for parameter in parameters:
            hint = hints[parameter.name]
            match parameter.kind:
                case parameter.KEYWORD_ONLY:
                    options.append(_option(parameter.name, hint))
                case parameter.VAR_KEYWORD:
                    options += _shared_options(hint)
                case _:
                    words.append(_word(parameter, hint))
                    most += 1
                    least += parameter.default is parameter.empty
        if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
            return Command(function, tuple(words), least - 1, None, tuple(options))
        return Command(function, tuple(words), least, most, tuple(options))

    @property
    def description(self) -> str:
        return inspect.getdoc(self.function) or ""

    @property
    def names(self) -> dict[str, Option]:
        """The options by each of their names."""
        short = {option.flag.short: option for option in self.options if option.flag.short}
        return short | {option.name: option for option in self.options}

    def call(
        self, session: "Session", words: Sequence[str], options: Sequence[tuple[str, str | bool]]
    ) -> None:
        """Run the command. Raises `UsageError` when a word or a value is not what it takes."""
        self._check_number(len(words))
        given: dict[str, list[str | bool]] = {}
        names = self.names
        for name, value in options:
            given.setdefault(names[name].parameter, []).append(value)
        arguments = {
            option.parameter: _read(option, given[option.parameter])
            for option in self.options
            if option.parameter in given
        }
        self.function(session, *words, **arguments)

    def _check_number(self, number: int) -> None:
        expected = (
            str(self.least) if self.most in (self.least, None) else f"{self.least}-{self.most}"
        )
        if number < self.least:
            raise UsageError(f"Not enough arguments (expected {expected}, got {number})")
        if self.most is not None and number > self.most:
            raise UsageError(f"Too many arguments (expected {expected}, got {number})")


def _word(parameter: inspect.Parameter, hint: Any) -> Word:
    for note in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
        if isinstance(note, Word):
            return note
    name = parameter.name.rstrip("_").upper()
    return Word(name if parameter.default is parameter.empty else f"[{name}]")


def _shared_options(hint: Any) -> list[Option]:
    assert get_origin(hint) is Unpack
    (shared,) = get_args(hint)
    return [_option(*member) for member in get_type_hints(shared, include_extras=True).items()]


def _option(parameter: str, hint: Any) -> Option:
    flag = Flag("")
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        flag = next((note for note in notes if isinstance(note, Flag)), flag)
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (member for member in get_args(hint) if member is not NoneType)
    return Option(parameter, hint, flag)


def _read(option: Option, given: list[Any]) -> Any:
    """The value of an option; of one that is given again, the last, unless its type holds many."""
    kind, last = option.kind, given[-1]
    if kind == list[str]:
        return given
    if kind == dict[str, str]:
        return parse_texts(given, option.name)
    if kind is int:
        return _checked(last, int, f"option -{option.name} is a whole number")
    if kind is Duration:
        _checked(last, parse_duration, f"option -{option.name} must be a duration such as 1h30m")
    elif issubclass(kind, StrEnum):
        return _checked(last, kind, f"option -{option.name} is {' or '.join(kind)}")
    return last


def _checked(text: str, read: Callable[[str], Any], message: str) -> Any:
    try:
        return read(text)
    except ValueError as error:
        raise UsageError(message) from error
