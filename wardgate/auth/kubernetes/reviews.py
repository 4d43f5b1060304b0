"""Reviews that are remembered for a few seconds, where the configuration says so."""

import hashlib
from collections import OrderedDict

MOST = 1000
"""Reviews that a mount remembers in one process."""


class Reviews:
    """Tokens that the API has called good, by a hash of all that the question was about.

    A process knows its own alone: another one asks once more.
    """

    def __init__(self) -> None:
        self._held: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def holds(self, key: bytes, now: float) -> bool:
        """Whether a review is still to be believed; not when the clock was set back since."""
        since, until = self._held.get(key, (now, now))
        return since <= now < until

    def remember(self, key: bytes, now: float, seconds: float) -> None:
        """Believe a review for so long; of too many the oldest is forgotten."""
        self._held[key] = now, now + seconds
        self._held.move_to_end(key)
        if len(self._held) > MOST:
            self._held.popitem(last=False)


def review_key(*parts: bytes) -> bytes:
    """A hash of a question's parts, from which none of them can be learnt."""
    hashed = hashlib.blake2b(digest_size=32)
    for part in parts:
        hashed.update(len(part).to_bytes(8))
        hashed.update(part)
    return hashed.digest()
