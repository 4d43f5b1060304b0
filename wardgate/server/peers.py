"""Worker processes of one server ask each other, over unix sockets in a private folder.

Each worker listens on the socket that is called by its number. A conversation is one question and one
answer: each is the length of what follows, four bytes, and msgpack. Who has no answer closes the
connection. Nobody but processes of the same user gets an answer, or is believed one; and since a
worker may hang, die, or be of another release, whatever it says is bounded, and checked for its form.

Sockets are reached through the open folder, so that its path may be as long as it likes: addresses
of unix sockets have 107 bytes.
"""

import asyncio
import contextlib
import errno
import logging
import os
import socket
import stat
import struct
from pathlib import Path
from typing import Any

import msgspec

from wardgate.core.peers import PATIENCE, Answers, Handler
from wardgate.core.unexpected import log_unexpected
from wardgate.errors import WardgateError

MOST_ASKED = 1024 * 1024
"""Bytes of a question."""
MOST_ANSWERED = 16 * 1024 * 1024
"""Bytes of an answer: metrics of some thousands of mounts are about a third of it."""
AT_ONCE = 16
"""Conversations that one worker begins at the same time, so that asking takes few open files."""

_LENGTH = struct.Struct(">I")
_CREDENTIALS = struct.Struct("3i")  # process, user, group: see unix(7)
_encode = msgspec.msgpack.Encoder().encode
_log = logging.getLogger("wardgate.server")


class PeersError(WardgateError):
    """This worker cannot listen for the others. The message says why."""


class _Question(msgspec.Struct, array_like=True):
    topic: str
    payload: Any = None


_question = msgspec.msgpack.Decoder(_Question)


class _Absent(Exception):
    """Nobody listens on the socket: its worker has ended, or has not begun yet."""


class Peers:
    """One worker among the others: see `wardgate.core.peers.Peers`. Use it from one event loop."""

    alone = False

    def __init__(self, folder: Path, number: int) -> None:
        """`folder` is the same for all workers of the server, and nobody else's: of this user, who
        alone may enter it. No two workers that live have the same `number`."""
        self.number = number
        self._path = folder
        self._folder = -1
        self._server: asyncio.Server | None = None
        self._handlers: dict[str, Handler] = {}
        self._talks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._silent: set[int] = set()

    def serve(self, topic: str, handler: Handler) -> None:
        """Let `handler` answer questions about `topic`. When it raises, there is no answer."""
        self._handlers[topic] = handler

    async def start(self) -> None:
        """Listen from now on. Raises `PeersError`."""
        try:
            self._folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            found = os.fstat(self._folder)
            if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
                raise PeersError("the folder of the workers' sockets is open to others")
            self._server = await asyncio.start_unix_server(self._accepted, sock=self._listening())
        except OSError as error:
            await self.stop()
            raise PeersError(f"cannot listen for the other workers: {error.strerror}") from None
        except PeersError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Answer nobody any more, and remove the socket."""
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(OSError):
                os.unlink(str(self.number), dir_fd=self._folder)
            self._server = None
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1

    async def ask(
        self,
        topic: str,
        payload: Any = None,
        kind: Any = Any,
        patience: float = PATIENCE,
    ) -> Answers:
        """See `wardgate.core.peers.Peers`. A question that is too large is a `ValueError`."""
        message = _framed(_encode(_Question(topic, payload)), MOST_ASKED)
        others = self._others()
        said = await asyncio.gather(
            *(self._asked(number, message, kind, patience) for number in others),
            return_exceptions=True,
        )
        answers: list[Any] = []
        silent = set()
        for number, answer in zip(others, said, strict=True):
            if isinstance(answer, _Absent):
                continue
            if not isinstance(answer, BaseException):
                answers.append(answer)
            elif isinstance(answer, Exception):
                silent.add(number)
                if number not in self._silent:
                    _log.warning("worker %d does not answer: %s", number, type(answer).__name__)
            else:
                raise answer
        self._silent = silent
        return Answers(answers, len(silent))

    def _others(self) -> list[int]:
        """The numbers of the sockets in the folder, but for this worker's."""
        if self._folder < 0:
            return []
        numbers = (int(name) for name in os.listdir(self._folder) if name.isdecimal())
        return sorted(number for number in numbers if number != self.number)

    def _address(self, number: int) -> str:
        return f"/proc/self/fd/{self._folder}/{number}"

    async def _asked(self, number: int, message: bytes, kind: Any, patience: float) -> Any:
        async with asyncio.timeout(patience), self._turns:
            try:
                reader, writer = await asyncio.open_unix_connection(self._address(number))
            except (FileNotFoundError, ConnectionRefusedError):
                raise _Absent from None
            try:
                _check_user(writer)
                writer.write(message)
                await writer.drain()
                answer = await _received(reader, MOST_ANSWERED)
            finally:
                writer.transport.abort()
        return msgspec.msgpack.decode(answer, type=kind)

    def _listening(self) -> socket.socket:
        """A socket under this worker's number, in place of one that a dead one left behind."""
        address = self._address(self.number)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            result = probe.connect_ex(address)
        if result in (0, errno.EAGAIN):
            raise PeersError(f"another worker with the number {self.number} is running")
        if result != errno.ENOENT:
            os.unlink(str(self.number), dir_fd=self._folder)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.bind(address)
            made.listen()
        except BaseException:
            made.close()
            raise
        return made

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            _check_user(writer)
            async with asyncio.timeout(PATIENCE):
                question = _question.decode(await _received(reader, MOST_ASKED))
            answer = await self._handlers[question.topic](question.payload)
            writer.write(_framed(_encode(answer), MOST_ANSWERED))
            async with asyncio.timeout(PATIENCE):
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, EOFError, msgspec.MsgspecError):
            pass  # whoever asked has gone away, or is no worker
        except Exception as error:
            log_unexpected("answering another worker", error)
        finally:
            writer.transport.abort()


def _framed(message: bytes, most: int) -> bytes:
    if len(message) > most:
        raise ValueError(f"a message between workers has at most {most} bytes")
    return _LENGTH.pack(len(message)) + message


async def _received(reader: asyncio.StreamReader, most: int) -> bytes:
    """A whole message. `OSError` for one that is too long, `EOFError` for one that ends early."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > most:
        raise OSError(errno.EMSGSIZE, "too long")
    return await reader.readexactly(length)


def _check_user(writer: asyncio.StreamWriter) -> None:
    """`PermissionError` unless the other side is a process of the same user."""
    connection = writer.get_extra_info("socket")
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(told)
    if user != os.geteuid():
        raise PermissionError(errno.EPERM, "a process of another user")
