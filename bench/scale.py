"""How a server bears a million tokens: disk, start, memory, and the end of a hundred thousand.

The data directory is filled by the server's own code in large commits (`bench.filling`); everything
else is measured on a real server process that serves it.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from bench import clients, processes
from bench.api import Api
from bench.clients import Say
from bench.filling import Filled, fill
from bench.servers import KINDS, opened, running, started
from bench.watch import Watch

KIND = KINDS["wardgate"]
UNDISTURBED = 5.0  # seconds
PATIENCE = 600.0  # seconds for the descendants to be gone


@dataclass(frozen=True)
class Finding:
    """One line of the result. `target` is the most that is allowed; None where nothing is asked."""

    title: str
    measured: float
    unit: str
    target: float | None = None

    @property
    def met(self) -> bool:
        return self.target is None or self.measured <= self.target


def measure(folder: Path, tokens: int, children: int, say: Say) -> list[Finding]:
    """Everything, in new folders below `folder`. Raises as `bench.servers.running` does."""
    say("an empty server, for its memory")
    with running(KIND, folder / "empty") as empty:
        _look_up(empty.api, 20)
        empty.settle()
        empty_rss = processes.memory(empty.session).rss
    say(f"writing {tokens:,} tokens, of which one has {children:,} children")
    home = folder / "full"
    data = home / "data"
    data.mkdir(parents=True)
    filled = fill(data, tokens, children, say)
    found = [
        Finding(
            "disk for a token", (filled.bytes_after - filled.bytes_before) / tokens, "bytes", 1536
        ),
        Finding("disk altogether", filled.bytes_after / 1024**2, "MiB"),
    ]
    say("a server on it")
    with started(KIND, home) as (api, process):
        began = time.perf_counter()
        api.call("PUT", "sys/unseal", {"key": filled.unseal_key})
        Api(api.port, filled.ordinary).call("GET", "auth/token/lookup-self")
        found.append(Finding("unsealing to first answer", time.perf_counter() - began, "s", 1.0))
        server = opened(KIND, Api(api.port, filled.root_token), process)
        _look_up(Api(api.port, filled.ordinary), 20)
        server.settle()
        full_rss = processes.memory(process.pid).rss
        found.append(
            Finding("memory beyond that of an empty server", full_rss - empty_rss, "MiB", 50)
        )
        found += _end_children(server.api, filled, data, children, say)
        anonymous = processes.anonymous(process.pid)
        found.append(Finding("memory afterwards, less the data file's pages", anonymous, "MiB"))
    return found


def _look_up(api: Api, times: int) -> None:
    for _ in range(times):
        api.call("GET", "auth/token/lookup-self")


def _end_children(root: Api, filled: Filled, data: Path, children: int, say: Say) -> list[Finding]:
    say("lookups while nothing else happens")
    quiet = clients.undisturbed(root.port, clients.lookup(filled.ordinary), UNDISTURBED)
    say(f"revoking the token with {children:,} children")
    watch = Watch(data, PATIENCE)
    try:
        busy, took = clients.while_waiting(
            root.port,
            clients.lookup(filled.ordinary),
            lambda: root.call("POST", "auth/token/revoke", {"token": filled.parent}),
            lambda: watch.empty(f"token/child/{filled.parent_name}/", "job/token/"),
        )
    finally:
        watch.close()
    return [
        Finding(f"until {children:,} children are gone", took, "s"),
        Finding("p99 of lookups, undisturbed", quiet.quantile(0.99), "ms"),
        Finding("p99 of lookups meanwhile", busy.quantile(0.99), "ms"),
        Finding(
            "p99 of lookups beyond undisturbed",
            busy.quantile(0.99) - quiet.quantile(0.99),
            "ms",
            50,
        ),
        Finding("slowest lookup meanwhile", busy.quantile(1.0), "ms"),
        Finding("lookups that were not answered rightly", quiet.wrong + busy.wrong, "", 0),
    ]


def table(found: list[Finding]) -> Table:
    """The findings for a terminal."""
    shown = Table(title="At scale")
    shown.add_column("")
    shown.add_column("target", justify="right")
    shown.add_column("measured", justify="right")
    shown.add_column("met")
    for finding in found:
        target = "" if finding.target is None else f"at most {finding.target:,g} {finding.unit}"
        verdict = "" if finding.target is None else "yes" if finding.met else "[bold red]no"
        shown.add_row(
            finding.title, target, f"{finding.measured:,.4g} {finding.unit}".strip(), verdict
        )
    return shown
