"""The file device: records are appended to a file.

All records that are ready go into it with one ``write``, so that several processes can share a file:
the system appends them as a whole. A file that was moved or deleted is noticed within a second, and
a new one is begun in its place.

What a path leads to is looked at before it is written to (CVE-2025-6000): no symbolic link, nothing
executable, and no file that holds anything but audit records.
"""

import errno
import os
import select
import stat
import time
from collections.abc import Sequence

import msgspec

from wardgate.core.audit.options import DISCARD, STDOUT, FileOptions
from wardgate.core.audit.target import Target, TargetError

CHECK_INTERVAL = 0.5
"""Seconds between two looks at whether the path still leads to the open file."""

_WAIT = 2.0  # seconds that a pipe nobody reads is given
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_HARMLESS_DEVICES = (os.makedev(1, 3), os.makedev(1, 7))  # /dev/null and /dev/full
_HEAD = 64 * 1024  # bytes that are looked at for a first record
_BEGINNING = b'{"time":"'
_LONGEST_PREFIX = 1024  # bytes
_DIRECTORY_MODE = 0o700
_FOREIGN = "the file holds something else than audit records"


def file_target(options: FileOptions) -> Target:
    """What the device's path stands for."""
    if options.path == DISCARD:
        return DiscardTarget()
    if options.path == STDOUT:
        return StdoutTarget()
    return FileTarget(options)


class DiscardTarget:
    """Takes everything and keeps nothing."""

    def open(self) -> None:
        pass

    def write(self, lines: Sequence[bytes]) -> None:
        pass

    def close(self) -> None:
        pass


class StdoutTarget:
    """The standard output of the server."""

    def open(self) -> None:
        pass

    def write(self, lines: Sequence[bytes]) -> None:
        data = b"".join(lines)
        try:
            while data:
                data = data[os.write(1, data) :]
        except OSError as error:
            raise TargetError(_reason(error)) from None

    def close(self) -> None:
        pass


class FileTarget:
    """A file, or a named pipe."""

    def __init__(self, options: FileOptions) -> None:
        self._path = options.path
        self._mode = options.mode
        self._file = -1
        self._identity = (0, 0)
        self._looked = 0.0
        self._torn = False
        """The last write ended in the middle of a line."""

    def open(self) -> None:
        if self._file >= 0:
            return
        try:
            self._open()
        except OSError as error:
            self.close()
            raise TargetError(_reason(error)) from None

    def _open(self) -> None:
        os.makedirs(os.path.dirname(os.path.abspath(self._path)), _DIRECTORY_MODE, exist_ok=True)
        # the mode is never wider than wanted, not even for an instant
        flags = _FLAGS | os.O_CREAT
        self._file = os.open(self._path, flags, 0o600 if self._mode is None else self._mode)
        found = os.fstat(self._file)
        check_file(found)
        if stat.S_ISREG(found.st_mode):
            if found.st_size and not self._holds_records():
                raise TargetError(_FOREIGN)
            if self._mode is not None and stat.S_IMODE(found.st_mode) != self._mode:
                os.fchmod(self._file, self._mode)
            self._torn = bool(found.st_size) and not self._ends_whole(found.st_size)
        self._identity = (found.st_dev, found.st_ino)
        self._looked = time.monotonic()

    def _holds_records(self) -> bool:
        return holds_records(self._read(_HEAD, 0))

    def _ends_whole(self, size: int) -> bool:
        return self._read(1, size - 1) == b"\n"

    def _read(self, length: int, offset: int) -> bytes:
        reader = os.open(f"/proc/self/fd/{self._file}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(reader, length, offset)
        finally:
            os.close(reader)

    def write(self, lines: Sequence[bytes]) -> None:
        if self._file >= 0 and time.monotonic() - self._looked >= CHECK_INTERVAL:
            self._look()
        self.open()
        data = b"".join([b"\n", *lines]) if self._torn else b"".join(lines)
        try:
            self._append(data)
        except OSError as error:
            self.close()
            raise TargetError(_reason(error)) from None

    def _look(self) -> None:
        """Let go of the file when the path leads to another one, or nowhere."""
        try:
            found = os.stat(self._path, follow_symlinks=False)
            there = (found.st_dev, found.st_ino) == self._identity
        except OSError:
            there = False
        if not there:
            self.close()
        self._looked = time.monotonic()

    def _append(self, data: bytes) -> None:
        written = 0
        deadline = time.monotonic() + _WAIT
        while written < len(data):
            try:
                written += os.write(self._file, data[written:] if written else data)
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0 or not _writable(self._file, left):
                    self._torn = self._torn or bool(written)
                    raise TimeoutError(errno.ETIMEDOUT, "nobody reads the pipe") from None
            except OSError:
                self._torn = self._torn or bool(written)
                raise
        self._torn = False

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def why_unusable(path: str) -> str:
    """Why no records can be written to what is at `path` now, empty when they can, or when nothing
    is there yet. It is looked at only."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return _reason(error)
    try:
        found = os.fstat(file)
        check_file(found)
        if (
            stat.S_ISREG(found.st_mode)
            and found.st_size
            and not holds_records(os.read(file, _HEAD))
        ):
            return _FOREIGN
    except (OSError, TargetError) as error:
        return _reason(error) if isinstance(error, OSError) else str(error)
    finally:
        os.close(file)
    return ""


def check_file(found: os.stat_result) -> None:
    """`TargetError` for what no records may be written to, whatever it holds."""
    kind = found.st_mode
    if stat.S_ISCHR(kind) and found.st_rdev in _HARMLESS_DEVICES:
        return
    if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind)):
        raise TargetError("the path does not lead to a plain file or a pipe")
    if kind & 0o111:
        raise TargetError("the file is executable")


class _Record(msgspec.Struct):
    """What the first line of an audit file, by whichever server, looks like."""

    time: str
    type: str
    request: msgspec.Raw


_record = msgspec.json.Decoder(_Record)


def holds_records(head: bytes) -> bool:
    """Whether a file that begins with `head` is an audit log: its first line is a record, with or
    without a prefix before it, or the beginning of one that never got whole."""
    line, newline, _ = head.partition(b"\n")
    start = line.find(_BEGINNING)
    if not 0 <= start <= _LONGEST_PREFIX:
        return False
    try:
        return _record.decode(line[start:]).type in ("request", "response")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return not newline or b'"type":"re' in line


def _writable(file: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(file, select.POLLOUT)
    return bool(poll.poll(seconds * 1000))


def _reason(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "the path is a symbolic link"
    if error.errno == errno.EEXIST:
        return "a folder of the path is a file"
    if error.errno == errno.ENXIO:
        return "nobody reads the pipe"
    return os.strerror(error.errno) if error.errno else "it cannot be written"
