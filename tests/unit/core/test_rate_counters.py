"""How many requests each client has sent."""

from wardgate.core.quotas import MemoryCounters, Taken

NOW = 1000.0


def take(counters: MemoryCounters, client: str, now: float = NOW, block: float = 0) -> Taken:
    return counters.take("q", client, 2, 10, block, now)


def test_a_window_begins_with_the_first_request_after_the_last_one() -> None:
    counters = MemoryCounters()
    assert take(counters, "a") == Taken(True, 1, 10, 0, False)
    assert take(counters, "a", NOW + 4) == Taken(True, 0, 6, 0, False)
    assert take(counters, "a", NOW + 9) == Taken(False, 0, 1, 1, False)
    assert take(counters, "a", NOW + 13) == Taken(True, 1, 10, 0, False)


def test_clients_and_quotas_are_counted_apart() -> None:
    counters = MemoryCounters()
    for quota in ("q", "r"):
        for client in ("a", "b"):
            assert counters.take(quota, client, 1, 10, 0, NOW).allowed
            assert not counters.take(quota, client, 1, 10, 0, NOW).allowed


def test_no_more_is_kept_than_there_is_room_for() -> None:
    counters = MemoryCounters(most=100)
    for number in range(1000):
        for _ in range(3):
            take(counters, str(number), block=60)
        assert len(counters) <= 200
    assert not take(counters, "999", block=60).allowed, "the newest are remembered"
    assert take(counters, "0", block=60).allowed, "the oldest are forgotten"


def test_many_new_clients_do_not_end_a_block() -> None:
    counters = MemoryCounters(most=10)
    for _ in range(3):
        take(counters, "blocked", block=3600)
    for number in range(1000):
        take(counters, str(number))
    assert take(counters, "blocked", block=3600).blocked


def test_a_clock_that_is_set_back_blocks_nobody_for_longer() -> None:
    counters = MemoryCounters()
    for _ in range(3):
        take(counters, "a", block=60)
    assert take(counters, "a", NOW - 3600, block=60).allowed
    assert take(counters, "b").allowed
    assert take(counters, "b", NOW - 3600).remaining == 1
