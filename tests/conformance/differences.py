"""The entries of docs/compatibility.md, which scenarios refer to by name."""

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
LABELS = ("OpenBao", "Wardgate", "Why")
NOT_COMPARED = "Not compared"
PATHS = "Paths"


@dataclass(frozen=True, slots=True)
class Entry:
    """One known difference: its name, the labels of its lines, and the paths that Wardgate does not
    answer, with `*` for the rest of one."""

    name: str
    labels: tuple[str, ...]
    paths: tuple[str, ...] = ()


def read_entries(page: str) -> list[Entry]:
    """The entries of the page: each `### name` with the labels of the list below it."""
    sections = re.split(r"^### ", page, flags=re.MULTILINE)[1:]
    return [
        Entry(
            section.split("\n", 1)[0].strip(),
            tuple(re.findall(r"^- (.+?):", section, re.M)),
            tuple(
                path
                for line in re.findall(rf"^- {PATHS}: (.+)$", section, re.M)
                for path in re.findall(r"`([^`]+)`", line)
            ),
        )
        for section in sections
    ]
