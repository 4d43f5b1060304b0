"""What reaches stdout."""

import io

import pytest

from wardgate.cli.failure import CommandFailed
from wardgate.cli.options import Format
from wardgate.cli.output import Output


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_into_a_pipe_a_table_is_columns_with_a_line_under_each_heading() -> None:
    stream = io.StringIO()
    Output(stream=stream).table(("Key", "Value"), [("a", "1"), ("longer", "")])
    assert stream.getvalue().splitlines() == [
        "Key       Value",
        "---       -----",
        "a         1",
        "longer",
    ]


def test_on_a_terminal_control_characters_are_made_visible() -> None:
    stream = Terminal()
    output = Output(stream=stream)
    output.pairs([("a", "x\x1b[2Jy\x07")])
    output.value("x\x9b2Jy")
    assert "\x1b[2J" not in stream.getvalue()
    assert not {"\x07", "\x9b"} & set(stream.getvalue())
    assert r"x\x1b[2Jy\x07" in stream.getvalue()


def test_markup_in_a_value_is_only_text() -> None:
    stream = Terminal()
    Output(stream=stream).pairs([("a", "[bold]x[/bold]")])
    assert "[bold]x[/bold]" in stream.getvalue()


@pytest.mark.parametrize(("stream", "end"), [(io.StringIO(), ""), (Terminal(), "\n")])
def test_one_field_has_a_line_end_only_on_a_terminal(stream: io.StringIO, end: str) -> None:
    Output(field="a", stream=stream).chosen({"a": "x"}, "secret")
    assert stream.getvalue() == "x" + end


def test_a_field_that_is_not_there_is_an_error() -> None:
    with pytest.raises(CommandFailed, match='"b" not present in secret'):
        Output(field="b", stream=io.StringIO()).chosen({"a": "x"}, "secret")


def test_success_is_not_told_into_json() -> None:
    stream = io.StringIO()
    Output(Format.JSON, stream=stream).success("Data written to: x")
    assert stream.getvalue() == ""
