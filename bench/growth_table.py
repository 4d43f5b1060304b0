"""A run of `bench.growth` for a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.growth import ALLOWED, COLUMNS, COST, Column, Growing, Growth


def show(growth: Growth, console: Console) -> None:
    """Print a line for each load and size, loads without figures, notes, and what it comes to."""
    settings = growth.settings
    console.print(
        f"{settings.connections} connections, one wrk thread, medians of {settings.rounds} rounds "
        f"of {settings.seconds} s each, the servers taken in turn",
        highlight=False,
    )
    console.print(_table(growth))
    for refusal in growth.refusals:
        console.print(f"[bold red]No figure for {escape(refusal.title)}: {escape(refusal.reason)}")
    for note in growth.notes:
        console.print(f"Note: {escape(note)}")
    for column in COLUMNS:
        console.print(_verdict(growth, column), highlight=False)
    decides = f"only the {COST.title} decides" if growth.disturbed else "all figures decide"
    state = "disturbed" if growth.disturbed else "quiet"
    outcome = "[green]met" if growth.met else "[bold red]missed"
    console.print(f"The machine was {state}, so {decides}: {outcome}", highlight=False)


def _table(growth: Growth) -> Table:
    table = Table(title="With more and more stored; ratios are to the smallest size")
    table.add_column("\nLoad", no_wrap=True)
    table.add_column("Tokens,\nsecrets", justify="right")
    for heading in ("req/s", "p50 ms", "p99 ms", "CPU µs"):
        table.add_column(f"\n{heading}", justify="right")
        table.add_column("\nratio", justify="right")
    for load in growth.loads:
        for number, size in enumerate(growth.sizes):
            title = "" if number else escape(load.title)
            table.add_row(title, f"{size:,}", *_cells(load, number))
        table.add_section()
    return table


def _cells(load: Growing, number: int) -> list[str]:
    cells = []
    found, smallest = load.figures[number], load.figures[0]
    for column in COLUMNS:
        ratio = column.ratio(found, smallest)
        cells.append(f"{column.of(found):,.{column.digits}f}")
        shown = f"{ratio:.2f}" if column.met(ratio) else f"[bold red]{ratio:.2f}"
        cells.append(shown if number else "")
    return cells


def _verdict(growth: Growth, column: Column) -> str:
    missed = growth.misses(column)
    if not missed:
        return f"{column.title}: all within {ALLOWED:.0%} of the smallest size"
    return f"[bold red]{column.title}: not within {ALLOWED:.0%}: {escape('; '.join(missed))}"
