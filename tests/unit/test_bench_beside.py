"""Lookups beside logins: what is kept of them, and when the target is met."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO

import pytest
from rich.console import Console

from bench.beside import Beside, Outcome, Times, show
from bench.clients import PacedQuestions, lookup
from bench.results import Refusal, Settings

WAIT = 30.0  # seconds


def measured(*p99: float, target: float | None = 20.0) -> Beside:
    quiet = Times(p50=[1.0, 1.0, 1.0], p99=[2.0, 3.0, 4.0])
    return Beside("Server", target, quiet, Times([5.0] * 3, list(p99)), [30.0, 40.0, 90.0])


def shown(outcome: Outcome) -> str:
    console = Console(width=150, file=StringIO())
    show(outcome, Settings(connections=32, rounds=3, seconds=10), console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("p99", "verdict"), [((1.0, 19.9, 500.0), "yes"), ((1.0, 20.0, 20.0), "no")]
)
def test_the_median_p99_beside_logins_must_be_below_its_target(
    p99: tuple[float, ...], verdict: str
) -> None:
    outcome = Outcome([measured(*p99)], [], [])
    assert outcome.met == (verdict == "yes")
    line = next(line for line in shown(outcome).splitlines() if "Server │" in line)
    cells = [cell.strip() for cell in line.split("│")][1:-1]
    assert cells == ["Server", "1.0", "3.0", "5.0", f"{p99[1]:.1f}", "40.0", "below 20", verdict]


def test_a_server_without_a_target_misses_none() -> None:
    assert Outcome([measured(900, 900, 900, target=None)], [], []).met


def test_a_wrong_answer_is_told_and_is_a_miss() -> None:
    outcome = Outcome([], [Refusal("beside-logins", "Lookups [x]", "1 was not 200")], [])
    assert not outcome.met
    assert "No figure for Lookups [x]: 1 was not 200" in shown(outcome)


@contextmanager
def answering(*statuses: int) -> Iterator[tuple[int, threading.Event]]:
    """A server that answers with these statuses, then hangs up on everybody; its port, and what is
    set when somebody was hung up on."""
    left, hung_up = iter(statuses), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status = next(left, None)
            if status is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                hung_up.set()
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], hung_up
        finally:
            server.shutdown()
            thread.join()


def test_a_client_counts_wrong_answers_and_questions_without_one() -> None:
    with (
        answering(200, 503, 200) as (port, hung_up),
        PacedQuestions(port, lookup("token")) as client,
    ):
        assert hung_up.wait(WAIT)
    assert client.count == 3
    assert client.lost >= 1
    assert client.wrong == client.lost + 1
