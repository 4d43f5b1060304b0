"""Durations under arbitrary input."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from wardgate.durations import format_duration, parse_duration, parse_nanoseconds

# Within 64 bits of nanoseconds.
seconds = st.integers(min_value=-(9 * 10**9), max_value=9 * 10**9)


@given(seconds)
def test_what_is_written_is_read_back(length: int) -> None:
    assert parse_duration(format_duration(length)) == length


@given(seconds)
def test_a_number_and_its_text_are_the_same(length: int) -> None:
    assert parse_duration(length) == parse_duration(str(length)) == length


@given(st.integers(min_value=-100_000, max_value=100_000))
def test_days_are_24_hours(days: int) -> None:
    assert parse_duration(f"{days}d") == days * 24 * 3600


@given(st.integers(0, 10**5), st.integers(0, 10**5), st.integers(0, 10**13))
def test_units_add_up(hours: int, minutes: int, rest: int) -> None:
    exact = (hours * 3600 + minutes * 60) * 10**9 + rest
    text = f"{hours}h{minutes}m{rest // 10**9}.{rest % 10**9:09d}s"
    assert parse_nanoseconds(text) == exact
    assert parse_nanoseconds(f"-{text}") == -exact


@given(st.text(alphabet="0123456789.+-hmsdnu\u00b5 e_", max_size=80))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert abs(parse_duration(text)) < 2**63 // 10**9 + 1


@given(st.floats() | st.integers())
def test_any_number_is_a_duration_or_a_value_error(number: float) -> None:
    with suppress(ValueError):
        assert parse_duration(number) == int(number)
