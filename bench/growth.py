"""Whether a request costs more where more is stored: one server for each size, loaded in turn.

Each data directory is filled by the server's own code in large commits (`bench.filling`) with as many
KV v2 secrets as tokens; then real server processes serve all of them at once, and the loads go round.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.api import Api
from bench.clients import Say
from bench.filling import SECRETS_MOUNT, fill
from bench.loads import VALUE, Load, WrongAnswer, prepare
from bench.results import Figures, Refusal, Settings, figures
from bench.rounds import FOREIGN, NO_FIGURE, Side, rounds
from bench.servers import KINDS, opened, started, unseal

KIND = KINDS["wardgate"]
LOADS = ("lookup", "kv2-read", "kv2-write", "token-create")
WRITES = ("kv2-write", "token-create")
SIZES = (1_000, 100_000, 1_000_000)
ALLOWED = 0.2
"""How much worse than with the smallest size a figure may be."""


@dataclass(frozen=True)
class Column:
    """One of the figures of a load."""

    title: str
    field: str
    digits: int
    more_is_better: bool = False

    def of(self, found: Figures) -> float:
        value: float = getattr(found, self.field)
        return value

    def ratio(self, found: Figures, smallest: Figures) -> float:
        """How many times the figure of the smallest size this one is."""
        return self.of(found) / (self.of(smallest) or 1e-9)

    def met(self, ratio: float) -> bool:
        return ratio >= 1 - ALLOWED if self.more_is_better else ratio <= 1 + ALLOWED


COST = Column("CPU time of a request", "cost", 0)
COLUMNS = (
    Column("requests per second", "rate", 0, more_is_better=True),
    Column("p50", "p50", 2),
    Column("p99", "p99", 2),
    COST,
)


@dataclass(frozen=True)
class Growing:
    """The figures of one load, one for each size."""

    title: str
    figures: list[Figures]


@dataclass(frozen=True)
class Growth:
    """What a run found out. `sizes` are how many tokens and how many secrets were stored, rising."""

    sizes: list[int]
    settings: Settings
    loads: list[Growing]
    refusals: list[Refusal]
    notes: list[str]
    disturbed: bool
    """Whether other work took more than `FOREIGN` cores, or the machine was busy before."""

    def misses(self, column: Column) -> list[str]:
        """Where a figure is worse than with the smallest size by more than is allowed."""
        return [
            f"{load.title} with {size:,}: {ratio:.2f} times"
            for load in self.loads
            for size, found in zip(self.sizes, load.figures, strict=True)
            if not column.met(ratio := column.ratio(found, load.figures[0]))
        ]

    @property
    def met(self) -> bool:
        """Whether every load has figures, and those that decide are within what is allowed.

        All decide on a quiet machine; on a disturbed one, only the CPU time of a request.
        """
        deciding = (COST,) if self.disturbed else COLUMNS
        return not self.refusals and not any(self.misses(column) for column in deciding)


def measure(
    folder: Path,
    sizes: Sequence[int],
    loads: Sequence[Load],
    settings: Settings,
    *,
    busy: bool,
    say: Say,
) -> Growth:
    """Fill, start and load a server of each of the rising `sizes`, with the data below `folder`.

    `busy` says that the machine was so before. A load that goes wrong becomes a `Refusal`, and the
    others still run. Raises `StartFailed`, and what `prepare` raises.
    """
    found: list[Growing] = []
    refusals: list[Refusal] = []
    notes: list[str] = []
    foreign = 0.0
    with ExitStack() as stack:
        sides = [stack.enter_context(_filled(folder, size, say)) for size in sizes]
        for load in loads:
            try:
                measured = rounds(load, sides, settings, say)
            except NO_FIGURE as error:
                refusals.append(Refusal(load.name, load.title, str(error)))
                say(f"{load.name}: no figure: {error}")
                continue
            found.append(Growing(load.title, [figures(own) for own in measured.samples]))
            foreign = max(foreign, measured.foreign)
            notes += measured.notes
            if load.name in WRITES:
                written = sum(sample.requests for sample in measured.samples[0])
                notes.append(
                    f"{load.name}: its rounds added {written:,} to the {sizes[0]:,} of the smallest"
                )
    disturbed = busy or foreign > FOREIGN
    return Growth(list(sizes), settings, found, refusals, notes, disturbed)


@contextmanager
def _filled(folder: Path, size: int, say: Say) -> Iterator[Side]:
    """A server on which `size` tokens and as many secrets are stored, ready for the loads."""
    with TemporaryDirectory(prefix="data-", dir=folder) as place:
        home = Path(place)
        data = home / "data"
        data.mkdir()
        say(f"writing {size:,} tokens and {size:,} secrets")
        filled = fill(data, size, 0, say, secrets=size)
        with started(KIND, home) as (api, process):
            unseal(api, filled.unseal_key, process)
            root = Api(api.port, filled.root_token)
            server = replace(opened(KIND, root, process), title=f"{size:,} stored")
            _check_stored(root, filled.ordinary, size)
            side = Side(server, prepare(root, has_kv2=True))
            server.settle()
            yield side


def _check_stored(root: Api, ordinary: str, size: int) -> None:
    """Find what was stored last. Raises `Refused` or `WrongAnswer`."""
    Api(root.port, ordinary).call("GET", "auth/token/lookup-self")
    last = root.call("GET", f"{SECRETS_MOUNT}data/stored/{size - 1}")
    if last["data"]["data"] != VALUE:
        raise WrongAnswer("a stored secret is not what was stored")
