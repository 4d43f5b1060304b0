"""How a command line is split into words and options."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.cli.arguments import CommandLine, Options, wants_help
from wardgate.cli.failure import UsageError

KNOWN = {"force": True, "f": True, "renewable": True, "field": False, "ttl": False}

NAMES = st.from_regex(r"[a-z][a-z-]{0,10}", fullmatch=True).filter(
    lambda name: name not in {"h", "help", "force", "f", "renewable"}
)
WORDS = st.text().filter(lambda word: not word.startswith("-")) | st.just("-")


def parse(line: list[str]) -> tuple[list[str], Options]:
    return CommandLine(line).words_and_options(KNOWN)


@pytest.mark.parametrize("line", ["-field=x", "--field=x", "-field x", "--field x"])
def test_an_option_has_one_dash_or_two_and_its_value_after_equals_or_a_space(line: str) -> None:
    assert parse(line.split()) == ([], [("field", "x")])


@pytest.mark.parametrize(
    ("text", "value"),
    [("-force", True), ("--force", True), ("-force=true", True), ("-force=F", False), ("-f", True)],
)
def test_a_switch_takes_its_value_only_after_equals(text: str, value: bool) -> None:
    assert parse([text, "path"]) == (["path"], [(text.strip("-").partition("=")[0], value)])


def test_a_switch_with_another_value_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="-renewable") as caught:
        parse(["-renewable=s.secret"])
    assert "s.secret" not in str(caught.value)


def test_an_option_without_its_value_is_refused() -> None:
    with pytest.raises(UsageError, match="-field needs a value"):
        parse(["path", "-field"])


@pytest.mark.parametrize("text", ["-=x", "---field=x", "--=x"])
def test_an_option_needs_a_name(text: str) -> None:
    with pytest.raises(UsageError, match="no name"):
        parse([text])


@pytest.mark.parametrize("text", ["-feild=s.secret", "--feild", "-field2"])
def test_an_unknown_option_is_refused_with_its_place_and_the_nearest_known_one(text: str) -> None:
    with pytest.raises(UsageError, match=r"argument 3 .* nearest is -field") as caught:
        parse(["path", "-force", text])
    assert "s.secret" not in str(caught.value)


def test_a_value_may_start_with_a_dash() -> None:
    assert parse(["-ttl", "-1"]) == ([], [("ttl", "-1")])


def test_a_dash_alone_is_a_word() -> None:
    assert parse(["path", "-"]) == (["path", "-"], [])


def test_after_two_dashes_everything_is_a_word() -> None:
    assert parse(["-force", "--", "-x", "--", "-force"]) == (
        ["-x", "--", "-force"],
        [("force", True)],
    )


def test_help_is_always_known() -> None:
    for text in ("-h", "-help", "--help"):
        assert wants_help(CommandLine([text]).options({}))


def test_a_line_is_taken_from_left_to_right() -> None:
    line = CommandLine(["-ttl", "5", "-force", "read", "-field=x", "-unread"])
    assert line.options(KNOWN) == [("ttl", "5"), ("force", True)]
    assert line.word() == "read"
    assert line.rest() == ["-field=x", "-unread"]
    assert line.word() is None


@given(st.lists(st.tuples(NAMES, st.text()) | WORDS), st.randoms(use_true_random=False))
def test_words_and_options_come_back_in_order_wherever_options_stand(
    parts: list[tuple[str, str] | str], random: Random
) -> None:
    line: list[str] = []
    for part in parts:
        if isinstance(part, str):
            line.append(part)
        else:
            name, value = random.choice(["-", "--"]) + part[0], part[1]
            line += random.choice([[f"{name}={value}"], [name, value]])
    known = {part[0]: False for part in parts if not isinstance(part, str)}
    words, options = CommandLine(line).words_and_options(known)
    assert words == [part for part in parts if isinstance(part, str)]
    assert options == [part for part in parts if not isinstance(part, str)]


@given(st.lists(st.text() | st.sampled_from(["-force", "-ttl", "-", "--", "-field=x"])))
def test_any_line_is_parsed_or_refused(line: list[str]) -> None:
    try:
        words, options = parse(line)
    except UsageError:
        return
    assert len(words) + len(options) <= len(line)
