"""Lays out a policy file: two spaces a level, one blank line between blocks, ``=`` aligned.

It works on HCL's syntax alone (https://github.com/hashicorp/hcl), without knowing what a policy
may contain: that is the server's to judge. Comments are kept. Nothing is changed but white space
and the commas between the values of a list.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<comment>\#[^\n]* | //[^\n]* | /\*.*?\*/)
    | (?P<string>"(?:\\.|[^"\\\n])*")
    | (?P<word>[\w.+*-]+)
    | (?P<mark>[{}\[\]=,:])
    """,
    re.VERBOSE | re.DOTALL,
)


class FormatError(ValueError):
    """The text is not HCL. The message gives the line, never the text."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int

    @property
    def last_line(self) -> int:
        return self.line + self.text.count("\n")


@dataclass(slots=True)
class _Item:
    """An attribute (`key` and value), a block (no `key`), or comments alone (no `lines`)."""

    lead: list[str]
    blank_before: bool
    key: str | None = None
    lines: list[str] = field(default_factory=list)
    trail: str = ""

    @property
    def is_short(self) -> bool:
        return self.key is not None and len(self.lines) == 1

    @property
    def is_tall(self) -> bool:
        return len(self.lines) > 1 or bool(self.lead)


def format_policy(text: str) -> str:
    """The same policy, laid out. Raises `FormatError`."""
    parser = _Parser(list(_tokens(text)))
    lines = _render(parser.body(closing=None))
    return "\n".join([*lines, ""]) if lines else ""


def _tokens(text: str) -> Iterator[_Token]:
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise FormatError(f"line {line}: something here cannot be read")
        position = match.end()
        if match.lastgroup != "space":
            yield _Token(str(match.lastgroup), match.group().rstrip(), line)
        line += match.group().count("\n")


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._rest = tokens[::-1]
        self._line = 0

    def body(self, closing: str | None) -> list[_Item]:
        """What stands between braces, or the whole file; takes the closing brace along."""
        items: list[_Item] = []
        lead: list[str] = []
        blank = False
        while True:
            token = self._peek()
            gap = token is not None and token.line > self._line + 1
            if token is not None and token.kind == "comment":
                self._take()
                if items and not lead and token.line == self._last_line_before(token):
                    items[-1].trail = _joined(items[-1].trail, token.text)
                    continue
                blank = gap if not lead else blank
                lead += ["", token.text] if lead and gap else [token.text]
            elif token is None or token.text == closing:
                if token is None and closing is not None:
                    raise FormatError(f"line {self._line}: a {closing} is missing")
                if lead:
                    items.append(_Item(lead, blank))
                if token is not None:
                    self._take()
                return items
            elif token.text == "," and closing is not None:
                self._take()
            else:
                if lead and gap:
                    lead.append("")
                items.append(self._item(lead, blank if lead else gap))
                lead, blank = [], False

    def _item(self, lead: list[str], blank_before: bool) -> _Item:
        names: list[str] = []
        while (token := self._take_expected("a name")).kind in ("word", "string"):
            names.append(token.text)
        if not names:
            raise FormatError(f"line {token.line}: a name is missing")
        if token.text in ("=", ":") and len(names) == 1:
            return _Item(lead, blank_before, names[0], self._value())
        if token.text != "{":
            raise FormatError(f"line {token.line}: a = or {{ is missing")
        return _Item(lead, blank_before, None, _braced(" ".join(names) + " ", self._braces()))

    def _value(self) -> list[str]:
        token = self._take_expected("a value")
        if token.kind in ("word", "string"):
            return [token.text]
        if token.text == "{":
            return _braced("", self._braces())
        if token.text == "[":
            return self._list(token.line)
        raise FormatError(f"line {token.line}: a value is missing")

    def _braces(self) -> list[str]:
        return _render(self.body("}"))

    def _list(self, first_line: int) -> list[str]:
        values: list[list[str]] = []
        while (token := self._peek()) is not None and token.text != "]":
            if token.kind == "comment":
                self._take()
                values.append([token.text])
            elif token.text == ",":
                self._take()
            else:
                value = self._value()
                values.append([*value[:-1], value[-1] + ","])
        last = self._take_expected("a ]")
        is_flat = all(len(value) == 1 and value[0].endswith(",") for value in values)
        if is_flat and last.line == first_line:
            return ["[" + " ".join(value[0] for value in values).removesuffix(",") + "]"]
        return ["[", *("  " + line for value in values for line in value), "]"]

    def _peek(self) -> _Token | None:
        return self._rest[-1] if self._rest else None

    def _take(self) -> _Token:
        token = self._rest.pop()
        self._before, self._line = self._line, token.last_line
        return token

    def _last_line_before(self, token: _Token) -> int:
        return self._before if token.line == token.last_line else -1

    def _take_expected(self, what: str) -> _Token:
        if not self._rest:
            raise FormatError(f"line {self._line}: {what} is missing")
        return self._take()


def _joined(*texts: str) -> str:
    return " ".join(text for text in texts if text)


def _braced(head: str, inner: list[str]) -> list[str]:
    if not inner:
        return [head + "{}"]
    return [head + "{", *(f"  {line}" if line else "" for line in inner), "}"]


def _render(items: list[_Item]) -> list[str]:
    lines: list[str] = []
    for run in _runs(items):
        if lines:
            lines.append("")
        lines += _render_run(run)
    return lines


def _runs(items: list[_Item]) -> Iterator[list[_Item]]:
    """Items that stand together; a blank line goes between runs."""
    run: list[_Item] = []
    for item in items:
        apart = item.blank_before or item.is_tall or not item.is_short
        if run and (apart or run[-1].is_tall or not run[-1].is_short):
            yield run
            run = []
        run.append(item)
    if run:
        yield run


def _render_run(run: list[_Item]) -> list[str]:
    width = max(len(item.key or "") for item in run)
    heads = [
        f"{item.key.ljust(width)} = {item.lines[0]}" if item.key else "".join(item.lines[:1])
        for item in run
    ]
    commented = [len(head) for head, item in zip(heads, run, strict=True) if item.trail]
    column = max(commented, default=0)
    lines: list[str] = []
    for item, head in zip(run, heads, strict=True):
        body = [head, *item.lines[1:]] if item.lines else []
        if item.trail:
            last = body[-1].ljust(column if len(body) == 1 else 0)
            body[-1] = f"{last} {item.trail}"
        lines += [*item.lead, *body]
    return lines
