"""How long a server takes from the start of its process to its first answer, as a client sees it.

Its data is initialised already. A server that unseals itself must answer a lookup of its root token;
one that waits for key shares cannot, and is asked for its seal status.
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.api import Api, Json
from bench.clients import Say
from bench.loads import WrongAnswer
from bench.results import Start
from bench.servers import Kind, launched, running, self_unsealing, wait

STARTS = 3
POLL = 0.002  # seconds between two questions
UNSEALED = "unsealed by itself: a token's lookup"
SEALED = "sealed with key shares: sys/seal-status"


def measure(kinds: Sequence[Kind], folder: Path, say: Say) -> list[Start]:
    """Both ways of starting of each server, in turn, with the data below `folder`.

    Raises `StartFailed`, `Refused`, or `WrongAnswer` when an answer was not what it should be.
    """
    found = []
    for until, change in ((UNSEALED, self_unsealing), (SEALED, lambda kind: kind)):
        with ExitStack() as stack:
            candidates = []
            for kind in map(change, kinds):
                place = stack.enter_context(TemporaryDirectory(prefix="start-", dir=folder))
                candidates.append(_initialised(kind, Path(place) / "home"))
            for _ in range(STARTS):
                for each in candidates:
                    each.start()
                    say(f"start: {each.kind.title}: {each.seconds[-1]:.3f} s, {until}")
        found += [
            Start(each.kind.title, until, each.seconds, each.kind.first_answer_within)
            for each in candidates
        ]
    return found


@dataclass(frozen=True)
class _Candidate:
    """A server that can be started: its data, and how long each start took."""

    kind: Kind
    home: Path
    token: str
    seconds: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it, wait for the first answer, look at it, and end it."""
        began = time.perf_counter()
        with launched(self.kind, self.home) as (api, process):
            answer = wait(self.kind, self.home, process, lambda: self._ask(api), POLL)
            self.seconds.append(time.perf_counter() - began)
            self._check(answer)

    def _ask(self, api: Api) -> Json:
        if self.kind.unseals_itself:
            return Api(api.port, self.token).call("GET", "auth/token/lookup-self")
        return api.call("GET", "sys/seal-status")

    def _check(self, answer: Json) -> None:
        if self.kind.unseals_itself:
            right = answer.get("data", {}).get("policies") == ["root"]
        else:
            right = (answer.get("initialized"), answer.get("sealed")) == (True, True)
        if not right:
            raise WrongAnswer(f"{self.kind.title}: the first answer is not what it should be")


def _initialised(kind: Kind, home: Path) -> _Candidate:
    """A server that was initialised and unsealed once, and ended."""
    with running(kind, home) as server:
        return _Candidate(kind, home, server.api.token)
