"""Expressions of CEL roles, evaluated in a process of their own (see `cel_child`).

The process is started when the first expression comes and ends when none has come for a minute.
One expression is evaluated at a time; what takes too much time or memory ends the process, and with
the next expression there is a new one.
"""

import asyncio
import json
import os
import selectors
import struct
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from wardgate.errors import Unavailable
from wardgate.framework.jws import Claims

_CHILD = Path(__file__).with_name("cel_child.py")
_PATIENCE = 30.0  # seconds for all that a machine does beside; the process has one of its own
_MOST_WAITING = 200
_TOO_COSTLY = "it takes too much time or memory"


class CelError(Exception):
    """An expression that cannot be evaluated. `where` is the name of the variable that it is for,
    empty for the expression at the end; the text repeats nothing of either."""

    def __init__(self, text: str, where: str = "") -> None:
        super().__init__(text)
        self.where = where


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What a role evaluates: variables, one after the other, and an expression at the end."""

    expression: str
    variables: tuple[tuple[str, str], ...] = ()
    """Names and expressions."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: a ``bool``, a ``string``, what is set in an ``auth`` message, or something
    ``other``, which has no use here."""

    kind: str
    value: Any = None


class Evaluator:
    """Checks and evaluates programs. For one event loop; it ends its process when it is gone."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._busy = threading.Lock()  # whoever is given up leaves a thread that still asks
        self._child: _Child | None = None
        self._waiting = 0

    async def check(self, program: Program) -> None:
        """Raises `CelError` when a program can never be evaluated."""
        await self._answer({"do": "check", **_sent(program)})

    async def evaluate(
        self, program: Program, claims: Claims, now: float, operation: str
    ) -> Result:
        """What a program makes of claims at the time `now`. Raises `CelError`."""
        about = {"claims": claims, "now": now, "operation": operation}
        answer = await self._answer({"do": "evaluate", **_sent(program), **about})
        return Result(kind=answer["kind"], value=answer["value"])

    async def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        if self._waiting >= _MOST_WAITING:
            raise Unavailable("too many expressions wait to be evaluated; try again soon")
        self._waiting += 1
        try:
            async with self._turn:
                answer = await asyncio.to_thread(self._ask, json.dumps(question).encode())
        finally:
            self._waiting -= 1
        if "error" in answer:
            raise CelError(answer["error"], answer["where"])
        return answer

    def _ask(self, question: bytes) -> dict[str, Any]:
        with self._busy:
            if self._child is not None:
                try:
                    return self._child.ask(question)
                except _EndedIdle:
                    pass
                except _Ended:
                    self._child = None
                    raise CelError(_TOO_COSTLY) from None
            try:
                self._child = _Child()
                return self._child.ask(question)
            except _Ended:
                self._child = None
                raise CelError(_TOO_COSTLY) from None
            except OSError:
                raise CelError("the system has no process left for it") from None


def _sent(program: Program) -> dict[str, Any]:
    return {"expression": program.expression, "variables": program.variables}


class _Ended(Exception):
    """The process is gone."""


class _EndedIdle(_Ended):
    """It ended by itself, before it was asked."""


class _Child:
    """A process that runs, and the pipes to it."""

    def __init__(self) -> None:
        process = subprocess.Popen(  # noqa: S603 (this Python, with a script of ours)
            [sys.executable, "-I", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
        )
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._to = process.stdin
        self._from = process.stdout.fileno()
        self.end = weakref.finalize(self, _end, process)

    def ask(self, question: bytes) -> dict[str, Any]:
        """The answer. Raises `_Ended`."""
        deadline = time.monotonic() + _PATIENCE
        try:
            self._to.write(struct.pack(">I", len(question)) + question)
            self._to.flush()
            length = struct.unpack(">I", self._read(4, deadline))[0]
            answer: dict[str, Any] = json.loads(self._read(length, deadline))
        except (OSError, EOFError) as error:
            raise (_EndedIdle if self._ended_by_itself(error) else _Ended) from None
        return answer

    def _read(self, count: int, deadline: float) -> bytes:
        received = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._from, selectors.EVENT_READ)
            while len(received) < count:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError
                piece = os.read(self._from, count - len(received))
                if not piece:
                    raise EOFError
                received += piece
        return received

    def _ended_by_itself(self, error: Exception) -> bool:
        """Whether it had ended before it was asked. It is gone in any case afterwards."""
        if not isinstance(error, TimeoutError):  # then it is about to be gone
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0)
        self.end()
        return self._process.returncode == 0


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()  # nothing happens to one that has ended
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # there may be something that it was not sent any more
                pipe.close()
