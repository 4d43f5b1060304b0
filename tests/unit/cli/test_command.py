"""How a function's signature is its command line."""

from enum import StrEnum
from typing import Annotated, Any, TypedDict, Unpack

import pytest

from wardgate.cli.arguments import CommandLine
from wardgate.cli.command import Command, Duration, Flag, Function, Group, Word
from wardgate.cli.failure import UsageError
from wardgate.cli.help import command_help, group_help
from wardgate.cli.options import GlobalOptions
from wardgate.cli.session import Session


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Shared(TypedDict, total=False):
    period: Annotated[Duration, Flag("How often.")]
    tags: dict[str, str]


def paint(
    session: Session,
    wall: str,
    *words: Annotated[str, Word("[KEY=VALUE]...", "What else.")],
    coats: Annotated[int, Flag("How many.", "n")] = 1,
    colour: Colour | None = None,
    names: list[str] | None = None,
    dry_run: bool = False,
    **given: Unpack[Shared],
) -> None:
    """Paint a wall. It takes a day."""
    called.append((wall, words, coats, colour, names, dry_run, given))


def look(session: Session, at: str, from_: str | None = None) -> None:
    """Look at something."""
    called.append((at, from_))


called: list[Any] = []


def call(function: Function, *line: str) -> Any:
    command = Command.of(function)
    switches = {name: option.is_switch for name, option in command.names.items()}
    words, options = CommandLine(line).words_and_options(switches)
    command.call(Session(GlobalOptions()), words, options)
    return called.pop()


def test_what_is_left_out_has_the_default_of_the_function() -> None:
    assert call(paint, "north") == ("north", (), 1, None, None, False, {})
    assert call(look, "north") == ("north", None)


def test_options_are_read_by_their_types() -> None:
    line = ["-n=2", "-colour=red", "-names=a", "-names=b", "-dry-run", "-period=1h", "-tags=a=b"]
    given = {"period": "1h", "tags": {"a": "b"}}
    assert call(paint, "north", "a=1", *line) == (
        *("north", ("a=1",), 2, Colour.RED, ["a", "b"], True),
        given,
    )


def test_of_an_option_that_is_given_again_the_last_counts() -> None:
    assert call(paint, "north", "-coats=2", "-n=3", "-dry-run", "-dry-run=false")[2:6] == (
        *(3, None, None),
        False,
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("-coats=s.secret", "option -coats is a whole number"),
        ("-colour=s.secret", "option -colour is red or blue"),
        ("-period=s.secret", "option -period must be a duration"),
        ("-tags=s.secret", "option -tags looks like -tags=KEY=VALUE"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_and_not_repeated(option: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        call(paint, "north", option)
    assert "s.secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("function", "words", "message"),
    [
        (paint, [], r"Not enough arguments \(expected 1, got 0\)"),
        (look, [], r"Not enough arguments \(expected 1-2, got 0\)"),
        (look, ["a", "b", "c"], r"Too many arguments \(expected 1-2, got 3\)"),
    ],
)
def test_the_number_of_words_is_checked(function: Function, words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call(function, *words)


def test_the_help_of_a_command_shows_its_words_and_options() -> None:
    shown = command_help(["paint"], Command.of(paint)).splitlines()
    assert shown[0] == "Usage: wardgate paint [options] WALL [KEY=VALUE]..."
    assert shown[2] == "Paint a wall. It takes a day."
    for line in (
        "  [KEY=VALUE]...   What else.",
        "  -coats, -n=NUMBER   How many.",
        "  -colour=red|blue",
        "  -dry-run",
        "  -names=TEXT         May be repeated.",
        "  -period=DURATION    How often.",
        "  -tags=KEY=VALUE     May be repeated.",
    ):
        assert line in shown
    assert command_help(["look"], Command.of(look)).startswith("Usage: wardgate look AT [FROM]\n")


def test_the_help_of_a_group_shows_the_first_sentence_of_each_command() -> None:
    group = Group("Work on walls.", {"paint": paint, "see": Group("Look around.", {"at": look})})
    shown = group_help(["wall"], group).splitlines()
    assert shown[:3] == ["Usage: wardgate wall COMMAND", "", "Work on walls."]
    assert {"  paint   Paint a wall.", "  see     Look around."} <= set(shown)
