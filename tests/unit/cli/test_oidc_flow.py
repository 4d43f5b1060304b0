"""What a server says of a login that it has begun."""

import pytest

from wardgate.cli.failure import ServerFailed
from wardgate.cli.login_methods.oidc import _flow

PAGE = "https://provider.example/auth?state=a"


@pytest.mark.parametrize(
    "url",
    ["https://[", "ftp://provider.example", "https://a.example/\x1b[2J", "https://\u00e4.example"],
)
def test_an_address_that_is_no_page_is_refused(url: str) -> None:
    with pytest.raises(ServerFailed, match="auth_url is no address of a page"):
        _flow({}, url, "nonce")


@pytest.mark.parametrize(
    "interval", ["\u00b2", "-1", "x", "1.5", "3601", "9" * 400, "00", True, [1]]
)
def test_an_interval_that_cannot_be_waited_is_refused(interval: object) -> None:
    with pytest.raises(ServerFailed, match="poll_interval is no number of seconds from 1 to 3600"):
        _flow({"poll_interval": interval}, PAGE, "nonce")


@pytest.mark.parametrize(
    ("interval", "seconds"), [("1", 1.0), (5, 5.0), ("3600", 3600.0), ("0", 0.0), (None, 0.0)]
)
def test_intervals_are_whole_seconds(interval: object, seconds: float) -> None:
    assert _flow({"poll_interval": interval}, PAGE, "nonce").interval == seconds


def test_a_code_that_would_move_the_cursor_is_refused() -> None:
    with pytest.raises(ServerFailed, match="user_code cannot be shown"):
        _flow({"user_code": "\x1b[2J"}, PAGE, "nonce")
