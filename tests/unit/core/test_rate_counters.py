"""How many requests each client has sent: in the memory of one process, and in that of several."""

from collections.abc import Callable

import pytest

from wardgate.core.quotas import Counters, MemoryCounters, SharedCounters, Taken

NOW = 1000.0

both = pytest.mark.parametrize(
    "make", [MemoryCounters, SharedCounters.make], ids=["memory", "shared"]
)


def take(counters: Counters, client: str, now: float = NOW, block: float = 0) -> Taken:
    return counters.take("q" if not block else "blocking", client, 2, 10, block, now)


@both
def test_a_window_begins_with_the_first_request_after_the_last_one(
    make: Callable[[], Counters],
) -> None:
    counters = make()
    assert take(counters, "a") == Taken(True, 1, 10, 0, False)
    assert take(counters, "a", NOW + 4) == Taken(True, 0, 6, 0, False)
    assert take(counters, "a", NOW + 9) == Taken(False, 0, 1, 1, False)
    assert take(counters, "a", NOW + 13) == Taken(True, 1, 10, 0, False)


@both
def test_who_sends_too_much_is_blocked(make: Callable[[], Counters]) -> None:
    counters = make()
    for left in (1, 0):
        assert take(counters, "a", block=30) == Taken(True, left, 10, 0, False)
    assert take(counters, "a", NOW + 4, block=30) == Taken(False, 0, 6, 30, False)
    assert take(counters, "a", NOW + 14, block=30) == Taken(False, 0, 0, 20, True)
    assert take(counters, "b", NOW + 14, block=30).allowed
    assert take(counters, "a", NOW + 34, block=30) == Taken(True, 1, 10, 0, False)
    for _ in range(2):
        take(counters, "a", NOW + 34, block=30)
    assert take(counters, "a", NOW + 34, block=30) == Taken(False, 0, 0, 30, True)


@both
def test_clients_and_quotas_are_counted_apart(make: Callable[[], Counters]) -> None:
    counters = make()
    for quota, client in (("q", "a"), ("q", "b"), ("r", "a"), ("r", "b"), ("qa", ""), ("", "qa")):
        assert counters.take(quota, client, 1, 10, 0, NOW).allowed
        assert not counters.take(quota, client, 1, 10, 0, NOW).allowed


@both
def test_as_many_requests_are_counted_as_a_limit_may_have(make: Callable[[], Counters]) -> None:
    counters = make()
    assert counters.take("q", "a", 2**63, 10, 0, NOW).remaining == 2**63 - 1
    for number in range(1, 600):
        assert counters.take("q", "a", 2**63, 10, 0, NOW).remaining == 2**63 - 1 - number


@both
def test_no_more_is_kept_than_there_is_room_for(make: Callable[[int], Counters]) -> None:
    for most in (1, 7, 100):
        counters = make(most)
        for number in range(1000):
            for _ in range(3):
                take(counters, str(number), block=60)
            assert len(counters) <= 2 * most  # type: ignore[arg-type]
        assert not take(counters, "999", block=60).allowed, "the newest are remembered"
        assert take(counters, "0", block=60).allowed, "the oldest are forgotten"


@both
def test_many_new_clients_do_not_end_a_block(make: Callable[[int], Counters]) -> None:
    counters = make(10)
    for _ in range(3):
        take(counters, "blocked", block=3600)
    for number in range(1000):
        take(counters, str(number))
    assert take(counters, "blocked", block=3600).blocked


@both
def test_a_clock_that_is_set_back_blocks_nobody_for_longer(make: Callable[[], Counters]) -> None:
    counters = make()
    for _ in range(3):
        take(counters, "a", block=60)
    assert take(counters, "a", NOW - 900, block=60).allowed
    assert take(counters, "b").allowed
    assert take(counters, "b", NOW - 900).remaining == 1


@both
def test_limits_hold_in_a_full_table_whose_clock_was_set_back(
    make: Callable[[int], Counters],
) -> None:
    counters = make(100)
    for number in range(1000):
        take(counters, str(number))
    for client in ("a", "b"):
        take(counters, client, NOW - 900)
    for client in ("a", "b"):
        assert take(counters, client, NOW - 900).remaining == 0
    for client in ("a", "b"):
        assert not take(counters, client, NOW - 900).allowed


@both
def test_requests_that_are_counted_in_another_order_begin_nothing_anew(
    make: Callable[[], Counters],
) -> None:
    counters = make()
    assert take(counters, "a") == Taken(True, 1, 10, 0, False)
    assert take(counters, "a", NOW - 0.5) == Taken(True, 0, 10, 0, False)
    assert take(counters, "a", NOW - 0.25) == Taken(False, 0, 10, 10, False)
    for _ in range(3):
        take(counters, "b", block=60)
    assert take(counters, "b", NOW - 0.5, block=60) == Taken(False, 0, 0, 60, True)
