"""The command line of the bench: `scripts/bench --help`."""

import os
import signal
import tempfile
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from bench import results, svg, table
from bench.api import Refused
from bench.clients import Say
from bench.duel import duel
from bench.filling import COMMIT
from bench.loads import LOADS, Load, WrongAnswer
from bench.machine import NotADisk, disk_of
from bench.scale import measure
from bench.scale import table as scale_table
from bench.servers import KINDS, ROOT, Kind, StartFailed, audited

NAMES = ", ".join(load.name for load in LOADS)
WIDE = 150  # columns, when the output is no terminal


def bench(
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(help=f"Run only this load: {NAMES}. Several times."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Rounds of 2 seconds, to see that it works.")
    ] = False,
    connections: Annotated[int, typer.Option(min=1, max=512)] = 32,
    rounds: Annotated[int, typer.Option(min=3, max=15)] = 3,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="Length of a round.")] = 10,
    subject: Annotated[str, typer.Option(help="The server that is measured.")] = "wardgate",
    baseline: Annotated[str, typer.Option(help="The server it is compared with.")] = "openbao",
    audit: Annotated[
        bool,
        typer.Option("--audit", help="With a file audit device; and what it costs each of them."),
    ] = False,
    save: Annotated[Path | None, typer.Option(help="Write all samples to this JSON file.")] = None,
    compare: Annotated[Path | None, typer.Option(help="A saved run to compare with.")] = None,
    plot: Annotated[Path | None, typer.Option("--svg", help="Write a bar plot here.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="A folder on a disk for both servers' data.")
    ] = None,
    scale: Annotated[
        bool, typer.Option("--scale", help="Instead: how Wardgate alone bears many tokens.")
    ] = False,
    tokens: Annotated[int, typer.Option(min=1000, help="With --scale: how many.")] = 1_000_000,
    children: Annotated[
        int, typer.Option(min=0, help="With --scale: how many of them one token has made.")
    ] = 100_000,
) -> None:
    """Load two servers in turn and print their figures side by side.

    Exit status 1 when a load has no figure, because not every reply was right, or when a target of
    --scale is missed.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    say = Console(stderr=True, highlight=False, markup=False).print
    for name in (subject, baseline):
        if name not in KINDS:
            raise typer.BadParameter(f"a server is one of: {', '.join(KINDS)}")
    loads = _choose(only)
    earlier = _load(compare)
    folder = data or ROOT / "bench-results"
    folder.mkdir(parents=True, exist_ok=True)
    _end_on_signals()
    if scale:
        _run_scale(folder, tokens, children, console, say)
        return
    settings = results.Settings(connections, rounds, 2 if quick else seconds)

    pairs = _audited_pairs(baseline, subject) if audit else [_pair(baseline, subject)]
    runs = []
    try:
        for pair in pairs:
            runs.append(duel(*pair, loads, settings=settings, folder=folder, say=say))
            table.show(runs[-1], console)
    except (StartFailed, NotADisk, Refused, WrongAnswer) as error:
        say(f"The bench could not run: {error}")
        raise typer.Exit(1) from None

    run = runs[0]
    if earlier:
        table.compare(earlier, run, console)
    if save:
        results.save(run, save)
    if plot:
        plot.write_text(svg.plot(run))
    if any(run.refusals for run in runs):
        raise typer.Exit(1)


def _run_scale(folder: Path, tokens: int, children: int, console: Console, say: Say) -> None:
    try:
        disk_of(folder)
        load_average = os.getloadavg()[0]
        with tempfile.TemporaryDirectory(dir=folder) as place:
            found = measure(Path(place), tokens, min(children, tokens - COMMIT), say)
    except (StartFailed, NotADisk, Refused, TimeoutError) as error:
        say(f"The bench could not run: {error}")
        raise typer.Exit(1) from None
    console.print(scale_table(found))
    table.warn_if_busy(load_average, console)
    if not all(finding.met for finding in found):
        raise typer.Exit(1)


def _pair(baseline: str, subject: str) -> tuple[Kind, Kind]:
    """Both kinds; two of one kind, which shows how far chance goes, get different titles."""
    first, second = KINDS[baseline], KINDS[subject]
    return first, replace(second, title=f"{second.title} again") if first is second else second


def _audited_pairs(baseline: str, subject: str) -> list[tuple[Kind, Kind]]:
    """Both with an audit device; then each beside itself without one, which is what it costs."""
    with_it = [audited(kind) for kind in _pair(baseline, subject)]
    alone = [(KINDS[name], audited(KINDS[name])) for name in dict.fromkeys((subject, baseline))]
    return [(with_it[0], with_it[1]), *alone]


def _choose(names: list[str] | None) -> list[Load]:
    """The loads named, or all that are not optional."""
    if not names:
        return [load for load in LOADS if not load.optional]
    known = {load.name: load for load in LOADS}
    if not set(names) <= set(known):
        raise typer.BadParameter(f"a load is one of: {', '.join(known)}", param_hint="--only")
    return [load for load in LOADS if load.name in names]


def _load(file: Path | None) -> results.Run | None:
    if file is None:
        return None
    try:
        return results.load(file)
    except (OSError, msgspec.DecodeError) as error:
        raise typer.BadParameter(str(error), param_hint="--compare") from None


def _end_on_signals() -> None:
    """Let Ctrl-C, SIGTERM and a closed terminal unwind, so that every server is ended.

    Only the first signal counts: the unwinding takes seconds at most and must not be interrupted.
    """
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def unwind(number: int, _frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for each in signals:
        signal.signal(each, unwind)


if __name__ == "__main__":
    # a traceback with local variables would show tokens
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(bench)
    app()
