"""Refusals take as long for people who do not exist as for those who do."""

from wardgate.auth.ldap.bind_times import MOST_REMEMBERED, BindTimes


def test_nothing_is_known_at_first() -> None:
    times = BindTimes()
    assert times.of_a_refusal() == 0
    assert not times.is_too_fast(0)


def test_a_refusal_is_like_one_of_the_last_of_existing_people() -> None:
    times = BindTimes()
    times.remember(5, refused=False)
    assert times.of_a_refusal() == 5
    times.remember(99, refused=True)
    for seconds in range(MOST_REMEMBERED):
        times.remember(seconds, refused=True)
    drawn = {times.of_a_refusal() for _ in range(5000)}
    assert drawn == set(range(MOST_REMEMBERED))


def test_what_is_faster_than_all_right_passwords_was_not_compared() -> None:
    times = BindTimes()
    times.remember(3, refused=False)
    times.remember(2, refused=False)
    times.remember(1, refused=True)
    assert times.is_too_fast(1.9)
    assert not times.is_too_fast(2)
