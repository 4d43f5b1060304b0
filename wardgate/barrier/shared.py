"""What the processes of one server know together: the root key, and the shares given so far.

It lies in anonymous memory that the processes inherit from the one that started them, and never on a
disk. A process that starts later, in the place of one that died, finds it there too. Changes are made
under a lock that the system takes back from a process that dies; whether anything has changed is seen
without it, from a mark of eight bytes.
"""

import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import msgspec

_SLOT = 32 * 1024
"""Bytes: 255 shares of a key need 9 KiB."""
_MARK = 8
_LENGTH = struct.Struct(">I")


class SharedState(msgspec.Struct, frozen=True, kw_only=True):
    """`root_key` is empty while the server is sealed. `was_open` tells whether it ever was not."""

    root_key: bytes = b""
    was_open: bool = False
    given: tuple[bytes, ...] = ()
    """The shares of the attempt to unseal that is under way, and its id."""
    nonce: str = ""


NEVER_CHANGED = bytes(_MARK)
"""The mark of a server that nobody has unsealed yet, or begun to."""
_SEALED = SharedState()
_decoder = msgspec.msgpack.Decoder(SharedState)
_encode = msgspec.msgpack.Encoder().encode


class SharedSecrets:
    """The memory, as one process sees it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._memory = mmap.mmap(descriptor, _MARK + 2 * _SLOT)

    @classmethod
    def make(cls) -> Self:
        """New memory of a server that is sealed, for this process and those that it forks."""
        descriptor = os.memfd_create("wardgate")
        os.ftruncate(descriptor, _MARK + 2 * _SLOT)
        return cls(descriptor)

    @property
    def mark(self) -> bytes:
        """A number that grows with each change."""
        return self._memory[:_MARK]

    def read(self) -> tuple[bytes, SharedState]:
        """The mark and what it stands for."""
        with self._lock():
            return self.mark, self._state()

    @contextmanager
    def changing(self) -> Iterator["Change"]:
        """Keep other processes out while the state is read and replaced."""
        with self._lock():
            change = Change(self._state())
            yield change
            if change.after is change.before:
                return
            # into the other half, which counts from the moment that the mark says so: whoever dies
            # while writing has changed nothing
            following = int.from_bytes(self.mark, "big") + 1
            body = _encode(change.after)
            start = _place(following)
            self._memory[start : start + _LENGTH.size] = _LENGTH.pack(len(body))
            start += _LENGTH.size
            self._memory[start : start + len(body)] = body
            self._memory[:_MARK] = following.to_bytes(_MARK, "big")
            old = _place(following - 1)
            self._memory[old : old + _SLOT] = bytes(_SLOT)  # no key stays behind

    def _state(self) -> SharedState:
        start = _place(int.from_bytes(self.mark, "big"))
        (length,) = _LENGTH.unpack_from(self._memory, start)
        if not length:
            return _SEALED
        start += _LENGTH.size
        return _decoder.decode(self._memory[start : start + length])

    @contextmanager
    def _lock(self) -> Iterator[None]:
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)


def _place(number: int) -> int:
    return _MARK + number % 2 * _SLOT


class Change:
    """The state `before`, and what it is to be `after`."""

    __slots__ = ("after", "before")

    def __init__(self, before: SharedState) -> None:
        self.before = self.after = before
