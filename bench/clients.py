"""A client that asks at fixed times, and sees every moment at which it is kept waiting."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bench.api import Json

PACE = 0.005  # seconds from one question to the next


class Say(Protocol):
    """Tells whoever watches how far it has come."""

    def __call__(self, message: str, /) -> None: ...


@dataclass(frozen=True)
class Question:
    """What is asked again and again: a path below ``/v1/``, and what goes with it."""

    method: str
    path: str
    token: str = ""
    body: Json | None = None


def lookup(token: str) -> Question:
    """What a token is."""
    return Question("GET", "auth/token/lookup-self", token)


class PacedQuestions:
    """Asks one question every `PACE` seconds, on a thread of its own, until it is stopped.

    A time is measured from the moment at which the question was due, so a server that stands still
    for a second is seen two hundred times, not once.
    """

    def __init__(self, port: int, question: Question) -> None:
        self._port = port
        self._method, self._path = question.method, f"/v1/{question.path}"
        self._headers = {"X-Vault-Token": question.token} if question.token else {}
        self._body = None if question.body is None else json.dumps(question.body)
        self._stopping = threading.Event()
        self._milliseconds: list[float] = []
        self.wrong = 0
        """Answers with another status than 200, and questions without an answer."""
        self.lost = 0
        """Of those, the questions without an answer, whose time is not counted."""
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "PacedQuestions":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def quantile(self, share: float) -> float:
        """Milliseconds within which this share of the answers came."""
        ordered = sorted(self._milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    @property
    def count(self) -> int:
        return len(self._milliseconds)

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        due = time.perf_counter()
        while not self._stopping.is_set():
            wait = due - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            try:
                connection.request(self._method, self._path, self._body, self._headers)
                reply = connection.getresponse()
                reply.read()
            except (OSError, http.client.HTTPException):
                connection.close()  # the next question opens it again
                self.wrong += 1
                self.lost += 1
            else:
                self._milliseconds.append((time.perf_counter() - due) * 1000)
                self.wrong += reply.status != 200
            due += PACE
        connection.close()


def undisturbed(port: int, question: Question, seconds: float) -> PacedQuestions:
    """The answers of some seconds in which nothing else happens."""
    with PacedQuestions(port, question) as client:
        time.sleep(seconds)
    return client


def while_waiting(
    port: int, question: Question, begin: Callable[[], object], done: Callable[[], bool]
) -> tuple[PacedQuestions, float]:
    """The answers from `begin` until `done`, and how many seconds that took."""
    with PacedQuestions(port, question) as client:
        began = time.perf_counter()
        begin()
        while not done():
            time.sleep(0.05)
        took = time.perf_counter() - began
    return client, took
