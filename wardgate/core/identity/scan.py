"""Walking over many records without keeping other requests waiting."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

from wardgate.core.storage import Transaction

T = TypeVar("T")

PAGE = 200
"""Names read between two turns of the event loop: a few milliseconds of work."""

TURN = 50
"""Records changed between two turns of the event loop."""


async def in_turns(items: Iterable[T]) -> AsyncIterator[T]:
    """The items one by one, for work on each of many of them."""
    for number, item in enumerate(items):
        if number % TURN == TURN - 1:
            await asyncio.sleep(0)
        yield item


async def names_below(
    transaction: Transaction, prefix: str, after: str = "", most: int | None = None
) -> AsyncIterator[list[str]]:
    """The names directly below `prefix`, sorted, a page at a time; at most `most` of them."""
    left = most
    while True:
        size = PAGE if left is None else min(PAGE, left)
        names = await transaction.list(prefix, after, size)
        if names:
            yield names
        if left is not None:
            left -= len(names)
        if len(names) < size or left == 0:
            return
        after = names[-1]
        await asyncio.sleep(0)
