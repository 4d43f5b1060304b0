"""What ``-h`` prints, made from the same declarations by which command lines are read."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from textwrap import fill, wrap

from wardgate.cli.command import Command, Duration, Function, Group, Option, Program
from wardgate.cli.options import HELP

_WIDTH = 100
_GAP = "   "


def group_help(path: Sequence[str], group: Group) -> str:
    """What commands there are in a group; `path` leads to it, and is empty for the whole."""
    name = " ".join(["wardgate", *path])
    rows = [(word, _summary(node)) for word, node in sorted(group.commands.items())]
    hint = f'"{name} COMMAND -h" tells the options of a command.'
    return _sections(f"Usage: {name} COMMAND", group.summary, _table("Commands", rows), hint, HELP)


def command_help(path: Sequence[str], command: Command) -> str:
    """The words and the options of a command."""
    usage = ["Usage: wardgate", *path, *(["[options]"] if command.options else [])]
    words = [(word.shown, word.help) for word in command.words if word.help]
    options = [(_spelling(option), _meaning(option)) for option in command.options]
    return _sections(
        " ".join([*usage, *(word.shown for word in command.words)]),
        fill(command.description, _WIDTH),
        _table("Words", words),
        _table("Options", sorted(options)),
        HELP,
    )


def _sections(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text)


def _summary(node: Function | Group | Program) -> str:
    """The first sentence."""
    text = node.summary if isinstance(node, Group | Program) else Command.of(node).description
    return text.partition(". ")[0].rstrip(".") + "."


def _table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    rows = list(rows)
    if not rows:
        return ""
    indent = max(len(left) for left, _ in rows) + 2
    lines = [f"{title}:"]
    for left, right in rows:
        first, *others = wrap(right, _WIDTH - indent - len(_GAP)) or [""]
        lines.append((f"  {left}".ljust(indent) + _GAP + first).rstrip())
        lines += [" " * indent + _GAP + line for line in others]
    return "\n".join(lines)


def _meaning(option: Option) -> str:
    again = "May be repeated." if option.kind in (list[str], dict[str, str]) else ""
    return f"{option.flag.help} {again}".strip()


def _spelling(option: Option) -> str:
    names = f"-{option.name}" + (f", -{option.flag.short}" if option.flag.short else "")
    return names if option.is_switch else f"{names}={_placeholder(option.kind)}"


def _placeholder(kind: object) -> str:
    if kind == dict[str, str]:
        return "KEY=VALUE"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "|".join(kind)
    if kind is Duration:
        return "DURATION"
    return "NUMBER" if kind is int else "TEXT"
