"""Whoever waits for an expression to be evaluated: in which order, and for how long."""

import asyncio
import functools
from collections.abc import Callable, Coroutine

import pytest

from wardgate.auth.jwt.cel import Evaluator, Program
from wardgate.auth.jwt.cel_turns import Turns
from wardgate.errors import Unavailable

LOOPS = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
COSTLY = Program(
    expression=f"{LOOPS}.all(a, {LOOPS}.all(b, {LOOPS}.all(c, !claims.text.matches('(a|b)+c'))))"
)
TEXT = {"text": "a" * 1_000_000}
CHEAP = Program(expression="'done'")


def in_a_loop(body: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    """Make a test out of a coroutine function."""

    @functools.wraps(body)
    def test() -> None:
        asyncio.run(body())

    return test


async def settle() -> None:
    """Let everybody who has something to do without waiting do it."""
    for _ in range(5):
        await asyncio.sleep(0)


@in_a_loop
async def test_the_lines_take_turns() -> None:
    turns = Turns()
    order: list[str] = []

    async def one(line: str) -> None:
        await turns.take(line)
        order.append(line)
        turns.give_back()

    await turns.take("first")
    waiting = [asyncio.create_task(one(line)) for line in "aaabbc"]
    await settle()
    assert order == []
    turns.give_back()
    await asyncio.gather(*waiting)
    assert order == ["a", "b", "c", "a", "b", "a"]
    await turns.take("again")


@in_a_loop
async def test_whoever_waits_too_long_is_told_so_and_leaves() -> None:
    turns = Turns(patience=0, most_waiting=1)
    await turns.take("a")
    for _ in range(3):
        with pytest.raises(Unavailable, match="not evaluated in time"):
            await turns.take("a")
    turns.give_back()
    await turns.take("a")


@in_a_loop
async def test_whoever_is_cancelled_leaves_at_once() -> None:
    turns = Turns(most_waiting=1)
    await turns.take("a")
    for line in "ab":
        waiting = asyncio.create_task(turns.take(line))
        await settle()
        with pytest.raises(Unavailable, match="too many expressions wait"):
            await turns.take("c")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    last = asyncio.create_task(turns.take("c"))
    await settle()
    turns.give_back()
    await last


@in_a_loop
async def test_a_turn_that_comes_when_nobody_wants_it_any_more_is_the_next_ones() -> None:
    turns = Turns()
    await turns.take("a")
    gone, gone_before, last = (asyncio.create_task(turns.take(line)) for line in "abc")
    await settle()
    gone_before.cancel()
    turns.give_back()
    gone.cancel()
    await last
    assert gone.cancelled()
    assert gone_before.cancelled()


@in_a_loop
async def test_a_costly_program_does_not_keep_the_others_waiting() -> None:
    evaluator = Evaluator()
    costly = [
        asyncio.create_task(evaluator.evaluate(COSTLY, TEXT, 0.0, "update")) for _ in range(20)
    ]
    await settle()
    assert (await evaluator.evaluate(CHEAP, {}, 0.0, "update")).value == "done"
    assert sum(each.done() for each in costly) <= 3
    for each in costly:
        each.cancel()
    await asyncio.gather(*costly, return_exceptions=True)
    assert (await evaluator.evaluate(CHEAP, {}, 0.0, "update")).value == "done"
