"""The command line of the bench: `scripts/bench --help`."""

import os
import signal
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from bench import beside, growth, growth_table, results, secret_ids, svg, table
from bench.api import Refused
from bench.clients import Say
from bench.duel import duel
from bench.filling import COMMIT
from bench.loads import LOADS, Load, WrongAnswer
from bench.machine import NotADisk, disk_of
from bench.scale import Finding, measure
from bench.scale import table as scale_table
from bench.servers import KINDS, ROOT, Kind, StartFailed, audited

START = "start"  # not a load, but named like one: how long a start takes
NAMES = ", ".join([load.name for load in LOADS] + [START])
WIDE = 150  # columns, when the output is no terminal


def bench(
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(help=f"Run only this: {NAMES}. Several times."),
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
    grow: Annotated[
        bool,
        typer.Option("--growth", help="Instead: Wardgate alone, with more and more stored."),
    ] = False,
    sizes: Annotated[
        str, typer.Option(help="With --growth: how many tokens, and as many secrets.")
    ] = ",".join(map(str, growth.SIZES)),
    with_secret_ids: Annotated[
        int,
        typer.Option(
            "--secret-ids",
            min=0,
            help="Instead: Wardgate's AppRole logins beside so many secret ids.",
        ),
    ] = 0,
    beside_logins: Annotated[
        bool,
        typer.Option("--beside-logins", help="Instead: lookups while other clients log in."),
    ] = False,
) -> None:
    """Load two servers in turn and print their figures side by side.

    Exit status 1 when a load has no figure, because not every reply was right, or when a target is
    missed: that of a start, or those of --scale, --growth, --secret-ids or --beside-logins.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    say = Console(stderr=True, highlight=False, markup=False).print
    pair = _pair(baseline, subject)
    if scale + grow + beside_logins + bool(with_secret_ids) > 1:
        raise typer.BadParameter(
            "--scale, --growth, --secret-ids and --beside-logins are runs of their own"
        )
    loads = _choose(only)
    earlier = _load(compare)
    folder = data or ROOT / "bench-results"
    folder.mkdir(parents=True, exist_ok=True)
    _end_on_signals()
    if scale:
        few = min(children, tokens - COMMIT)
        _run_scale(folder, lambda place: measure(place, tokens, few, say), console, say)
        return
    if with_secret_ids:
        _run_scale(
            folder, lambda place: secret_ids.measure(place, with_secret_ids, say), console, say
        )
        return
    settings = results.Settings(connections, rounds, 2 if quick else seconds)
    if grow:
        loads = _choose(only or list(growth.LOADS))
        _run_growth(folder, _sizes(sizes), loads, settings, console, say)
        return
    if beside_logins:
        _run_beside_logins(pair, folder, settings, console, say)
        return

    pairs = _audited_pairs(baseline, subject) if audit else [pair]
    with_starts = START in only if only else not audit
    runs = []
    try:
        for each in pairs:
            runs.append(
                duel(
                    *each,
                    loads,
                    settings=settings,
                    folder=folder,
                    say=say,
                    with_starts=with_starts,
                )
            )
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
    missed = any(not start.met for run in runs for start in run.starts)
    if missed or any(run.refusals for run in runs):
        raise typer.Exit(1)


def _run_scale(
    folder: Path, found_in: Callable[[Path], list[Finding]], console: Console, say: Say
) -> None:
    try:
        disk_of(folder)
        load_average = os.getloadavg()[0]
        with tempfile.TemporaryDirectory(dir=folder) as place:
            found = found_in(Path(place))
    except (StartFailed, NotADisk, Refused, TimeoutError) as error:
        say(f"The bench could not run: {error}")
        raise typer.Exit(1) from None
    console.print(scale_table(found))
    table.warn_if_busy(load_average, console)
    if not all(finding.met for finding in found):
        raise typer.Exit(1)


def _run_growth(
    folder: Path,
    sizes: list[int],
    loads: list[Load],
    settings: results.Settings,
    console: Console,
    say: Say,
) -> None:
    try:
        disk_of(folder)
        load_average = os.getloadavg()[0]
        busy = load_average > table.BUSY
        found = growth.measure(folder, sizes, loads, settings, busy=busy, say=say)
    except (StartFailed, NotADisk, Refused, WrongAnswer) as error:
        say(f"The bench could not run: {error}")
        raise typer.Exit(1) from None
    growth_table.show(found, console)
    table.warn_if_busy(load_average, console)
    if not found.met:
        raise typer.Exit(1)


def _run_beside_logins(
    pair: tuple[Kind, Kind], folder: Path, settings: results.Settings, console: Console, say: Say
) -> None:
    try:
        disk_of(folder)
        load_average = os.getloadavg()[0]
        found = beside.measure(*pair, settings=settings, folder=folder, say=say)
    except (StartFailed, NotADisk, Refused, WrongAnswer) as error:
        say(f"The bench could not run: {error}")
        raise typer.Exit(1) from None
    beside.show(found, settings, console)
    table.warn_if_busy(load_average, console)
    if not found.met:
        raise typer.Exit(1)


def _sizes(text: str) -> list[int]:
    """The sizes named, rising; two at least, as there is nothing to compare otherwise."""
    try:
        sizes = sorted({int(part) for part in text.split(",")})
    except ValueError:
        sizes = []
    if len(sizes) < 2 or sizes[0] < 1:
        raise typer.BadParameter(
            "two or more whole numbers, such as 1000,10000", param_hint="--sizes"
        )
    return sizes


def _pair(baseline: str, subject: str) -> tuple[Kind, Kind]:
    """Both kinds; two of one kind, which shows how far chance goes, get different titles."""
    for name in (baseline, subject):
        if name not in KINDS:
            raise typer.BadParameter(f"a server is one of: {', '.join(KINDS)}")
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
    if not set(names) <= {START, *(load.name for load in LOADS)}:
        raise typer.BadParameter(f"a load is one of: {NAMES}", param_hint="--only")
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
