"""Prints what a command found: data to stdout, everything else to stderr.

On a terminal tables are drawn; into a pipe they are plain columns that scripts can cut. Control
characters in what is printed do not reach the terminal: neither a stored secret nor a server's
warning or error may move its cursor.
"""

import dataclasses
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from wardgate.cli.failure import CommandFailed
from wardgate.cli.options import Format
from wardgate.cli.text import plain, visible

Row = Sequence[str]

_GAP = "    "


@dataclasses.dataclass(frozen=True, slots=True)
class Output:
    """Where and how to print: `field`, when given, is the one field that is wanted."""

    format: Format = Format.TABLE
    field: str | None = None
    stream: TextIO = dataclasses.field(default_factory=lambda: sys.stdout)
    errors: TextIO = dataclasses.field(default_factory=lambda: sys.stderr)

    @property
    def is_json(self) -> bool:
        return self.format is Format.JSON

    @property
    def is_terminal(self) -> bool:
        return self.stream.isatty()

    def line(self, text: str = "") -> None:
        print(self._shown(text), file=self.stream)

    def success(self, text: str) -> None:
        """What was done. Nothing when JSON is wanted, so that stdout stays parseable."""
        if not self.is_json:
            self.line(f"Success! {text}")

    def note(self, text: str) -> None:
        print(visible(text) if self.errors.isatty() else text, file=self.errors)

    def warn(self, warnings: Iterable[str]) -> None:
        for warning in warnings:
            self.note(f"WARNING: {warning}")

    def json(self, value: Any) -> None:
        from wardgate.client import wire

        text = wire.encode(value, indent=2)
        print(visible(text, json=True) if self.is_terminal else text, file=self.stream)

    def value(self, value: Any) -> None:
        """One value and nothing else; no line end into a pipe, so that it can be used as is."""
        from wardgate.client import wire

        text = wire.encode(value, indent=2) if self.is_json else plain(value)
        if self.is_terminal:
            text = visible(text, json=self.is_json)
        print(text, end="\n" if self.is_terminal else "", file=self.stream)

    def chosen(self, fields: Mapping[str, Any], where: str) -> None:
        """The field that was asked for with -field. `where` is for the error."""
        if self.field is None or self.field not in fields:
            raise CommandFailed(f'Field "{self.field}" not present in {where}')
        self.value(fields[self.field])

    def pairs(self, pairs: Iterable[Row], title: str | None = None) -> None:
        self.table(("Key", "Value"), pairs, title)

    def section(self, title: str, text: str) -> None:
        """A line of text under a title."""
        self.line(title if self.is_terminal else _banner(title, len(text)))
        self.line(f"  {text}" if self.is_terminal else text)
        self.line()

    def names(self, names: Iterable[str], title: str = "Keys") -> None:
        self.table((title,), ([name] for name in names))

    def table(self, headings: Row, rows: Iterable[Row], title: str | None = None) -> None:
        lines = [list(row) for row in rows]
        if self.is_terminal:
            self._draw(headings, lines, title)
            return
        widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
        if title:
            self.line(_banner(title, sum(widths) + len(_GAP) * (len(widths) - 1)))
        for row in (headings, ["-" * len(heading) for heading in headings], *lines):
            cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
            self.line(_GAP.join(cells).rstrip())

    def _draw(self, headings: Row, rows: Iterable[Row], title: str | None) -> None:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(
            box=box.SIMPLE_HEAD, title=title and Text(self._shown(title)), title_justify="left"
        )
        for heading in headings:
            table.add_column(Text(heading), overflow="fold")
        for row in rows:
            table.add_row(*(Text(self._shown(text)) for text in row))
        Console(file=self.stream).print(table)

    def _shown(self, text: str) -> str:
        return visible(text) if self.is_terminal else text


def _banner(title: str, width: int) -> str:
    return f" {title} ".center(max(width, len(title) + 4), "=")
