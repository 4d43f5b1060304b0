"""Durations are read as by a real OpenBao."""

from collections.abc import Iterator

import pytest

from tests.conformance.policy_oracle import Oracle, running_oracle
from wardgate.durations import parse_duration

VALUES: list[str | int] = [
    "", "0", "90", "+90", "010", "1h30m", "1.5h", ".5h", "5.h", "+1h", "7d", "+7d", "1m1m",
    "1500ms", "1000000us", "1000000\u00b5s", "1000000\u03bcs", "0.000001h", "3h2m1s", 0, 90,
    "h", "d", "x", ".", ".h", "1.5", "1.5d", "1d12h", "1w", "1y", "1H", " 1h", "1h ", "1h 30m",
    "1e3", "0x10", "1_000", "--1h", "\u0661h", "1h30", "9999999h", "99999999999",
]  # fmt: skip


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with running_oracle() as running:
        yield running


@pytest.mark.parametrize("value", VALUES)
def test_a_duration_in_a_request(oracle: Oracle, value: str | int) -> None:
    path = "auth/token/roles/tried"
    status, _ = oracle.send("POST", path, {"token_explicit_max_ttl": value})
    if status != 204:
        assert status in (400, 500)
        with pytest.raises(ValueError, match="duration"):
            parse_duration(value)
        return
    role = oracle.send("GET", path)[1]["data"]
    assert parse_duration(value) == role["token_explicit_max_ttl"]
