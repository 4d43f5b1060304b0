"""What one login may cost."""

import pytest

from wardgate.auth.ldap.effort import DirectoryFailed, Effort


def test_bytes_are_counted_over_all_answers() -> None:
    effort = Effort(60, most_bytes=10)
    effort.received(6)
    effort.received(4)
    with pytest.raises(DirectoryFailed, match="more than can be taken in"):
        effort.received(1)


def test_time_runs_out() -> None:
    assert 0 < Effort(60).left() <= 60
    with pytest.raises(DirectoryFailed, match="not answered within 0 s"):
        Effort(0).left()
