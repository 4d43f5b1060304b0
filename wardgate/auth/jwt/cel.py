"""Expressions of CEL roles, evaluated in a process of their own (see `cel_child`).

The process is started when the first expression comes and ends when none has come for a minute.
One expression is evaluated at a time, and whoever waits does so for a while (see `cel_turns`). What
takes too much time or memory ends the process, and with the next expression there is a new one.
"""

import asyncio
import json
import math
import os
import selectors
import signal
import struct
import subprocess
import sys
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from wardgate.auth.jwt.cel_turns import Turns
from wardgate.framework.jws import Claims

_CHILD = Path(__file__).with_name("cel_child.py")
_PATIENCE = 30.0  # seconds for all that a machine does beside; the process has one of its own
_DEEPEST = 100  # levels of claims, with the values at the end
_TOO_COSTLY = "it takes too much time or memory"
_CRASHED = "a list, a map or encode_json has an optional value in it; use orValue() on that"


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
        self._turns = Turns()
        self._child: _Child | None = None

    async def check(self, program: Program) -> None:
        """Raises `CelError` when a program can never be evaluated."""
        await self._answer(program, {"do": "check", **_sent(program)})

    async def evaluate(
        self, program: Program, claims: Claims, now: float, operation: str
    ) -> Result:
        """What a program makes of claims at the time `now`. Raises `CelError`, also when no program
        could take these claims."""
        _check_claims(claims)
        about = {"claims": claims, "now": now, "operation": operation}
        answer = await self._answer(program, {"do": "evaluate", **_sent(program), **about})
        return Result(kind=answer["kind"], value=answer["value"])

    async def _answer(self, program: Program, question: dict[str, Any]) -> dict[str, Any]:
        sent = json.dumps(question).encode()
        await self._turns.take(program)
        try:
            asking = asyncio.get_running_loop().run_in_executor(None, self._ask, sent)
        except BaseException:  # there is no thread left for it
            self._turns.give_back()
            raise
        asking.add_done_callback(self._asked)
        # whoever is cancelled meanwhile leaves the process busy; it is the next one's turn after it
        answer = await asyncio.shield(asking)
        if "error" in answer:
            raise CelError(answer["error"], answer["where"])
        return answer

    def _asked(self, asking: "asyncio.Future[dict[str, Any]]") -> None:
        self._turns.give_back()
        if not asking.cancelled():
            asking.exception()  # nobody may be there any more to take it

    def _ask(self, question: bytes) -> dict[str, Any]:
        if self._child is not None:
            try:
                return self._child.ask(question)
            except _EndedIdle:
                pass
            except _Ended as ended:
                self._child = None
                raise CelError(str(ended)) from None
        try:
            self._child = _Child()
            return self._child.ask(question)
        except _Ended as ended:
            self._child = None
            raise CelError(str(ended)) from None
        except OSError:
            raise CelError("the system has no process left for it") from None


def _check_claims(claims: Claims) -> None:
    """Claims are data of somebody else: only what every step that follows can take goes on."""
    level: list[Any] = [claims]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                below.extend(each.values())
            elif isinstance(each, list):
                below.extend(each)
            elif isinstance(each, int | float) and not _is_finite(each):
                raise CelError("a number in the token's claims is too large")
        level = below
        if not level:
            return
    raise CelError(f"the token's claims are nested deeper than {_DEEPEST} levels")


def _is_finite(number: float) -> bool:
    """Whether it is a floating-point number, as which all numbers are seen by expressions."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _sent(program: Program) -> dict[str, Any]:
    return {"expression": program.expression, "variables": program.variables}


class _Ended(Exception):
    """The process is gone; the text says what in an expression does this."""

    def __init__(self, text: str = _TOO_COSTLY) -> None:
        super().__init__(text)


class _EndedIdle(_Ended):
    """It ended, or was ended, before it was asked."""


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
        if self._process.poll() is not None:  # whoever killed it, it was not for this question
            self.end()
            raise _EndedIdle
        try:
            self._to.write(struct.pack(">I", len(question)) + question)
            self._to.flush()
        except OSError:
            self.end()
            raise _EndedIdle from None
        try:
            length = struct.unpack(">I", self._read(4, deadline))[0]
            answer: dict[str, Any] = json.loads(self._read(length, deadline))
        except (OSError, EOFError) as error:
            raise self._end_of(error) from None
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

    def _end_of(self, error: Exception) -> _Ended:
        """How it has ended. It is gone in any case afterwards."""
        if not isinstance(error, TimeoutError):  # then it is about to be gone
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0)
        self.end()
        if self._process.returncode == 0:
            return _EndedIdle()
        # the library reads address 0 for an optional value where it makes a Python value of it
        return _Ended(_CRASHED if self._process.returncode == -signal.SIGSEGV else _TOO_COSTLY)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()  # nothing happens to one that has ended
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # there may be something that it was not sent any more
                pipe.close()
