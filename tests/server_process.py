"""A Wardgate server as a process that a test starts, signals, kills and reads the output of."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.api import Answer, Api

PROGRAM = (sys.executable, "-m", "wardgate", "server")
ROOT = Path(__file__).parents[1]
WAIT = 60.0
"""Seconds within which a server starts, stops or logs what it is waited for."""
_STARTED = "==> Wardgate server"


class ServerProcess:
    """A process that was told to serve. `folder` gets its output, and is its home."""

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        self._output = folder / "stdout.log"
        self._log = folder / "stderr.log"
        with self._output.open("wb") as output, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*PROGRAM, *arguments],
                cwd=ROOT,
                env=_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
            )

    @property
    def output(self) -> str:
        """What it has written to standard output so far."""
        return self._output.read_text(errors="replace")

    @property
    def log(self) -> str:
        """What it has written to standard error so far."""
        return self._log.read_text(errors="replace")

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_started(self) -> None:
        """Returns when all listeners are open."""
        deadline = time.monotonic() + WAIT
        while _STARTED not in self.output:
            assert self.alive, f"the server ended with {self._process.returncode}: {self.log}"
            assert time.monotonic() < deadline, f"the server does not start: {self.log}"
            time.sleep(0.01)

    def wait_for_log(self, text: str, times: int = 1) -> None:
        """Returns when `text` was logged that many times."""
        deadline = time.monotonic() + WAIT
        while self.log.count(text) < times:
            assert self.alive, f"the server ended: {self.log}"
            assert time.monotonic() < deadline, f"not logged: {text!r} in {self.log}"
            time.sleep(0.01)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.wait()

    def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        return self._process.wait(WAIT)

    def stop(self) -> int:
        """Tell it to stop; its exit code."""
        self._process.terminate()
        return self.wait()


@contextlib.contextmanager
def serving(*arguments: str, folder: Path) -> Iterator[ServerProcess]:
    """A server that has started. It is stopped in the end, unless the test has done that."""
    process = ServerProcess(arguments, folder)
    try:
        process.wait_until_started()
        yield process
        if process.alive:
            assert process.stop() == 0, process.log
    finally:
        if process.alive:
            process.kill()


def refused(*arguments: str, folder: Path) -> str:
    """What a server says on standard error that does not start; it must exit with 1, print nothing
    else, and show no traceback."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        cwd=ROOT,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr


def write_config(folder: Path, *blocks: str) -> str:
    """Write a configuration file of these blocks; the flag that names it."""
    file = folder / "server.hcl"
    file.write_text("\n".join(blocks))
    return f"-config={file}"


def plain_listener(port: int) -> str:
    return f'listener "tcp" {{ address = "127.0.0.1:{port}" tls_disable = true }}'


def lmdb_storage(path: Path, workers: int = 1) -> str:
    return f'storage "lmdb" {{ path = "{path}" }} workers = {workers}'


MEMORY_STORAGE = 'storage "inmem" {}'


def when_unsealed(api: Api, path: str) -> Answer:
    """The answer to a read, once a server that unseals by itself has done so: it may be open for
    requests before."""
    deadline = time.monotonic() + WAIT
    while (answer := api.get(path)).status == 503 and time.monotonic() < deadline:
        time.sleep(0.01)
    return answer


def initialise(api: Api, shares: int = 1, threshold: int = 1) -> list[str]:
    """Initialise a new server, and give `api` its root token; the shares of the unseal key."""
    counts = {"secret_shares": shares, "secret_threshold": threshold}
    answer = api.call("PUT", "sys/init", counts)
    assert answer.status == 200, answer
    api.token = answer.body["root_token"]
    keys: list[str] = answer.body["keys"]
    return keys


def unseal(api: Api, keys: Sequence[str]) -> None:
    """Give the shares, with which the server must open."""
    for key in keys:
        answer = api.call("PUT", "sys/unseal", {"key": key})
        assert answer.status == 200, answer
    assert not answer.body["sealed"]


def _environment(home: Path) -> dict[str, str]:
    foreign = ("VAULT_", "BAO_", "WARDGATE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "HOME": str(home), "TMPDIR": str(home)}
