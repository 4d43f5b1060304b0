"""A run, and two runs, as tables for a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.results import Run, figures

BUSY = 0.5
"""A load average before the run above which other work may have disturbed it."""


def show(run: Run, console: Console) -> None:
    """Print the machine, a line for each load, memory, refused loads and notes."""
    _show_circumstances(run, console)
    if run.rows:
        console.print(_loads(run))
    if run.starts:
        console.print(_starts(run))
    console.print(_memory(run))
    for refusal in run.refusals:
        console.print(f"[bold red]No figure for {escape(refusal.title)}: {escape(refusal.reason)}")
    for note in run.notes:
        console.print(f"Note: {escape(note)}")
    warn_if_busy(run.machine.load_average, console)


def warn_if_busy(load_average: float, console: Console) -> None:
    """Say so if other work may have disturbed the figures."""
    if load_average > BUSY:
        console.print(
            "[yellow]The machine was busy before the run "
            f"(load average {load_average:.1f}): do not quote these figures."
        )


def compare(before: Run, now: Run, console: Console) -> None:
    """Print how the ratios and the subject's requests per second changed since `before`.

    The ratio is the fairer of the two: whatever slows the whole machine slows both servers.
    """
    table = Table(title=f"Against the run of {before.started}")
    table.add_column("Load")
    for heading in ("ratio then", "ratio now", "change", "req/s then", "req/s now", "change"):
        table.add_column(heading, justify="right")
    earlier = {row.load: row for row in before.rows}
    for row in now.rows:
        if (old := earlier.get(row.load)) is None:
            continue
        then, today = figures(old.subject).rate, figures(row.subject).rate
        table.add_row(
            escape(row.title),
            f"{old.ratio:.2f}",
            f"{row.ratio:.2f}",
            f"{row.ratio / old.ratio - 1:+.1%}",
            f"{then:,.0f}",
            f"{today:,.0f}",
            f"{today / then - 1:+.1%}",
        )
    starts = _compared_starts(before, now)
    if not table.row_count and not starts.row_count:
        console.print("The other run has no load in common with this one.")
        return
    for each in (table, starts):
        if each.row_count:
            console.print(each)
    for what, old_value, new_value in (
        ("settings", before.settings, now.settings),
        ("baseline", before.baseline.name, now.baseline.name),
        ("subject", before.subject.name, now.subject.name),
        ("CPU", before.machine.cpu, now.machine.cpu),
    ):
        if old_value != new_value:
            console.print(f"[yellow]Note: the other run had another {what}.")


def _compared_starts(before: Run, now: Run) -> Table:
    table = Table(title="Seconds to the first answer, then and now")
    for heading in ("Server", "Until"):
        table.add_column(heading)
    for heading in ("then", "now", "change"):
        table.add_column(heading, justify="right")
    earlier = {(start.server, start.until): start.median for start in before.starts}
    for start in now.starts:
        then = earlier.get((start.server, start.until))
        if then is not None:
            change = f"{start.median / then - 1:+.1%}"
            names = escape(start.server), escape(start.until)
            table.add_row(*names, f"{then:.3f}", f"{start.median:.3f}", change)
    return table


def _show_circumstances(run: Run, console: Console) -> None:
    machine, settings = run.machine, run.settings
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    console.print(
        f"{escape(machine.cpu)}, {machine.cores} cores for both server and wrk, "
        f"{machine.memory:.0f} GiB, Linux {machine.kernel}, data on {machine.filesystem}\n"
        f"{machine.python}; {packages}; wrk {machine.wrk}\n"
        f"{settings.connections} connections, one wrk thread, medians of {settings.rounds} rounds "
        f"of {settings.seconds} s each, taken in turn; {run.started}",
        highlight=False,
    )


def _loads(run: Run) -> Table:
    table = Table(title="Requests per second, milliseconds, and CPU time of a request")
    table.add_column("\nLoad", no_wrap=True)
    for contender in (run.baseline, run.subject):
        for heading in (f"{contender.name}\nreq/s", "\np50", "\np99", "\nCPU µs"):
            table.add_column(escape(heading), justify="right")
    table.add_column("\nRatio", justify="right", style="bold")
    table.add_column("\n(lowest, highest)", justify="right")
    table.add_column("Ratio\nof CPU", justify="right")
    for row in run.rows:
        cells = []
        for side in (figures(row.baseline), figures(row.subject)):
            cells += [f"{side.rate:,.0f}", f"{side.p50:,.1f}", f"{side.p99:,.1f}"]
            cells.append(f"{side.cost:,.0f}")
        low, high = row.ratio_range
        ratios = f"{row.ratio:.2f}", f"({low:.2f}, {high:.2f})", f"{row.thrift:.2f}"
        table.add_row(escape(row.title), *cells, *ratios)
    return table


def _starts(run: Run) -> Table:
    table = Table(title="From the start of the process to the first answer, seconds")
    for heading in ("Server", "Until"):
        table.add_column(heading)
    for heading in ("median", "(lowest, highest)", "target"):
        table.add_column(heading, justify="right")
    table.add_column("met")
    for start in run.starts:
        target = "" if start.target is None else f"below {start.target:g}"
        verdict = "" if start.target is None else "yes" if start.met else "[bold red]no"
        spread = f"({min(start.seconds):.3f}, {max(start.seconds):.3f})"
        table.add_row(
            escape(start.server),
            escape(start.until),
            f"{start.median:.3f}",
            spread,
            target,
            verdict,
        )
    return table


def _memory(run: Run) -> Table:
    table = Table(title="Memory of all its processes, MiB")
    table.add_column("Server")
    for heading in ("RSS idle", "RSS after the loads", "PSS idle", "PSS after the loads"):
        table.add_column(heading, justify="right")
    for contender in (run.baseline, run.subject):
        idle, loaded = contender.idle, contender.loaded
        sizes = (idle.rss, loaded.rss, idle.pss, loaded.pss)
        table.add_row(
            escape(f"{contender.name} {contender.version}"), *(f"{size:,.0f}" for size in sizes)
        )
    return table
