"""The audit of one request, on every device that was enabled when it began.

A request is recorded once, however often its transaction runs, and before anything comes of it:
a commit, work outside of the transaction and the answer wait until a device has the record. When
none can take it, the request fails.
"""

import asyncio
import contextlib
from collections.abc import Awaitable

import msgspec

from wardgate.clock import Clock
from wardgate.core.audit.record import Formatter
from wardgate.core.audit.seen import Asking, Pieces, answer_data
from wardgate.core.audit.sink import Sink, Ticket
from wardgate.core.identity import Standings
from wardgate.core.json import encode
from wardgate.core.metrics import Counter
from wardgate.core.policy import Acl
from wardgate.core.request import Request, Response
from wardgate.errors import InternalError, RequestError

_LARGE = 32 * 1024
"""Bytes of JSON from which on texts are hashed on a thread: this much takes a few milliseconds."""


class AuditError(InternalError):
    """No device could take a record."""

    def __init__(self) -> None:
        super().__init__(
            "no audit device could record the request; nothing is answered until one can"
        )


class Seat:
    """A device: how its records look, and where they go."""

    __slots__ = ("formatter", "sink")

    def __init__(self, formatter: Formatter, sink: Sink) -> None:
        self.formatter = formatter
        self.sink = sink


class Failures(msgspec.Struct, frozen=True):
    """How often no device could take a record."""

    requests: Counter
    responses: Counter


class Entry:
    """What is recorded of one request."""

    __slots__ = ("_clock", "_failures", "_headers", "_pieces", "_seats", "_standings", "_ticket")

    def __init__(
        self,
        seats: tuple[Seat, ...],
        headers: dict[str, bool],
        standings: Standings,
        clock: Clock,
        failures: Failures,
    ) -> None:
        self._seats = seats
        self._headers = headers
        self._standings = standings
        self._failures = failures
        self._clock = clock
        self._pieces: dict[Seat, Pieces] = {}
        self._ticket: Ticket | None = None

    def include(self, *seats: Seat) -> None:
        """Record there too what is still to be recorded."""
        new = tuple(seat for seat in seats if seat not in self._seats)
        if new:
            self._seats += new

    def note(self, request: Request, refusal: Response | None = None) -> Awaitable[None] | None:
        """Record the request, unless that has been done; `refusal` is its answer if it gets no
        farther. Does not wait for the devices; what has to be waited for first, if anything, comes
        back."""
        if self._ticket is not None:
            return None
        token = request.token
        if request.body or (token is not None and token.entity_id):
            return self._note_slowly(request, refusal)
        errors, now = error_text(refusal), self._clock.now()
        asking = self._asking(request, refusal)
        lines = [self._request_line(seat, request, asking, now, errors) for seat in self._seats]
        self._ticket = self._give(lines)
        return None

    def _give(self, lines: list[bytes]) -> Ticket:
        """Give each device its form of a record."""
        ticket = Ticket(len(lines))
        for seat, line in zip(self._seats, lines, strict=True):
            seat.sink.add(line, ticket)
        return ticket

    async def _note_slowly(self, request: Request, refusal: Response | None) -> None:
        """The same, where there is more to find out, or much to hash."""
        asking, now = await self._person(request, self._asking(request, refusal)), self._clock.now()
        large = bool(request.body) and len(encode(request.body)) > _LARGE
        lines = []
        for seat in self._seats:
            arguments = (seat, request, asking, now, error_text(refusal))
            if large:
                lines.append(await asyncio.to_thread(self._request_line, *arguments))
            else:
                lines.append(self._request_line(*arguments))
        self._ticket = self._give(lines)

    def _request_line(
        self, seat: Seat, request: Request, asking: Asking, now: float, errors: str
    ) -> bytes:
        pieces = seat.formatter.pieces(request, self._headers, asking)
        self._pieces[seat] = pieces
        return seat.formatter.request_line(pieces, now, errors)

    @staticmethod
    def _asking(request: Request, refusal: Response | None) -> Asking:
        """What the rooms before found out about whoever asks."""
        if request.token is None:
            return Asking(allowed=refusal is None)
        allowed = refusal is None or refusal.status != 403
        if not allowed:
            return Asking(allowed=False)
        rights: Acl | None = getattr(request, "acl", None)  # unset when they could not be found out
        return Asking(allowed=True, rights=rights)

    async def _person(self, request: Request, asking: Asking) -> Asking:
        """With what an identity adds to the token."""
        if request.token is None or not request.token.entity_id:
            return asking
        standing = None
        with contextlib.suppress(RequestError):  # the storage may have been sealed meanwhile
            standing = await self._standings.of(request.transaction, request.token.entity_id)
        if standing is None:
            return asking
        return Asking(allowed=asking.allowed, rights=asking.rights, identity=standing.policies)

    async def delivered(self, request: Request) -> None:
        """Wait until a device has the request's record; `AuditError` when none takes it."""
        slowly = self.note(request)
        if slowly is not None:
            await slowly
        assert self._ticket is not None
        if not self._ticket.written and not await self._ticket.wait():
            self._failures.requests.add()
            raise AuditError

    async def answered(self, request: Request, response: Response) -> None:
        """Record the answer, and wait until a device has the records of both; `AuditError` when
        none takes one of them."""
        slowly = self.note(request, response if response.status >= 400 else None)
        if slowly is not None:
            await slowly
        asked = self._ticket
        assert asked is not None
        errors, data, now = error_text(response), answer_data(response), self._clock.now()
        lines = []
        for seat in self._seats:
            if seat not in self._pieces:  # enabled while the request was under way
                asking = await self._person(request, self._asking(request, None))
                self._pieces[seat] = seat.formatter.pieces(request, self._headers, asking)
            arguments = (self._pieces[seat], now, errors, request, response, data)
            if len(data) > _LARGE:
                lines.append(await asyncio.to_thread(seat.formatter.response_line, *arguments))
            else:
                lines.append(seat.formatter.response_line(*arguments))
        ticket = self._give(lines)
        # devices keep the order, so that the first record is mostly written with the second
        written = ticket.written or await ticket.wait()
        if not (asked.written or await asked.wait()):
            self._failures.requests.add()
            raise AuditError
        if not written:
            self._failures.responses.add()
            raise AuditError


def error_text(response: Response | None) -> str:
    """Why a request was refused; empty when it was not, or nothing is said about it."""
    if response is None or response.status < 400 or not response.bare:
        return ""
    return ", ".join(response.data["errors"]) if isinstance(response.data, dict) else ""
