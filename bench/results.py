"""What a run of the bench measured: the form in which it is shown, saved and compared."""

import math
from pathlib import Path
from statistics import median

import msgspec


class Sample(msgspec.Struct, frozen=True):
    """One round of one load on one server, in which every reply was a 2xx."""

    requests: int
    seconds: float
    p50: float
    """Milliseconds within which half of the replies came."""
    p99: float
    cpu: float = 0.0
    """Seconds of CPU that the server's processes spent meanwhile."""

    @property
    def cost(self) -> float:
        """Microseconds of CPU for each request."""
        return self.cpu / self.requests * 1e6

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


class Figures(msgspec.Struct, frozen=True):
    """The medians of a load's rounds on one server."""

    rate: float
    p50: float
    p99: float
    cost: float


class Row(msgspec.Struct, frozen=True):
    """One load on both servers: the rounds in the order in which they ran."""

    load: str
    title: str
    baseline: list[Sample]
    subject: list[Sample]

    @property
    def ratio(self) -> float:
        """How many times the baseline's requests per second the subject answers (medians)."""
        return figures(self.subject).rate / figures(self.baseline).rate

    @property
    def thrift(self) -> float:
        """How many times as much CPU the baseline needs for a request. Other work on the machine
        disturbs this much less than the ratio of the rates."""
        return figures(self.baseline).cost / (figures(self.subject).cost or math.inf)

    @property
    def ratio_range(self) -> tuple[float, float]:
        """The lowest and the highest ratio of two rounds that ran one after the other."""
        pairs = zip(self.baseline, self.subject, strict=True)
        ratios = [subject.rate / baseline.rate for baseline, subject in pairs]
        return min(ratios), max(ratios)


class Start(msgspec.Struct, frozen=True):
    """How long a server took from the start of its process to an answer, start by start."""

    server: str
    until: str
    """What was waited for."""
    seconds: list[float]
    target: float | None = None
    """The most seconds that are allowed, None where nothing is asked."""

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def met(self) -> bool:
        return self.target is None or self.median < self.target


class Refusal(msgspec.Struct, frozen=True):
    """A load for which there is no figure, and why."""

    load: str
    title: str
    reason: str


class Memory(msgspec.Struct, frozen=True):
    """MiB held by all processes of a server."""

    rss: float
    pss: float


class Contender(msgspec.Struct, frozen=True):
    """A server that was measured."""

    name: str
    version: str
    idle: Memory
    loaded: Memory


class Machine(msgspec.Struct, frozen=True):
    """Where it ran."""

    cpu: str
    cores: int
    memory: float
    """GiB."""
    kernel: str
    filesystem: str
    python: str
    wrk: str
    packages: dict[str, str]
    load_average: float
    """Of the minute before the run."""


class Settings(msgspec.Struct, frozen=True):
    """How hard and how long."""

    connections: int
    rounds: int
    seconds: int


class Run(msgspec.Struct, frozen=True):
    """Everything that one run found out."""

    started: str
    """UTC, ISO 8601."""
    machine: Machine
    settings: Settings
    baseline: Contender
    subject: Contender
    rows: list[Row]
    refusals: list[Refusal]
    notes: list[str]
    starts: list[Start] = []


def figures(samples: list[Sample]) -> Figures:
    """The medians of `samples`, of which there is at least one."""
    return Figures(
        rate=median(sample.rate for sample in samples),
        p50=median(sample.p50 for sample in samples),
        p99=median(sample.p99 for sample in samples),
        cost=median(sample.cost for sample in samples),
    )


def save(run: Run, file: Path) -> None:
    file.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n")


def load(file: Path) -> Run:
    """A run that was saved. Raises `msgspec.DecodeError` when the file holds something else."""
    return msgspec.json.decode(file.read_bytes(), type=Run)
