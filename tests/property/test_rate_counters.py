"""Counters that processes share count as those of one process do, in any order of requests, as long as
there is room."""

from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.core.quotas import MemoryCounters, SharedCounters

QUOTAS = {
    "plain": (2, 10.0, 0.0),
    "short": (3, 1.0, 0.0),
    "long": (2, 5.0, 20.0),
    "": (1, 9.0, 3.0),
}
"""By their ids: requests, interval and block."""
CLIENTS = ("", "10.0.0.1", "10.0.0.2", "::1", "\x00", "ä\ud800")

steps = st.tuples(
    st.sampled_from(sorted(QUOTAS)),
    st.sampled_from(CLIENTS),
    st.sampled_from((0.0, 0.0, 0.0, 0.25, 1.0, 3.0, 10.0, -0.5, -1.0, -1.5, -7.0, -60.0)),
)


@given(st.lists(steps, max_size=80))
@settings(max_examples=300, deadline=None)
def test_both_count_alike(requests: list[tuple[str, str, float]]) -> None:
    memory, shared = MemoryCounters(), SharedCounters.make(32)
    now = 1_700_000_000.0
    for quota, client, later in requests:
        now += later
        taken = shared.take(quota, client, *QUOTAS[quota], now)
        assert taken == memory.take(quota, client, *QUOTAS[quota], now)
        assert len(shared) == len(memory)
