"""The run itself: two servers under the same loads, round after round, each in turn."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryDirectory

import msgspec

from bench import processes
from bench.api import Api, Json, Refused
from bench.loads import Check, Load, WrongAnswer, key_for, prepare
from bench.machine import look_around
from bench.results import Contender, Memory, Refusal, Row, Run, Sample, Settings
from bench.servers import Kind, Server, running
from bench.wrk import Spoiled, put_load

WARM_UP = 2  # seconds
FOREIGN = 0.25  # cores; what the kernel does for the loopback without naming a process is less

Say = Callable[[str], None]


@dataclass(frozen=True)
class Side:
    """One of the two servers with the token that the loads carry."""

    server: Server
    token: str

    @property
    def api(self) -> Api:
        return Api(self.server.api.port, self.token)


def duel(
    baseline: Kind,
    subject: Kind,
    loads: Sequence[Load],
    *,
    settings: Settings,
    folder: Path,
    say: Say,
) -> Run:
    """Start both servers with their data below `folder`, measure every load, end both.

    A load that goes wrong becomes a `Refusal`, and the others still run. Raises `StartFailed`,
    `NotADisk`, and what `prepare` raises when a server cannot be prepared.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    machine = look_around(folder)
    rows: list[Row] = []
    refusals: list[Refusal] = []
    notes: list[str] = []
    with _opened(baseline, subject, folder, say) as servers:
        idle = [_memory_at_rest(server) for server in servers]
        say("preparing")
        sides = [Side(server, prepare(server.api)) for server in servers]
        for load in loads:
            try:
                rows.append(_measure(load, sides, settings, say, notes))
            except (Spoiled, WrongAnswer, Refused, OSError, HTTPException) as error:
                refusals.append(Refusal(load.name, load.title, str(error)))
                say(f"{load.name}: no figure: {error}")
        first, second = (
            Contender(server.title, server.version, before, _memory_at_rest(server))
            for server, before in zip(servers, idle, strict=True)
        )
    return Run(started, machine, settings, first, second, rows, refusals, notes)


@contextmanager
def _opened(baseline: Kind, subject: Kind, folder: Path, say: Say) -> Iterator[list[Server]]:
    with ExitStack() as stack:
        servers = []
        for kind in (baseline, subject):
            own = Path(stack.enter_context(TemporaryDirectory(prefix="data-", dir=folder)))
            say(f"starting {kind.title}")
            servers.append(stack.enter_context(running(kind, own)))
        yield servers


def _memory_at_rest(server: Server) -> Memory:
    server.settle()
    return processes.memory(server.session)


def _measure(
    load: Load, sides: Sequence[Side], settings: Settings, say: Say, notes: list[str]
) -> Row:
    """All rounds of `load`. Raises `Spoiled`, `WrongAnswer` or `Refused`: then there is none."""
    notes += _verify(load, sides)
    samples: list[list[Sample]] = [[] for _ in sides]
    foreign: list[float] = []
    for number in range(settings.rounds + 1):
        for side, own in zip(sides, samples, strict=True):
            prefix = f"round{number}"
            with _foreign_work(side.server, foreign):
                sample = _round(side, load, settings, prefix, warm_up=not number)
            if number:
                own.append(sample)
                say(f"{load.name}: round {number}, {side.server.title}: {sample.rate:,.0f}/s")
            _read_back(load, side, sample, settings, prefix)
            side.server.settle()
    if max(foreign) > FOREIGN:
        notes.append(
            f"{load.name}: other processes took up to {max(foreign):.1f} cores during a round; "
            "do not quote its figures"
        )
    return Row(load.name, load.title, *samples)


@contextmanager
def _foreign_work(server: Server, shares: list[float]) -> Iterator[None]:
    """Add to `shares` how many cores worked for anything but `server` and wrk meanwhile."""

    def now() -> tuple[float, float]:
        wrk = getrusage(RUSAGE_CHILDREN)
        ours = processes.cpu_seconds(server.session) + wrk.ru_utime + wrk.ru_stime
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


def _verify(load: Load, sides: Sequence[Side]) -> list[str]:
    """Send one request to each server and look at the answer; notes on fields only one has."""
    answers = [_ask_once(load, side) for side in sides]
    names = [set(_fields(answer)) for answer in answers]
    return [
        f"{load.name}: only {side.server.title} answers {', '.join(sorted(mine - theirs))}"
        for side, mine, theirs in zip(sides, names, reversed(names), strict=True)
        if mine - theirs
    ]


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
