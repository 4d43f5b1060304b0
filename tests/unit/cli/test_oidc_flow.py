"""What a server says of a login that it has begun."""

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.serving import on_a_thread
from wardgate.cli.failure import ServerFailed
from wardgate.cli.login_methods import oidc
from wardgate.cli.login_methods.browser import _draw
from wardgate.cli.login_methods.oidc import _Flow, _flow, _polled
from wardgate.cli.options import GlobalOptions
from wardgate.cli.session import Session

PAGE = "https://provider.example/auth?state=a"


@pytest.mark.parametrize(
    "url",
    ["https://[", "ftp://provider.example", "https://a.example/\x1b[2J", "https://\u00e4.example"],
)
def test_an_address_that_is_no_page_is_refused(url: str) -> None:
    with pytest.raises(ServerFailed, match="auth_url is no address of a page"):
        _flow({}, url, "nonce")


@pytest.mark.parametrize(
    "interval", ["\u00b2", "-1", "x", "1.5", "3601", "9" * 400, "00", True, [1]]
)
def test_an_interval_that_cannot_be_waited_is_refused(interval: object) -> None:
    with pytest.raises(ServerFailed, match="poll_interval is no number of seconds from 1 to 3600"):
        _flow({"poll_interval": interval}, PAGE, "nonce")


@pytest.mark.parametrize(
    ("interval", "seconds"), [("1", 1.0), (5, 5.0), ("3600", 3600.0), ("0", 0.0), (None, 0.0)]
)
def test_intervals_are_whole_seconds(interval: object, seconds: float) -> None:
    assert _flow({"poll_interval": interval}, PAGE, "nonce").interval == seconds


def test_a_code_that_would_move_the_cursor_is_refused() -> None:
    with pytest.raises(ServerFailed, match="user_code cannot be shown"):
        _flow({"user_code": "\x1b[2J"}, PAGE, "nonce")


def test_an_address_that_is_too_long_to_be_drawn_is_not(capfd: pytest.CaptureFixture[str]) -> None:
    _draw(PAGE + "a" * 3000)
    assert capfd.readouterr().err == ""
    _draw(PAGE)
    assert capfd.readouterr().err != ""


def test_a_server_that_is_away_for_a_moment_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(oidc, "_SLOWER", 0.0)
    answers: list[tuple[int, dict[str, Any]]] = [(0, {})] * 2
    answers.append((400, {"errors": ["authorization_pending"]}))
    answers.append((200, {"auth": {"client_token": "s.token"}}))

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, said = answers.pop(0)
            if not status:
                return  # closes the connection
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with on_a_thread(Handler) as address:
        session = Session(GlobalOptions(address=address))
        try:
            reply = _polled(session, "oidc", _Flow(PAGE, "nonce", "state"))
        finally:
            session.close()
    assert reply.auth is not None
    assert reply.auth["client_token"] == "s.token"
