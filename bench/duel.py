"""The run itself: two servers under the same loads, round after round, each in turn."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import processes, starts
from bench.clients import Say
from bench.loads import Load, prepare
from bench.machine import look_around
from bench.results import Contender, Memory, Refusal, Row, Run, Settings, Start
from bench.rounds import NO_FIGURE, Side, rounds
from bench.servers import Kind, Server, StartFailed, running


def duel(
    baseline: Kind,
    subject: Kind,
    loads: Sequence[Load],
    *,
    settings: Settings,
    folder: Path,
    say: Say,
    with_starts: bool = False,
) -> Run:
    """Start both servers with their data below `folder`, measure every load, end both.

    Before that, `with_starts`, how long each takes to its first answer. A load that goes wrong
    becomes a `Refusal`, and the others still run. Raises `StartFailed`, `NotADisk`, and what
    `prepare` raises when a server cannot be prepared.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    machine = look_around(folder)
    rows: list[Row] = []
    refusals: list[Refusal] = []
    notes: list[str] = []
    found_starts: list[Start] = []
    if with_starts:
        try:
            found_starts = starts.measure((baseline, subject), folder, say)
        except (StartFailed, *NO_FIGURE) as error:
            refusals.append(Refusal("start", "Start to first answer", str(error)))
            say(f"start: no figure: {error}")
    with both(baseline, subject, folder, say) as servers:
        idle = [_memory_at_rest(server) for server in servers]
        say("preparing")
        sides = [Side(server, prepare(server.api)) for server in servers]
        for load in loads:
            try:
                measured = rounds(load, sides, settings, say)
                rows.append(Row(load.name, load.title, *measured.samples))
                notes += measured.notes
            except NO_FIGURE as error:
                refusals.append(Refusal(load.name, load.title, str(error)))
                say(f"{load.name}: no figure: {error}")
        first, second = (
            Contender(server.title, server.version, before, _memory_at_rest(server))
            for server, before in zip(servers, idle, strict=True)
        )
    return Run(started, machine, settings, first, second, rows, refusals, notes, found_starts)


@contextmanager
def both(baseline: Kind, subject: Kind, folder: Path, say: Say) -> Iterator[list[Server]]:
    """Both servers, new, unsealed, with their data below `folder`. Raises `StartFailed`."""
    with ExitStack() as stack:
        servers = []
        for kind in (baseline, subject):
            own = Path(stack.enter_context(TemporaryDirectory(prefix="data-", dir=folder)))
            say(f"starting {kind.title}")
            servers.append(stack.enter_context(running(kind, own)))
        yield servers


def _memory_at_rest(server: Server) -> Memory:
    server.settle()
    return processes.memory(server.session)
