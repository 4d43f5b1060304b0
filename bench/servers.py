"""The servers that can be measured: how each is configured, started, opened and ended."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from bench import processes
from bench.api import Api, Refused

T = TypeVar("T")

ROOT = Path(__file__).parent.parent
START_TIMEOUT = 30.0  # seconds
SEAL_KEY = "0f" * 32  # hexadecimal; protects nothing
QUIET = 0.05  # of one core: below this a server counts as doing nothing


class StartFailed(Exception):
    """A server did not come up; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class Kind:
    """A server program: its configuration for a data directory and ports, and its command line.

    `first_answer_within` is the target for `bench.starts` in seconds and `beside_logins_below` that
    for `bench.beside` in milliseconds, None where there is none.
    """

    title: str
    config: Callable[[Path, int, int], str]
    command: Callable[[Path], list[str]]
    first_answer_within: float | None = None
    beside_logins_below: float | None = None
    unseals_itself: bool = False


def _wardgate_config(data: Path, port: int, _cluster_port: int) -> str:
    return f"""
storage "lmdb" {{
  path = {json.dumps(str(data))}
}}
listener "tcp" {{
  address     = "127.0.0.1:{port}"
  tls_disable = true
}}
"""


def _openbao_config(data: Path, port: int, cluster_port: int) -> str:
    return f"""
storage "raft" {{
  path    = {json.dumps(str(data))}
  node_id = "bench"
}}
listener "tcp" {{
  address     = "127.0.0.1:{port}"
  tls_disable = true
}}
api_addr     = "http://127.0.0.1:{port}"
cluster_addr = "http://127.0.0.1:{cluster_port}"
log_level    = "warn"
"""


KINDS = {
    "wardgate": Kind(
        "Wardgate (lmdb)",
        _wardgate_config,
        lambda config: [sys.executable, "-m", "wardgate", "server", f"-config={config}"],
        first_answer_within=1.0,
        beside_logins_below=20.0,
    ),
    "openbao": Kind(
        "OpenBao (raft)",
        _openbao_config,
        lambda config: [f"{sysconfig.get_path('scripts')}/bao", "server", f"-config={config}"],
    ),
}


def audited(kind: Kind) -> Kind:
    """The same server with a file audit device, whose file lies beside its data."""

    def config(data: Path, port: int, cluster_port: int) -> str:
        file = json.dumps(str(data.parent / "audit.log"))
        device = f'audit "file" "bench" {{\n  options {{\n    file_path = {file}\n  }}\n}}\n'
        return kind.config(data, port, cluster_port) + device

    return replace(kind, title=f"{kind.title}, audited", config=config)


def self_unsealing(kind: Kind) -> Kind:
    """The same server with a static seal, whose key stands in the configuration."""

    def config(data: Path, port: int, cluster_port: int) -> str:
        seal = (
            f'seal "static" {{\n  current_key_id = "bench"\n  current_key    = "{SEAL_KEY}"\n}}\n'
        )
        return kind.config(data, port, cluster_port) + seal

    return replace(kind, config=config, unseals_itself=True)


@dataclass(frozen=True)
class Server:
    """A running, unsealed server. `api` carries its root token; `session` is its process id."""

    title: str
    version: str
    session: int
    api: Api

    def settle(self, seconds: float = 5.0) -> None:
        """Wait until it does nothing any more, so that its neighbour can be measured."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            before = processes.cpu_seconds(self.session)
            time.sleep(0.4)
            if processes.cpu_seconds(self.session) - before < QUIET * 0.4:
                return


@contextlib.contextmanager
def running(kind: Kind, folder: Path) -> Iterator[Server]:
    """Start a new server with its data, configuration and log in `folder`, initialise and unseal
    it; end it afterwards.

    Raises `StartFailed`.
    """
    (folder / "data").mkdir(parents=True)
    with started(kind, folder) as (api, process):
        try:
            server = opened(kind, _open(kind, api, process), process)
        except (StartFailed, Refused) as error:
            raise _failed(kind, folder, error) from error
        yield server


@contextlib.contextmanager
def started(kind: Kind, folder: Path) -> Iterator[tuple[Api, "subprocess.Popen[bytes]"]]:
    """Start a server on the data that is in `folder`, as it is; end it afterwards.

    It answers, but is sealed. Raises `StartFailed`.
    """
    with launched(kind, folder) as (api, process):
        wait(kind, folder, process, lambda: api.call("GET", "sys/seal-status"))
        yield api, process


@contextlib.contextmanager
def launched(kind: Kind, folder: Path) -> Iterator[tuple[Api, "subprocess.Popen[bytes]"]]:
    """As `started`, but without waiting for anything: nobody may listen yet."""
    data = folder / "data"
    config, log = folder / "server.hcl", folder / "server.log"
    port, cluster_port = _free_ports(2)
    config.write_text(kind.config(data, port, cluster_port))
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            kind.command(config),
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Api(port), process
    finally:
        processes.stop(process)


def wait(
    kind: Kind,
    folder: Path,
    process: "subprocess.Popen[bytes]",
    ask: Callable[[], T],
    pause: float = 0.1,
) -> T:
    """The first answer of `ask`, which is called every `pause` seconds until it has one.

    Raises `StartFailed` with the last lines of the log.
    """
    try:
        return _wait(process, ask, pause)
    except StartFailed as error:
        raise _failed(kind, folder, error) from error


def opened(kind: Kind, root: Api, process: "subprocess.Popen[bytes]") -> Server:
    """The server of `process`, which is unsealed; `root` carries its root token."""
    version = str(root.call("GET", "sys/health").get("version", "unknown"))
    return Server(kind.title, version, process.pid, root)


def _failed(kind: Kind, folder: Path, error: Exception) -> StartFailed:
    log = (folder / "server.log").read_text(errors="replace")
    tail = "\n".join(log.splitlines()[-20:])
    return StartFailed(f"{kind.title}: {error}\n{tail}")


def environment() -> dict[str, str]:
    """This process's environment without settings meant for another server."""
    foreign = ("VAULT_", "BAO_", "WARDGATE_", "BENCH_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def _open(kind: Kind, api: Api, process: subprocess.Popen[bytes]) -> Api:
    """Initialise and unseal; the API with the root token, once it serves requests."""
    shares = "recovery" if kind.unseals_itself else "secret"
    made = api.call("PUT", "sys/init", {f"{shares}_shares": 1, f"{shares}_threshold": 1})
    if kind.unseals_itself:
        _wait(process, lambda: api.call("GET", "sys/health"))
    else:
        unseal(api, made["keys_base64"][0], process)
    return Api(api.port, made["root_token"])


def unseal(api: Api, key: str, process: subprocess.Popen[bytes]) -> None:
    """Unseal with the one key share; returns once it serves requests. Raises `StartFailed`."""
    api.call("PUT", "sys/unseal", {"key": key})
    # 200 only when unsealed and active, which takes a moment after the unsealing
    _wait(process, lambda: api.call("GET", "sys/health"))


def _wait(process: subprocess.Popen[bytes], ask: Callable[[], T], pause: float = 0.1) -> T:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StartFailed(f"it ended with exit status {process.returncode}")
        with contextlib.suppress(OSError, http.client.HTTPException, Refused):
            return ask()
        time.sleep(pause)
    raise StartFailed(f"it was not ready within {START_TIMEOUT:.0f} seconds")


def _free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on at this moment."""
    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(count):
            holder = stack.enter_context(socket.socket())
            holder.bind(("127.0.0.1", 0))
            ports.append(int(holder.getsockname()[1]))
        return ports
