import pytest

from wardgate.durations import (
    brief_duration,
    format_duration,
    parse_duration,
    parse_length,
    parse_nanoseconds,
)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", 0),
        (0, 0),
        (90, 90),
        ("90", 90),
        ("+90", 90),
        ("010", 10),
        (1.9, 1),
        (-1.9, -1),
        ("-90", -90),
        ("1h30m", 5400),
        ("1.5h", 5400),
        (".5h", 1800),
        ("5.h", 18000),
        ("-1h30m", -5400),
        ("1m1m", 120),
        ("7d", 604_800),
        ("-7d", -604_800),
        ("1500ms", 1),
        ("-1500ms", -1),
        ("1000000us", 1),
        ("1000000\u00b5s", 1),
        ("1000000\u03bcs", 1),
        ("1000000000ns", 1),
        ("0s", 0),
    ],
)
def test_forms_that_clients_write(value: str | float, seconds: int) -> None:
    assert parse_duration(value) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "h", "d", "x", ".", ".h", "1.5", "1.5d", "1d12h", "1w", "1y", "1H", " 1h", "1h ", "1h 30m",
        "1e3", "0x10", "1_000", "--1h", "\u0661h", "\u0661", "1h30", "9999999h", "99999999999",
        "9" * 100, "1" + "0" * 5000 + "s", True, False, None, [],
        float("nan"), float("inf"), 10**12,
    ],
)  # fmt: skip
def test_what_is_no_duration_is_refused_without_repeating_it(value: object) -> None:
    with pytest.raises(ValueError, match="duration") as refusal:
        parse_duration(value)  # type: ignore[arg-type]
    assert str(refusal.value) in {
        "a duration is a number of seconds or text such as 1h30m",
        "the duration is too long",
        "a duration must be finite",
    }


def test_parts_of_a_second_are_there_for_those_who_need_them() -> None:
    assert parse_nanoseconds("1ms") == 1_000_000
    assert parse_nanoseconds("0.1ns") == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59, "59s"), (60, "1m0s"), (90, "1m30s"), (3600, "1h0m0s"), (5400, "1h30m0s"),
     (2_764_800, "768h0m0s"), (-90, "-1m30s")],
)  # fmt: skip
def test_durations_are_written_as_go_writes_them(seconds: int, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (1, "1s"),
        (60, "1m"),
        (90, "1m30s"),
        (600, "10m"),
        (3600, "1h"),
        (3601, "1h0m1s"),
        (3660, "1h1m"),
        (36_000, "10h"),
        (2_764_800, "768h"),
        (-60, "-1m"),
    ],
)
def test_a_brief_duration_leaves_out_the_zeros_at_its_end(seconds: int, text: str) -> None:
    assert brief_duration(seconds) == text


def test_a_length_is_not_negative() -> None:
    assert [parse_length(value) for value in (0, 90, "1h", "-0s")] == [0, 90, 3600, 0]
    for value in (-1, "-1s", "soon"):
        with pytest.raises(ValueError, match="duration"):
            parse_length(value)
