"""A client that asks at fixed times, and sees every moment at which it is kept waiting."""

import http.client
import threading
import time
from collections.abc import Callable
from typing import Protocol

PACE = 0.005  # seconds from one question to the next


class Say(Protocol):
    """Tells whoever watches how far it has come."""

    def __call__(self, message: str, /) -> None: ...


class PacedLookups:
    """Looks a token up every `PACE` seconds, on a thread of its own, until it is stopped.

    A time is measured from the moment at which the question was due, so a server that stands still
    for a second is seen two hundred times, not once.
    """

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._headers = {"X-Vault-Token": token}
        self._stopping = threading.Event()
        self._milliseconds: list[float] = []
        self.wrong = 0
        """Answers with another status than 200, and questions without an answer."""
        self.lost = 0
        """Of those, the questions without an answer, whose time is not counted."""
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "PacedLookups":
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
                connection.request("GET", "/v1/auth/token/lookup-self", headers=self._headers)
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


def undisturbed(port: int, token: str, seconds: float) -> PacedLookups:
    """The lookups of some seconds in which nothing else happens."""
    with PacedLookups(port, token) as client:
        time.sleep(seconds)
    return client


def while_waiting(
    port: int, token: str, begin: Callable[[], object], done: Callable[[], bool]
) -> tuple[PacedLookups, float]:
    """The lookups from `begin` until `done`, and how many seconds that took."""
    with PacedLookups(port, token) as client:
        began = time.perf_counter()
        begin()
        while not done():
            time.sleep(0.05)
        took = time.perf_counter() - began
    return client, took
