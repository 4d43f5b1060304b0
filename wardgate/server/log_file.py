"""The log file: a new one is begun when it is large or old, and the oldest are removed.

``wardgate.log`` is the file that is written; it is renamed to ``wardgate-NANOSECONDS.log`` when it is
done with, as by OpenBao. The files can be read by the server's user alone.
"""

import fcntl
import logging
import os
import re
import sys
import time
from pathlib import Path

from wardgate.errors import WardgateError

DEFAULT_NAME = "wardgate.log"
"""The file's name when only a directory is given, by a slash at the end or because it is one."""


class LogFileError(WardgateError):
    """The log file cannot be opened. The message names the cause."""


class LogFile(logging.Handler):
    """Writes log lines into a file. `most_bytes` and `most_seconds` are when a new one is begun, 0
    for never; `most_files` is how many old ones are kept, 0 for all of them and -1 for none.

    A line that cannot be written is lost here; standard error, which has it too, says so once.
    """

    def __init__(self, path: Path, *, most_bytes: int, most_seconds: int, most_files: int) -> None:
        super().__init__()
        self.path = path / DEFAULT_NAME if path.is_dir() else path
        if not self.path.suffix:
            self.path = self.path.with_name(self.path.name + ".log")
        self._most_bytes = most_bytes
        self._most_seconds = most_seconds
        self._most_files = most_files
        self._failed = False
        self._descriptor = -1
        try:
            self._open()
        except OSError as error:
            raise LogFileError(f"log_file: cannot be opened: {error.strerror}") from None

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        line = f"{self.format(record)}\n".encode(errors="backslashreplace")
        try:
            if self._is_due(len(line)):
                self._rotate()
        except OSError as error:
            self._complain(error)
        try:
            os.write(self._descriptor, line)
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError) -> None:
        if not self._failed:
            self._failed = True
            print(f"the log file cannot be written or renewed: {error.strerror}", file=sys.stderr)

    def reopen(self) -> None:
        """Go on in the file that has the path now: it may have been moved away. Raises
        `LogFileError`, and goes on in the old one then."""
        old = self._descriptor
        try:
            self._open()
        except OSError as error:
            raise LogFileError(f"log_file: cannot be opened: {error.strerror}") from None
        os.close(old)
        self._failed = False

    def close(self) -> None:
        """Write nothing any more. Python's logging calls this at its end, too."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        super().close()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        self._descriptor = os.open(self.path, flags, 0o600)
        self._opened = time.monotonic()

    def _is_due(self, more: int) -> bool:
        if 0 < self._most_seconds <= time.monotonic() - self._opened:
            return True
        if not self._most_bytes:
            return False
        size = os.fstat(self._descriptor).st_size  # other workers write into it too
        return size > 0 and self._most_bytes < size + more

    def _rotate(self) -> None:
        old = self._descriptor
        fcntl.flock(old, fcntl.LOCK_EX)
        try:
            if self._is_current():
                name = f"{self.path.stem}-{time.time_ns()}{self.path.suffix}"
                self.path.rename(self.path.with_name(name))
                self._remove_old()
            self._open()
        except BaseException:
            fcntl.flock(old, fcntl.LOCK_UN)
            raise
        os.close(old)

    def _is_current(self) -> bool:
        """Whether the file that is open has the path still: another worker may have begun a new one."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), self.path.stat())
        except FileNotFoundError:
            return False

    def _remove_old(self) -> None:
        if self._most_files == 0:
            return
        pattern = f"{re.escape(self.path.stem)}-[0-9]{{19}}{re.escape(self.path.suffix)}"
        old = sorted(
            each for each in self.path.parent.iterdir() if re.fullmatch(pattern, each.name)
        )
        for each in old[: max(len(old) - max(self._most_files, 0), 0)]:
            each.unlink(missing_ok=True)
