"""The rounds of one load: several servers in turn, every answer looked at."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import msgspec

from bench import processes
from bench.api import Api, Json, Refused
from bench.clients import Say
from bench.loads import Check, Load, WrongAnswer, key_for
from bench.results import Sample, Settings
from bench.servers import Server
from bench.wrk import Spoiled, put_load

WARM_UP = 2  # seconds
FOREIGN = 0.25  # cores; what the kernel does for the loopback without naming a process is less

NO_FIGURE = (Spoiled, WrongAnswer, Refused, OSError, HTTPException)
"""What goes wrong with a load while it is measured; there is no figure for it then."""


@dataclass(frozen=True)
class Side:
    """One of the two servers with the token that the loads carry."""

    server: Server
    token: str

    @property
    def api(self) -> Api:
        return Api(self.server.api.port, self.token)


@dataclass(frozen=True)
class Measured:
    """The rounds of a load, those of each side by themselves, and what there is to say of them."""

    samples: list[list[Sample]]
    notes: list[str]
    foreign: float
    """The most cores that anything but the server under load and wrk took in a round."""


def rounds(load: Load, sides: Sequence[Side], settings: Settings, say: Say) -> Measured:
    """All rounds of `load`. Raises one of `NO_FIGURE`: then there is none."""
    notes = verify(load, sides)
    samples: list[list[Sample]] = [[] for _ in sides]
    foreign: list[float] = []
    for number in range(settings.rounds + 1):
        for side, own in zip(sides, samples, strict=True):
            prefix = f"round{number}"
            with foreign_work(side.server, foreign):
                sample = _round(side, load, settings, prefix, warm_up=not number)
            if number:
                own.append(sample)
                say(f"{load.name}: round {number}, {side.server.title}: {sample.rate:,.0f}/s")
            _read_back(load, side, sample, settings, prefix)
            side.server.settle()
    if max(foreign) > FOREIGN:
        notes.append(disturbance(load.name, max(foreign)))
    return Measured(samples, notes, max(foreign))


def disturbance(what: str, foreign: float) -> str:
    """A note on rounds in which other work took `foreign` cores."""
    return (
        f"{what}: other processes took up to {foreign:.1f} cores during a round; "
        "do not quote its figures"
    )


@contextmanager
def foreign_work(server: Server, shares: list[float]) -> Iterator[None]:
    """Add to `shares` how many cores worked for anything but `server`, wrk and the bench meanwhile."""

    def now() -> tuple[float, float]:
        ours = processes.cpu_seconds(server.session)
        for usage in (getrusage(RUSAGE_CHILDREN), getrusage(RUSAGE_SELF)):
            ours += usage.ru_utime + usage.ru_stime
        return time.monotonic(), processes.busy_seconds() - ours

    start, before = now()
    yield
    end, after = now()
    shares.append((after - before) / (end - start))


def _round(side: Side, load: Load, settings: Settings, prefix: str, *, warm_up: bool) -> Sample:
    before = processes.cpu_seconds(side.server.session)
    try:
        sample = put_load(
            load,
            side.server.api.port,
            side.token,
            seconds=min(settings.seconds, WARM_UP) if warm_up else settings.seconds,
            connections=min(settings.connections, load.at_most),
            prefix=prefix,
        )
    except Spoiled as error:
        raise Spoiled(f"{side.server.title}: {error}") from None
    spent = processes.cpu_seconds(side.server.session) - before
    return msgspec.structs.replace(sample, cpu=spent)


def verify(load: Load, sides: Sequence[Side]) -> list[str]:
    """Send one request to each server and look at the answer; notes on fields only one has.

    Raises `WrongAnswer` or `Refused`.
    """
    names = [set(_fields(_ask_once(load, side))) for side in sides]
    found = []
    for number, (side, mine) in enumerate(zip(sides, names, strict=True)):
        theirs = set[str]().union(*names[:number], *names[number + 1 :])
        if len(sides) > 1 and mine - theirs:
            extra = ", ".join(sorted(mine - theirs))
            found.append(f"{load.name}: only {side.server.title} answers {extra}")
    return found


def _ask_once(load: Load, side: Side) -> Json:
    sender = Api(side.server.api.port) if load.anonymous else side.api
    answer = sender.call(load.method, key_for(load, 1, "verify"), load.body)
    _check(load.check, side, answer)
    return answer


def _check(check: Check, side: Side, answer: Json) -> None:
    try:
        check(side.api, answer)
    except (KeyError, TypeError):
        raise WrongAnswer(f"{side.server.title}: the answer has another form") from None
    except (WrongAnswer, Refused) as error:
        raise WrongAnswer(f"{side.server.title}: {error}") from None


def _read_back(load: Load, side: Side, sample: Sample, settings: Settings, prefix: str) -> None:
    """Find the first, the middle and one of the last written keys again, with their content.

    The last ones may still have been under way when wrk ended, one for each connection.
    """
    if load.readback is None:
        return
    last = max(1, sample.requests - settings.connections)
    for step in {1, (1 + last) // 2, last}:
        try:
            answer = side.api.call("GET", key_for(load, step, prefix))
        except Refused as error:
            raise WrongAnswer(f"{side.server.title}: not found after the load: {error}") from None
        _check(load.readback, side, answer)


def _fields(answer: Mapping[str, object], above: str = "") -> Iterator[str]:
    for name, value in answer.items():
        yield above + name
        if isinstance(value, dict):
            yield from _fields(value, f"{above}{name}.")
