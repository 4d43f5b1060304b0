"""`docs/configuration.md` is complete."""

import dataclasses
import re
from pathlib import Path

import pytest

from wardgate.server import audit, config, listener_rules, listeners, telemetry
from wardgate.server.flags import FLAGS, Fate

DOCUMENT = Path(__file__).parents[3] / "docs" / "configuration.md"
TOP_LEVEL = (
    {field.name for field in dataclasses.fields(config.ServerConfig)}
    - {"listeners", *config.WITHOUT_EFFECT, *config.WARNED_WHEN_SET}
)  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "verdict"),
    [
        (TOP_LEVEL, "read"),
        (audit.KEYS, "read"),
        (config.WITHOUT_EFFECT, "accepted"),
        (config.WARNED_WHEN_SET, "warned"),
        (config.NOTHING_LIKE_IT, "warned"),
        (listeners.NOT_YET, "warned"),
        (listeners.JSON_MEMORY, "warned"),
        (listeners.CIPHERS, "warned"),
        (listeners.TLS_KEYS, "read"),
        (listener_rules.FORWARDED, "read"),
        (telemetry.NOTHING_LIKE_IT, "warned"),
        (listener_rules.SWITCHES, "read"),
    ],
)
def test_every_key_stands_in_the_document_with_its_verdict(keys: set[str], verdict: str) -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if f" | {verdict} | " in line]
    assert [key for key in keys if not any(f"`{key}`" in row for row in rows)] == []


def test_every_flag_of_the_server_itself_stands_in_the_document() -> None:
    text = DOCUMENT.read_text()
    names = [
        name
        for name, flag in FLAGS.items()
        if name.startswith(("dev", "log", "config", "data")) or flag.fate is Fate.REFUSED
    ]
    assert [name for name in names if f"`-{name}" not in text] == []


def test_no_key_has_two_rows_in_one_table() -> None:
    section, seen, twice = "", set[tuple[str, str]](), []
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("#"):
            section = line
        cells = line.split(" | ")
        if not line.startswith("| `") or len(cells) < 3:
            continue
        for key in re.findall(r"`([a-z0-9_]+)`", cells[0]):
            if (section, key) in seen:
                twice.append((section, key))
            seen.add((section, key))
    assert len(seen) > 100
    assert twice == [], "rows that contradict each other"
