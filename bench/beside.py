"""How long token lookups take while others log in, whose bcrypt takes all the CPU there is.

A client asks every 5 ms and reckons from when a question was due (`bench.clients`). It does so for a
round while nothing else happens, and for a round while 8 connections log in without a pause.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.clients import PacedQuestions, Say, lookup, undisturbed
from bench.duel import both
from bench.loads import LOADS, USERS, prepare
from bench.results import Refusal, Settings
from bench.rounds import FOREIGN, NO_FIGURE, Side, disturbance, foreign_work, verify
from bench.servers import Kind
from bench.wrk import Spoiled, put_load

(LOOKUP,) = (load for load in LOADS if load.name == "lookup")
(LOGIN,) = (load for load in LOADS if load.name == "login")
WARM_UP = 2  # seconds


@dataclass(frozen=True)
class Times:
    """The lookups of each round: milliseconds within which half and 99 % of the answers came."""

    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    def add(self, client: PacedQuestions) -> None:
        self.p50.append(client.quantile(0.5))
        self.p99.append(client.quantile(0.99))


@dataclass(frozen=True)
class Beside:
    """What was measured on one server. `target` is what the p99 beside logins must stay below, in
    milliseconds; None where nothing is asked."""

    server: str
    target: float | None
    quiet: Times = field(default_factory=Times)
    busy: Times = field(default_factory=Times)
    logins: list[float] = field(default_factory=list)
    """Logins per second of each round."""

    @property
    def met(self) -> bool:
        return self.target is None or median(self.busy.p99) < self.target


@dataclass(frozen=True)
class Outcome:
    """A run: both servers, or why there are no figures, and what there is to say of them."""

    servers: list[Beside]
    refusals: list[Refusal]
    notes: list[str]

    @property
    def met(self) -> bool:
        return not self.refusals and all(each.met for each in self.servers)


def measure(
    baseline: Kind, subject: Kind, *, settings: Settings, folder: Path, say: Say
) -> Outcome:
    """Start both servers with their data below `folder`, measure them in turn, end both.

    A wrong answer on either is a `Refusal`. Raises `StartFailed`, and what `prepare` raises.
    """
    found = [Beside(kind.title, kind.beside_logins_below) for kind in (baseline, subject)]
    notes: list[str] = []
    with both(baseline, subject, folder, say) as servers:
        say("preparing")
        sides = [Side(server, prepare(server.api)) for server in servers]
        try:
            for load in (LOOKUP, LOGIN):
                notes += verify(load, sides)
            notes += _rounds(sides, found, settings, say)
        except NO_FIGURE as error:
            say(f"no figure: {error}")
            return Outcome([], [Refusal("beside-logins", "Lookups beside logins", str(error))], [])
    return Outcome(found, [], notes)


def _rounds(
    sides: Sequence[Side], found: Sequence[Beside], settings: Settings, say: Say
) -> list[str]:
    """All rounds, the first of them a warm-up that does not count; a note if they were disturbed."""
    foreign: list[float] = []
    for number in range(settings.rounds + 1):
        seconds = settings.seconds if number else min(settings.seconds, WARM_UP)
        for side, own in zip(sides, found, strict=True):
            with foreign_work(side.server, foreign):
                quiet = undisturbed(side.server.api.port, lookup(side.token), seconds)
                busy, logins = _while_others_log_in(side, seconds, f"round{number}")
            _check(side, quiet, busy)
            if number:
                own.quiet.add(quiet)
                own.busy.add(busy)
                own.logins.append(logins)
                say(
                    f"round {number}, {side.server.title}: p99 {quiet.quantile(0.99):.1f} ms, "
                    f"beside {logins:.0f} logins/s {busy.quantile(0.99):.1f} ms"
                )
            side.server.settle()
    highest = max(foreign)
    return [disturbance("beside-logins", highest)] if highest > FOREIGN else []


def _while_others_log_in(side: Side, seconds: int, prefix: str) -> tuple[PacedQuestions, float]:
    """The lookups of some seconds, and how many logins there were in each of them."""
    port = side.server.api.port
    try:
        with PacedQuestions(port, lookup(side.token)) as client:
            sample = put_load(LOGIN, port, "", seconds=seconds, connections=USERS, prefix=prefix)
    except Spoiled as error:
        raise Spoiled(f"{side.server.title}: logins: {error}") from None
    return client, sample.rate


def _check(side: Side, *clients: PacedQuestions) -> None:
    """Raise `Spoiled` unless every lookup was answered rightly."""
    for client in clients:
        if client.wrong or not client.count:
            raise Spoiled(
                f"{side.server.title}: of {client.count + client.lost} lookups "
                f"{client.wrong} were not answered with 200"
            )


def show(outcome: Outcome, settings: Settings, console: Console) -> None:
    """Print a line for each server, why there is none, and notes."""
    if outcome.servers:
        console.print(_table(outcome.servers, settings))
    for refusal in outcome.refusals:
        console.print(f"[bold red]No figure for {escape(refusal.title)}: {escape(refusal.reason)}")
    for note in outcome.notes:
        console.print(f"Note: {escape(note)}")


def _table(found: Sequence[Beside], settings: Settings) -> Table:
    table = Table(
        title=f"Token lookups beside {USERS} clients that log in, milliseconds "
        f"(medians of {settings.rounds} rounds of {settings.seconds} s each way)"
    )
    table.add_column("\nServer", no_wrap=True)
    for heading in ("Undisturbed\np50", "\np99", "Beside logins\np50", "\np99", "\nlogins/s"):
        table.add_column(heading, justify="right")
    table.add_column("\ntarget for p99", justify="right")
    table.add_column("\nmet")
    for each in found:
        times = (each.quiet.p50, each.quiet.p99, each.busy.p50, each.busy.p99, each.logins)
        target = "" if each.target is None else f"below {each.target:g}"
        verdict = "" if each.target is None else "yes" if each.met else "[bold red]no"
        cells = [f"{median(values):,.1f}" for values in times]
        table.add_row(escape(each.server), *cells, target, verdict)
    return table
