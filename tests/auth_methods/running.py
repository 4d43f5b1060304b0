"""Runs a test with each auth method, on a fresh server each time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

import pytest

from tests.auth_methods.adapters import METHODS
from tests.auth_methods.method import Method
from tests.faults.failing_store import FailingStore
from tests.node import NodeUnderTest

Body = Callable[[Method], Awaitable[None]]


@asynccontextmanager
async def running(kind: type[Method], node: NodeUnderTest | None = None) -> AsyncIterator[Method]:
    """The method on a node, by default a fresh one over a store whose calls can fail."""
    node = node or await NodeUnderTest.start(FailingStore())
    method = kind(node)
    try:
        async with method.beside:
            await method.begin()
            yield method
    finally:
        await node.node.stop()


def with_method(kind: type[Method]) -> Callable[[Body], Callable[[], None]]:
    """Make a test out of a coroutine function that is given the method."""

    def decorate(body: Body) -> Callable[[], None]:
        def test() -> None:
            async def run() -> None:
                async with running(kind) as method:
                    await body(method)

            asyncio.run(run())

        test.__doc__ = body.__doc__
        return test

    return decorate


def of_each_method(kinds: Iterable[type[Method]] = METHODS) -> pytest.MarkDecorator:
    """Give a test each of these methods as `kind`."""
    return pytest.mark.parametrize("kind", list(kinds), ids=lambda kind: kind.kind)


def every_method(body: Body) -> Callable[[type[Method]], None]:
    """Make a test for all methods out of a coroutine function that is given one."""

    @of_each_method()
    def test(kind: type[Method]) -> None:
        with_method(kind)(body)()

    test.__doc__ = body.__doc__
    return test


def stored(method: Method) -> dict[str, object]:
    """Everything that is stored, as it is stored, but for counts of failed logins and for what logins
    begin with."""
    store = method.node.store
    assert isinstance(store, FailingStore)
    content = {str(key): entry for key, entry in store.content().items()}
    return {key: entry for key, entry in content.items() if not _passing(key)}


def _passing(key: str) -> bool:
    return "/lockout/" in key or "/challenge/" in key
