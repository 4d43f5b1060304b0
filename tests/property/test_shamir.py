"""Shares, for any secret and any counts."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.barrier.shamir import combine, split

# Long enough that a wrong combination never happens to be right.
LONG_SECRETS = st.binary(min_size=16, max_size=48)


def share_at_point(secret: bytes, threshold: int) -> dict[int, bytes]:
    """A share for every point there is."""
    return {share[-1]: share for share in split(secret, 255, threshold)}


@st.composite
def counts(draw: st.DrawFn, least: int = 2) -> tuple[int, int]:
    """Number of shares and threshold."""
    threshold = draw(st.integers(least, 12))
    return draw(st.integers(threshold, 24)), threshold


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=80), counts(), st.randoms(use_true_random=False))
def test_any_threshold_of_them_in_any_order_recovers(
    secret: bytes, count: tuple[int, int], choice: random.Random
) -> None:
    shares, threshold = count
    made = split(secret, shares, threshold)
    assert combine(choice.sample(made, threshold)) == secret
    assert combine(choice.sample(made, choice.randint(threshold, shares))) == secret


@settings(deadline=None)
@given(LONG_SECRETS, counts(least=3), st.randoms(use_true_random=False))
def test_fewer_do_not(secret: bytes, count: tuple[int, int], choice: random.Random) -> None:
    shares, threshold = count
    made = split(secret, shares, threshold)
    assert combine(choice.sample(made, choice.randint(2, threshold - 1))) != secret


@settings(deadline=None)
@given(LONG_SECRETS, LONG_SECRETS, st.integers(2, 12), st.randoms(use_true_random=False))
def test_shares_of_another_split_do_not_mix_in(
    secret: bytes, other: bytes, threshold: int, choice: random.Random
) -> None:
    """Whether that other split was of another secret or of the same one."""
    foreign_point, *own_points = choice.sample(range(1, 256), threshold)
    own = share_at_point(secret[:16], threshold)
    for foreign in (share_at_point(other[:16], threshold), share_at_point(secret[:16], threshold)):
        mixed = [foreign[foreign_point], *(own[point] for point in own_points)]
        assert combine(mixed) not in (secret[:16], other[:16])


@settings(deadline=None)
@given(LONG_SECRETS, counts(), st.data())
def test_a_changed_share_does_not_recover(
    secret: bytes, count: tuple[int, int], data: st.DataObject
) -> None:
    shares, threshold = count
    chosen = split(secret, shares, threshold)[:threshold]
    at = data.draw(st.integers(0, len(secret) - 1))
    changed = bytearray(chosen[0])
    changed[at] ^= data.draw(st.integers(1, 255))
    assert combine([bytes(changed), *chosen[1:]]) != secret
