"""A login program (`wardgate login`, `bao login`) that waits for somebody to log in elsewhere."""

import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers import Server, clean_environment

DEADLINE = 90.0
"""Seconds, only so that nothing hangs."""


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int
    output: str
    said: str


class LoginProgram:
    """A running program with a home folder of its own, that has printed the page to go to."""

    def __init__(
        self,
        command: Sequence[str],
        server: Server,
        home: Path,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        environment = {
            **clean_environment(home),
            "BAO_ADDR": server.address,  # the one that bao's direct mode reads
            "VAULT_ADDR": server.address,
            "LANG": "C.UTF-8",
            **(variables or {}),
        }
        self._said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def page(self) -> str:
        """The address that it tells people to open."""
        while (line := self._lines.get(timeout=DEADLINE)) is not None:
            if line.strip().startswith(("http://", "https://")):
                return line.strip()
        raise AssertionError(f"it ended with: {''.join(self._said)}")

    def ended(self) -> Ended:
        """Wait for its end."""
        code = self._process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        assert self._process.stdout is not None
        return Ended(code, self._process.stdout.read(), "".join(self._said))

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said.append(line)
            self._lines.put(line)
        self._lines.put(None)
