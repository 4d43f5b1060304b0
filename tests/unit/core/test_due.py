"""Indexes by time sort as time does, and nothing in them is due too early."""

from hypothesis import given
from hypothesis import strategies as st

from wardgate.core.due import due_entry, due_name, is_due

TIMES = st.floats(0, 1e10)  # to the year 2286
FINEST = 1e-5  # what a float that large cannot tell apart


@given(TIMES, TIMES)
def test_entries_sort_by_their_time(first: float, second: float) -> None:
    assert (due_entry(first, "a") < due_entry(second, "b")) or first >= second


@given(TIMES, TIMES)
def test_what_is_due_has_come_and_is_at_most_a_millisecond_late(time: float, now: float) -> None:
    if is_due(due_entry(time, "a"), now):
        assert time <= now + FINEST
    else:
        assert now < time + 0.001 + FINEST


def test_a_name_may_have_dashes() -> None:
    assert due_name(due_entry(1700000000.5, "a-b-c")) == "a-b-c"
