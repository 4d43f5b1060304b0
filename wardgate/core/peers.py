"""The other worker processes of this server, as whoever has to ask all of them sees them.

What lies in the storage is the same for every process. The few things that each process has for itself
(what it has counted, the requests that it is answering, the levels of its loggers) are asked of all
when somebody wants to know them. `wardgate.server.peers` has what answers; a server of one process has
`NoPeers`.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol, TypeAlias

Handler: TypeAlias = Callable[[Any], Awaitable[Any]]
"""Answers a question, of plain values that msgpack knows, by such values or by msgspec's structs."""

PATIENCE = 1.0
"""Seconds in which a worker has to answer."""


class Answers(list[Any]):
    """What those said who answered, in the order of their numbers. `missing` is how many are there
    but did not answer in time, or not in the form that was asked for."""

    def __init__(self, answers: Iterable[Any] = (), missing: int = 0) -> None:
        super().__init__(answers)
        self.missing = missing


class Peers(Protocol):
    """The other workers. Ask them through `Request.once`: it is work outside of the transaction."""

    @property
    def alone(self) -> bool:
        """Whether this process is the whole server, so that nobody has to be asked."""
        ...

    @property
    def number(self) -> int:
        """Which worker this is: they are counted from 0, and one that takes the place of another
        has its number."""
        ...

    def serve(self, topic: str, handler: Handler) -> None:
        """Let `handler` answer questions about `topic`. When it raises, there is no answer."""
        ...

    async def ask(
        self, topic: str, payload: Any = None, kind: Any = Any, patience: float = PATIENCE
    ) -> Answers:
        """Ask all other workers at once. Those that have not answered after `patience` seconds, or by
        anything but a `kind` (a type that msgspec knows), are left out; what they were asked to do
        may have happened all the same."""
        ...


class NoPeers:
    """A server of one process."""

    alone = True
    number = 0

    def serve(self, topic: str, handler: Handler) -> None:
        """Nobody will ask."""

    async def ask(
        self,
        topic: str,
        payload: Any = None,
        kind: Any = Any,
        patience: float = PATIENCE,
    ) -> Answers:
        """Nobody answers, and nobody is missing."""
        return Answers()
