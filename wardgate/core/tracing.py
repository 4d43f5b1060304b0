"""Spans: what took how long, for whoever has configured traces. Nothing else pays for them.

The core knows only this interface; `wardgate.server.tracing` has the OpenTelemetry behind it. What is
given as an attribute is sent to another machine: names of mounts and operations, never what a
request brings along.
"""

from contextlib import AbstractContextManager
from typing import Protocol


class Span(Protocol):
    """Something that takes time."""

    def set(self, **attributes: str | int) -> None:
        """Add what was found out meanwhile."""
        ...

    def fail(self, kind: str) -> None:
        """Mark it as failed, by an error of this kind."""
        ...


class Tracer(Protocol):
    """Makes spans. One that begins inside of another is its child."""

    def span(
        self, name: str, parent: str = "", **attributes: str | int
    ) -> AbstractContextManager[Span]:
        """A span for as long as the context lasts. `parent` is a W3C ``traceparent``, if the caller
        sent one."""
        ...
