"""Keys that are fetched from others: kept for a while, and fetched again, but not too often.

Whoever sends tokens with made-up key ids, or tokens that nobody has signed, causes at most one fetch
of a set in `AT_MOST_EVERY` seconds; logins that need one at the same time wait for the same. Of
several sets none is asked for a token that a known key of another has signed, and none is waited for
longer than one that has the key.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, TypeVar

from wardgate.clock import Clock
from wardgate.core.outgoing import OutgoingFailed
from wardgate.core.single_flight import SingleFlight
from wardgate.framework.jws import VerificationKey

FRESH = 15 * 60.0
"""Seconds for which keys are used without asking again."""
KEPT = 4 * 3600.0
"""Seconds for which they are used while nobody answers who could say that they are no longer good."""
AT_MOST_EVERY = 5.0
"""Seconds between the end of a fetch and the next one."""

Known: TypeAlias = tuple[VerificationKey, ...]
Fetch: TypeAlias = Callable[[], Awaitable[Known]]
Found = TypeVar("Found")


class KeySet:
    """The keys that one `fetch` gives; it raises `OutgoingFailed`. For one event loop."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: Known = ()
        self._fetched = -KEPT
        self._tried = -AT_MOST_EVERY
        self._failure = ""
        self._fetching: SingleFlight[None] = SingleFlight()

    def known(self) -> Known:
        """The keys that are good without asking anybody, which may be none: those that are fresh, and
        older ones where the last fetch failed."""
        return self._keys if self._age() < (KEPT if self._failure else FRESH) else ()

    @property
    def failing(self) -> bool:
        """Whether the last fetch failed."""
        return bool(self._failure)

    @property
    def failure(self) -> str:
        """Why no keys are known, for people; empty when there are some."""
        return "" if self.known() else self._failure or "they could not be fetched"

    def keep_fresh(self) -> None:
        """Begin to fetch keys that are old or were never fetched, and wait for nothing."""
        if self._age() >= FRESH:
            self._begun()

    def fetch_again(self) -> None:
        """Begin a fetch, unless the last one was a moment ago, and wait for nothing."""
        self._begun()

    async def newer_than(self, tried: Known) -> Known:
        """Other keys than those that were `known` a moment ago, fetched when there are none yet, and
        when the last fetch was not a moment ago; empty when there are no others."""
        known = self.known()
        if not known or known is tried:
            fetching = self._begun()
            if fetching is not None:
                await fetching
            known = self.known()
        return () if known is tried else known

    def _begun(self) -> "asyncio.Future[None] | None":
        """The fetch that is under way, which may have been begun now; None when it is too early."""
        too_early = 0 <= self._clock.now() - self._tried < AT_MOST_EVERY
        if too_early and not self._fetching.under_way():
            return None
        return self._fetching.begin(self._fetch_keys)

    async def _fetch_keys(self) -> None:
        try:
            self._keys = await self._fetch()
            self._fetched, self._failure = self._clock.now(), ""
        except (OutgoingFailed, ValueError) as error:  # a ValueError is of framework.jws
            self._failure = str(error)
        finally:
            self._tried = self._clock.now()  # its end: it may have taken longer than the pause

    def _age(self) -> float:
        """Seconds since the keys were fetched; infinite where a clock was set back, since nobody
        knows then."""
        age = self._clock.now() - self._fetched
        return age if age >= 0 else float("inf")


async def first_found(
    sets: Sequence[KeySet], find: Callable[[Known], Awaitable[Found | None]]
) -> Found | None:
    """What `find` finds with the keys of any of `sets`; None when it finds nothing with any.

    Keys that are known come first, those of all sets at once. Only then are sets fetched, all at the
    same time, until one has what fits. A set whose last fetch failed is fetched too, but waited for
    only when no other set has keys.
    """
    for each in sets:
        each.keep_fresh()
    tried = [each.known() for each in sets]
    found = await find(sum(tried, ()))
    if found is not None:
        return found

    async def found_anew(each: KeySet, before: Known) -> Found | None:
        keys = await each.newer_than(before)
        return await find(keys) if keys else None

    searches = []
    for each, before in zip(sets, tried, strict=True):
        if each.failing and any(other.known() for other in sets if other is not each):
            each.fetch_again()
        else:
            searches.append(asyncio.create_task(found_anew(each, before)))
    try:
        for done in asyncio.as_completed(searches):
            found = await done
            if found is not None:
                return found
        return None
    finally:
        for search in searches:
            search.cancel()  # this ends no fetch, which others may wait for
        await asyncio.gather(*searches, return_exceptions=True)


async def why_unreachable(sets: Sequence[KeySet]) -> str:
    """Why keys of one of `sets` cannot be had, which are fetched at the same time where they have to
    be; empty when all can."""
    await asyncio.gather(*(each.newer_than(()) for each in sets))
    return next((each.failure for each in sets if each.failure), "")
