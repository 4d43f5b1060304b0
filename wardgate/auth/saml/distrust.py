"""Answers that no key of the provider has signed, in the log.

Strangers can send any number of them, so each reason has a line a minute at most, with the number of
those that had none.
"""

import logging

EVERY = 60.0
"""Seconds between two lines that give the same reason."""
_MOST_REASONS = 50
_log = logging.getLogger("wardgate.auth.saml")


class Distrusted:
    """The answers to one mount, at `path`, that are not trusted. For one event loop."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._told: dict[str, tuple[float, int]] = {}
        """When each reason was in the log last, in seconds since the epoch, and how often it was left
        out since."""

    def note(self, why: str, now: float) -> None:
        """Another one, and the reason, which is in our own words."""
        last, left_out = self._told.get(why, (float("-inf"), 0))
        if 0 <= now - last < EVERY:
            self._told[why] = (last, left_out + 1)
            return
        if len(self._told) >= _MOST_REASONS:
            self._told.clear()
        self._told[why] = (now, 0)
        _log.warning(
            "an answer to %s in the name of the identity provider is not trusted: %s%s",
            self._path,
            why,
            f" ({left_out} more since the last line of this kind)" if left_out else "",
        )
