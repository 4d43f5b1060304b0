"""The ratios of a run as a bar plot, for a page that shows SVG."""

from xml.sax.saxutils import escape  # builds text, parses nothing

from bench.results import Run

WIDTH, BAR, GAP, TOP = 860, 26, 14, 64
LEFT, RIGHT = 370, 90  # room for the names and for the figures


def plot(run: Run) -> str:
    """A bar for each load, as long as its ratio, and a line at 1, where both are equal."""
    height = TOP + len(run.rows) * (BAR + GAP) + 16
    room = WIDTH - LEFT - RIGHT
    longest = max([row.ratio for row in run.rows] + [1.0])
    one = LEFT + room / longest
    title = f"{run.subject.name}: how many times the requests per second of {run.baseline.name}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="sans-serif" font-size="14">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(16, 24, title, "start", "bold"),
        _text(16, 44, _circumstances(run), "start"),
    ]
    for number, row in enumerate(run.rows):
        y = TOP + number * (BAR + GAP)
        length = room * row.ratio / longest
        middle = y + BAR / 2 + 5
        parts += [
            _text(LEFT - 10, middle, row.title, "end"),
            f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" fill="#2f6f9f"/>',
            _text(LEFT + length + 8, middle, f"{row.ratio:.1f} times", "start", "bold"),
        ]
    parts += [
        f'<line x1="{one:.1f}" x2="{one:.1f}" y1="{TOP - 6}" y2="{height - 16}" '
        'stroke="#b03030" stroke-dasharray="4 3"/>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _circumstances(run: Run) -> str:
    settings = run.settings
    return (
        f"{run.machine.cores} cores, {settings.connections} connections, "
        f"medians of {settings.rounds} rounds of {settings.seconds} s, {run.started[:10]}"
    )


def _text(x: float, y: float, text: str, anchor: str, weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
        f'fill="#222222">{escape(text)}</text>'
    )
