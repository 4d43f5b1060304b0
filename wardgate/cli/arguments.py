"""Reads a command line by the rules of the Vault CLI.

Long options have one dash or two (``-field=x``, ``--field x``); a switch takes a value only after
``=`` (``-renewable=false``); ``-`` alone is a word; after ``--`` everything is a word. Options may
stand before, between and after the words of a command. The rules are those of Go's ``flag``
package (https://pkg.go.dev/flag#hdr-Command_line_flag_syntax), except that there the first word
ends the options.
"""

from collections.abc import Iterable, Mapping, Sequence

from wardgate.cli.failure import UsageError

Options = list[tuple[str, str | bool]]
"""Each option as (name without dashes, value); a switch's value is true or false."""

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_HELP = {"h": True, "help": True}


def wants_help(options: Iterable[tuple[str, str | bool]]) -> bool:
    return any(name in _HELP for name, _ in options)


class CommandLine:
    """What stands after the name of the program, taken from left to right.

    `known` leads from the names of the options that are allowed to whether they are switches; -h
    and -help always are. Errors are `UsageError`; they tell where in the line to look, and never
    what stands there.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._next = 0

    def options(self, known: Mapping[str, bool]) -> Options:
        """Take the options that stand before the next word."""
        found: Options = []
        while self._next < len(self._arguments) and _is_option(self._arguments[self._next]):
            found.append(self._option(known))
        return found

    def word(self) -> str | None:
        """Take the next argument as it stands; None at the end."""
        if self._next == len(self._arguments):
            return None
        self._next += 1
        return self._arguments[self._next - 1]

    def rest(self) -> list[str]:
        """Take all that is left as it stands."""
        found = list(self._arguments[self._next :])
        self._next = len(self._arguments)
        return found

    def words_and_options(self, known: Mapping[str, bool]) -> tuple[list[str], Options]:
        """Take all that is left."""
        words: list[str] = []
        options = self.options(known)
        while (word := self.word()) is not None:
            if word == "--":
                return words + self.rest(), options
            words.append(word)
            options += self.options(known)
        return words, options

    def _option(self, known: Mapping[str, bool]) -> tuple[str, str | bool]:
        text = self.word() or ""
        name, equals, value = text.removeprefix("-").removeprefix("-").partition("=")
        if not name or name.startswith("-"):
            raise UsageError(f"argument {self._next} has no name: an option looks like -name=value")
        if name in _HELP or known.get(name):
            return name, _switch(name, value) if equals else True
        if name not in known:
            raise UsageError(f"argument {self._next} is no option here{_nearest(name, known)}")
        if equals:
            return name, value
        following = self.word()
        if following is None:
            raise UsageError(f"option -{name} needs a value")
        return name, following


def _is_option(text: str) -> bool:
    return text.startswith("-") and text not in ("-", "--")


def _switch(name: str, value: str) -> bool:
    if value not in _TRUE | _FALSE:
        raise UsageError(f"option -{name} is true or false")
    return value in _TRUE


def _nearest(name: str, known: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name[:60], known, 1, cutoff=0)
    return f"; the nearest is -{near[0]}" if near else ""
