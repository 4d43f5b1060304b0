"""Work that is done once for all who need it at the same time."""

import asyncio

import pytest

from wardgate.core.single_flight import SingleFlight


class Work:
    """Counts how often it is begun, and ends when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.end = asyncio.Event()

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        await self.end.wait()
        if number == 2:
            raise ValueError("the second time")
        return number


def test_all_who_come_meanwhile_get_the_same() -> None:
    async def run() -> None:
        flight, work = SingleFlight[int](), Work()
        waiting = [flight.begin(work) for _ in range(5)]
        other = flight.begin(work, "other")
        await asyncio.sleep(0)
        assert (work.begun, flight.under_way(), flight.under_way("other")) == (2, True, True)
        work.end.set()
        assert await asyncio.gather(*waiting) == [1] * 5
        with pytest.raises(ValueError, match="second"):
            await other
        assert not flight.under_way()
        assert await flight.begin(work) == 3

    asyncio.run(run())


def test_who_is_cancelled_ends_it_for_nobody_else() -> None:
    async def run() -> None:
        flight, work = SingleFlight[int](), Work()
        one, other = (asyncio.ensure_future(flight.begin(work)) for _ in range(2))
        await asyncio.sleep(0)
        one.cancel()
        await asyncio.sleep(0)
        work.end.set()
        assert await other == 1
        assert one.cancelled()

    asyncio.run(run())
