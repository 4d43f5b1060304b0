"""Keys that are fetched from others: kept for a while, and fetched again, but not too often.

Whoever sends tokens with made-up key ids, or tokens that nobody has signed, causes at most one fetch
in `AT_MOST_EVERY` seconds; logins that need one at the same time wait for the same.
"""

import asyncio
from collections.abc import Awaitable, Callable

from wardgate.clock import Clock
from wardgate.core.outgoing import OutgoingFailed
from wardgate.framework.jws import VerificationKey

FRESH = 15 * 60.0
"""Seconds for which keys are used without asking again."""
KEPT = 4 * 3600.0
"""Seconds for which they are used while nobody answers who could say that they are no longer good."""
AT_MOST_EVERY = 5.0
"""Seconds between two fetches."""

Fetch = Callable[[], Awaitable[tuple[VerificationKey, ...]]]


class NoKeys(Exception):
    """There are no keys to check with; the text says why, for people."""


class KeySet:
    """The keys that one `fetch` gives; it raises `OutgoingFailed`. For one event loop."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: tuple[VerificationKey, ...] = ()
        self._fetched = -KEPT
        self._tried = -AT_MOST_EVERY
        self._failure = ""
        self._fetching: asyncio.Task[None] | None = None

    async def keys(self) -> tuple[VerificationKey, ...]:
        """The keys as they are known, fetched when they are old or were never fetched. Where that
        failed last time, it is tried again while the old ones are used.

        Raises `NoKeys` when there are none, or none that are not too old.
        """
        if self._age() >= FRESH:
            fetching = self._begun()
            if fetching is not None and (not self._failure or self._age() >= KEPT):
                await asyncio.shield(fetching)
        if self._age() >= KEPT:
            raise NoKeys(self._failure or "they could not be fetched")
        return self._keys

    async def refresh(self) -> bool:
        """Fetch the keys again, or wait for a fetch that has begun; whether there is a new answer.

        Nothing happens when the last fetch was a moment ago. One that fails leaves the keys.
        """
        before, fetching = self._keys, self._begun()
        if fetching is None:
            return False
        await asyncio.shield(fetching)
        return self._keys is not before

    def _begun(self) -> asyncio.Task[None] | None:
        """The fetch that is under way, which may have been begun now; None when it is too early."""
        if self._fetching is None and not 0 <= self._clock.now() - self._tried < AT_MOST_EVERY:
            self._tried = self._clock.now()
            self._fetching = asyncio.create_task(self._fetch_keys())
        return self._fetching

    async def _fetch_keys(self) -> None:
        try:
            self._keys = await self._fetch()
            self._fetched, self._failure = self._clock.now(), ""
        except (OutgoingFailed, ValueError) as error:  # a ValueError is of framework.jws
            self._failure = str(error)
        finally:
            self._fetching = None

    def _age(self) -> float:
        """Seconds since the keys were fetched; infinite where a clock was set back, since nobody
        knows then."""
        age = self._clock.now() - self._fetched
        return age if age >= 0 else float("inf")
