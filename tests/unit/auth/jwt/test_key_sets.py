"""Several key sets of one mount: which of them are fetched, and which are waited for."""

import asyncio

import pytest

from tests.clock import ManualClock
from tests.issuer import jwk
from wardgate.auth.jwt.key_sets import (
    AT_MOST_EVERY,
    FRESH,
    KeySet,
    Known,
    first_found,
    why_unreachable,
)
from wardgate.core.outgoing import OutgoingFailed
from wardgate.framework.jws import key_set

GUARD = 60.0  # seconds after which a test that hangs is ended


class Source:
    """Where one set comes from: its keys have the ids `ids`; with None the fetch fails. Fetches wait
    while `going_on` is cleared; `fetches` counts them, and `begun` is set by the first."""

    def __init__(self, clock: ManualClock, *ids: str) -> None:
        self.ids: tuple[str, ...] | None = ids
        self.fetches = 0
        self.going_on = asyncio.Event()
        self.going_on.set()
        self.begun = asyncio.Event()
        self.set = KeySet(self._fetch, clock)

    async def _fetch(self) -> Known:
        self.fetches += 1
        self.begun.set()
        await self.going_on.wait()
        if self.ids is None:
            raise OutgoingFailed("nobody is there")
        return key_set({"keys": [jwk("ec", kid=id) for id in self.ids]})


async def found(wanted: str, *sources: Source) -> str | None:
    """The id of the key, if one of the sets has it."""

    async def find(keys: Known) -> str | None:
        return next((key.id for key in keys if key.id == wanted), None)

    async with asyncio.timeout(GUARD):
        return await first_found([each.set for each in sources], find)


def test_a_key_that_is_known_asks_no_other_set() -> None:
    async def run() -> None:
        clock = ManualClock()
        one, two = Source(clock, "a"), Source(clock, "b")
        assert await found("nobody's", one, two) is None
        for _ in range(3):
            clock.advance(AT_MOST_EVERY)
            assert await found("b", one, two) == "b"
        assert (one.fetches, two.fetches) == (1, 1)

    asyncio.run(run())


def test_a_set_that_does_not_answer_holds_up_no_other() -> None:
    async def run() -> None:
        clock = ManualClock()
        silent, two = Source(clock, "a"), Source(clock, "b")
        silent.going_on.clear()
        assert await found("b", silent, two) == "b"  # both are fetched for the first time
        two.ids = ("c",)
        clock.advance(AT_MOST_EVERY)
        assert await found("c", silent, two) == "c"  # a new key
        clock.advance(FRESH)
        assert await found("c", silent, two) == "c"  # old keys
        assert silent.fetches == 1
        silent.going_on.set()
        assert await found("a", silent, two) == "a"

    asyncio.run(run())


def test_a_set_that_failed_is_fetched_again_without_waiting_while_another_has_keys() -> None:
    async def run() -> None:
        clock = ManualClock()
        dead, two = Source(clock, "a"), Source(clock, "b")
        dead.ids = None
        assert await found("a", dead, two) is None
        clock.advance(AT_MOST_EVERY)
        dead.going_on.clear()
        assert await found("a", dead, two) is None
        assert dead.set.failure == "nobody is there"
        await asyncio.sleep(0)  # the fetch has been begun, and runs now
        assert dead.fetches == 2
        dead.ids = ("a",)
        dead.going_on.set()
        clock.advance(AT_MOST_EVERY)
        await dead.set.newer_than(())
        assert await found("a", dead, two) == "a"

    asyncio.run(run())


def test_sets_that_all_failed_are_waited_for() -> None:
    async def run() -> None:
        clock = ManualClock()
        one, two = Source(clock, "a"), Source(clock, "b")
        one.ids = two.ids = None
        assert await found("a", one, two) is None
        one.ids = ("a",)
        assert await found("a", one, two) is None  # a moment ago
        clock.advance(AT_MOST_EVERY)
        assert await found("a", one, two) == "a"

    asyncio.run(run())


@pytest.mark.parametrize("fails", [False, True])
def test_the_pause_begins_when_a_fetch_ends(fails: bool) -> None:
    async def run() -> None:
        clock = ManualClock()
        slow = Source(clock, "a")
        slow.going_on.clear()
        waiting = asyncio.create_task(found("b", slow))
        await slow.begun.wait()
        if fails:
            slow.ids = None
        clock.advance(2 * AT_MOST_EVERY)
        slow.going_on.set()
        await waiting
        await found("b", slow)
        assert slow.fetches == 1
        clock.advance(AT_MOST_EVERY)
        await found("b", slow)
        assert slow.fetches == 2

    asyncio.run(run())


def test_keys_that_came_while_others_were_tried_count() -> None:
    async def run() -> None:
        clock = ManualClock()
        one, two = Source(clock, "a"), Source(clock, "b")
        assert await found("a", one) == "a"

        async def find(keys: Known) -> str | None:
            if not any(key.id == "b" for key in keys):
                await two.set.newer_than(())  # as another login does at this moment
            return next((key.id for key in keys if key.id == "b"), None)

        async with asyncio.timeout(GUARD):
            assert await first_found([one.set, two.set], find) == "b"
        assert two.fetches == 1

    asyncio.run(run())


def test_several_sets_are_looked_at_at_the_same_time() -> None:
    async def run() -> None:
        clock = ManualClock()
        sources = [Source(clock, "a") for _ in range(5)]
        sources[3].ids = None
        for each in sources:
            each.going_on.clear()
        why = asyncio.create_task(why_unreachable([each.set for each in sources]))
        async with asyncio.timeout(GUARD):
            for each in sources:
                await each.begun.wait()
            for each in sources:
                each.going_on.set()
            assert await why == "nobody is there"

    asyncio.run(run())
