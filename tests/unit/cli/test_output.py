"""What reaches stdout."""

import io
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from wardgate.cli import main
from wardgate.cli.failure import REMOTE, CommandFailed
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


def test_on_a_terminal_warnings_and_notes_do_not_act_either() -> None:
    errors = Terminal()
    output = Output(stream=io.StringIO(), errors=errors)
    output.warn(["x\x1b]0;y\x07"])
    output.note("one\n\ttwo\r\x9b2J")
    assert errors.getvalue() == "WARNING: x\\x1b]0;y\\x07\none\n\ttwo\\x0d\\x9b2J\n"


def test_on_a_terminal_json_stays_the_same_json() -> None:
    stream = Terminal()
    output = Output(Format.JSON, stream=stream)
    value = {"a": "x\x9b2J\x1b\x7f"}
    output.json(value)
    output.value(value)
    assert not {"\x1b", "\x7f", "\x9b"} & set(stream.getvalue())
    decoder = json.JSONDecoder()
    first, end = decoder.raw_decode(stream.getvalue())
    assert [first, json.loads(stream.getvalue()[end:])] == [value, value]


class Hostile(BaseHTTPRequestHandler):
    """A server whose error would name the window of a terminal."""

    def do_GET(self) -> None:
        body = json.dumps({"errors": ["x\x1b]0;y\x07"]}).encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def test_on_a_terminal_the_errors_of_a_server_do_not_act(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = Terminal()
    with HTTPServer(("127.0.0.1", 0), Hostile) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            monkeypatch.setattr(sys, "stderr", errors)
            address = f"-address=http://127.0.0.1:{server.server_port}"
            assert main.run(["read", address, "secret/a"]) == REMOTE
        finally:
            server.shutdown()
    assert "* x\\x1b]0;y\\x07\n" in errors.getvalue()
    assert "\x1b" not in errors.getvalue()


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
