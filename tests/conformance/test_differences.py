"""docs/compatibility.md and the scenarios speak of the same differences."""

from tests.conformance.differences import LABELS, NOT_COMPARED, PAGE, read_entries
from tests.conformance.rewordings import EVERYWHERE
from tests.conformance.test_conformance import OF_A_NEW_SERVER, SCENARIOS

ENTRIES = {entry.name: entry for entry in read_entries(PAGE.read_text(encoding="utf-8"))}
USED = {
    difference.entry
    for scenario in [*SCENARIOS, *OF_A_NEW_SERVER]
    for step in scenario.steps
    for difference in step.differences
} | EVERYWHERE


def test_every_difference_that_a_scenario_names_is_on_the_page() -> None:
    assert ENTRIES.keys() >= USED


def test_every_entry_is_shown_by_a_scenario_or_says_why_it_cannot_be() -> None:
    shown = USED | {name for name, entry in ENTRIES.items() if NOT_COMPARED in entry.labels}
    assert ENTRIES.keys() <= shown


def test_every_entry_says_what_both_do_and_why() -> None:
    assert {name for name, entry in ENTRIES.items() if entry.labels[:3] != LABELS} == set()


def test_an_entry_is_a_heading_with_a_labelled_list() -> None:
    page = "# Page\n- Not: an entry\n\n### one\n- OpenBao: a: b\n- Why: c\n\n### two\ntext\n"
    assert [(entry.name, entry.labels) for entry in read_entries(page)] == [
        ("one", ("OpenBao", "Why")),
        ("two", ()),
    ]
