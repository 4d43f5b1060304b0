"""Points in time as the API writes them."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.timestamps import rfc3339


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_800_000_000, "2027-01-15T08:00:00Z"),
        (1_800_000_000.5, "2027-01-15T08:00:00.5Z"),
        (1_800_000_000.25, "2027-01-15T08:00:00.25Z"),
        (951_782_400.000001, "2000-02-29T00:00:00.000001Z"),
        (-0.5, "1969-12-31T23:59:59.5Z"),
    ],
)
def test_utc_without_trailing_zeros(seconds: float, text: str) -> None:
    assert rfc3339(seconds) == text


@given(st.floats(min_value=0, max_value=4e9))
def test_it_says_the_time_to_the_microsecond(seconds: float) -> None:
    parsed = datetime.fromisoformat(rfc3339(seconds).replace("Z", "+00:00"))
    assert abs(parsed.timestamp() - seconds) < 1.5e-6
