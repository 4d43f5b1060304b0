"""The bench reckons, refuses, saves and draws rightly. Its loads run in scripts/bench only."""

import asyncio
import base64
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from rich.console import Console

from bench import results, svg, table
from bench.filling import fill
from bench.loads import LOADS, key_for
from bench.results import (
    Contender,
    Machine,
    Memory,
    Refusal,
    Row,
    Run,
    Sample,
    Settings,
    Start,
)
from bench.scale import Finding
from bench.scale import table as scale_table
from bench.wrk import Spoiled, read_counts
from wardgate.core.settings import Settings as ServerSettings
from wardgate.server.node import Node
from wardgate.store.lmdb import LmdbStore


def sample(rate: int, p50: float = 1.0, p99: float = 2.0, cpu: float = 10.0) -> Sample:
    return Sample(requests=rate * 10, seconds=10.0, p50=p50, p99=p99, cpu=cpu)


def row(load: str = "lookup", title: str = "Token lookup-self") -> Row:
    return Row(
        load,
        title,
        baseline=[sample(100, 5.0), sample(90, 9.0), sample(200, 1.0)],
        subject=[sample(800), sample(900), sample(400)],
    )


def run(*rows: Row, refusals: tuple[Refusal, ...] = (), starts: tuple[Start, ...] = ()) -> Run:
    return Run(
        started="2026-01-01T00:00:00+00:00",
        machine=Machine("CPU", 2, 8.0, "6.1", "ext4", "CPython 3.11", "4.1.0", {"lmdb": "2"}, 0.1),
        settings=Settings(connections=32, rounds=3, seconds=10),
        baseline=Contender("OpenBao", "2.7.2", Memory(80, 70), Memory(300, 290)),
        subject=Contender("Wardgate", "0.1", Memory(60, 50), Memory(90, 80)),
        rows=list(rows),
        refusals=list(refusals),
        notes=["a note"],
        starts=list(starts),
    )


def start(*seconds: float, server: str = "Wardgate", target: float | None = 1.0) -> Start:
    return Start(server, "a token's lookup", list(seconds), target)


def printed(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def shown(found: Run) -> str:
    console = Console(width=150, file=StringIO())
    table.show(found, console)
    return printed(console)


def counts(**changed: int) -> str:
    fields = {"requests": 500, "microseconds": 2_000_000, "p50": 1500, "p99": 9000}
    fields |= {"status": 0, "socket": 0, "timeout": 0} | changed
    return f"Running 2s test\n{msgspec.json.encode(fields).decode()}\nTransfer/sec: 1MB\n"


def test_a_round_is_read_from_what_wrk_prints() -> None:
    found = read_counts(counts())
    assert (found.rate, found.p50, found.p99) == (250.0, 1.5, 9.0)


def test_the_cpu_of_a_request_is_compared_by_its_medians() -> None:
    found = Row(
        "lookup",
        "Token lookup-self",
        baseline=[sample(100, cpu=5), sample(100, cpu=20), sample(100, cpu=10)],
        subject=[sample(800, cpu=8), sample(800, cpu=4), sample(800, cpu=800)],
    )
    assert found.thrift == pytest.approx(10)
    assert "10,000" in shown(run(found))
    assert "10.00" in shown(run(found))


@pytest.mark.parametrize("wrong", ["status", "socket", "timeout"])
def test_one_failed_reply_spoils_a_round(wrong: str) -> None:
    with pytest.raises(Spoiled):
        read_counts(counts(**{wrong: 1}))


@pytest.mark.parametrize("output", ["", "unable to connect", counts(requests=0)])
def test_a_round_without_replies_is_spoiled(output: str) -> None:
    with pytest.raises(Spoiled):
        read_counts(output)


def test_figures_are_medians_and_the_ratio_is_theirs() -> None:
    found = results.figures(row().baseline)
    assert (found.rate, found.p50) == (100.0, 5.0)
    assert row().ratio == 8.0
    assert row().ratio_range == (2.0, 10.0)


def test_a_saved_run_is_loaded_as_it_was(tmp_path: Path) -> None:
    refusals = (Refusal("login", "Login", "no reply came"),)
    found = run(row(), refusals=refusals, starts=(start(0.5, 0.6, 0.7),))
    results.save(found, tmp_path / "run.json")
    assert results.load(tmp_path / "run.json") == found


def test_a_run_saved_before_starts_were_measured_is_loaded(tmp_path: Path) -> None:
    saved = msgspec.to_builtins(run(row()))
    del saved["starts"]
    (tmp_path / "run.json").write_bytes(msgspec.json.encode(saved))
    assert results.load(tmp_path / "run.json") == run(row())


@pytest.mark.parametrize(
    ("seconds", "verdict"), [((9.0, 0.2, 0.999), "yes"), ((0.1, 1.0, 1.0), "no")]
)
def test_the_median_start_must_be_below_its_target(
    seconds: tuple[float, ...], verdict: str
) -> None:
    found = start(*seconds)
    assert found.met == (verdict == "yes")
    slow = start(5, 5, 5, server="OpenBao", target=None)
    assert slow.met
    text = shown(run(starts=(slow, found)))
    line = next(line for line in text.splitlines() if "below 1" in line)
    assert f"{found.median:.3f}" in line
    assert verdict in line


def test_a_comparison_shows_the_change_of_the_starts() -> None:
    console = Console(width=150, file=StringIO())
    other = start(7, 7, 7, server="Other")
    table.compare(run(starts=(start(1, 2, 3),)), run(starts=(start(3, 3, 3), other)), console)
    text = printed(console)
    assert "+50.0%" in text
    assert "Other" not in text


def test_another_file_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"rows": 5}')
    with pytest.raises(msgspec.DecodeError):
        results.load(tmp_path / "run.json")


def test_a_refused_load_is_named_and_has_no_figure() -> None:
    text = shown(run(row(), refusals=(Refusal("login", "Login [x]", "3 were not 2xx"),)))
    assert "No figure for Login [x]: 3 were not 2xx" in text
    assert "8.00" in text


def test_a_comparison_shows_the_change_of_the_ratio() -> None:
    slower = Row("lookup", "Token lookup-self", row().baseline, [sample(400)] * 3)
    console = Console(width=150, file=StringIO())
    table.compare(run(row()), run(slower, row("new", "New load")), console)
    text = printed(console)
    assert "-50.0%" in text
    assert "New load" not in text


def test_the_plot_is_well_formed_whatever_the_titles_hold() -> None:
    text = svg.plot(run(row(title="<b>&\"'</b>"), row()))
    tree = ElementTree.fromstring(text)
    words = [part.text for part in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert "<b>&\"'</b>" in words
    assert words.count("8.0 times") == 2


def test_the_plot_of_no_loads_is_well_formed() -> None:
    ElementTree.fromstring(svg.plot(run()))


def test_keys_cycle_or_are_fresh() -> None:
    loads = {load.name: load for load in LOADS}
    assert key_for(loads["lookup"], 7, "p") == "auth/token/lookup-self"
    assert key_for(loads["kv2-read"], 207, "p") == "bench-v2/data/read/7"
    assert key_for(loads["kv2-write"], 7, "p") == "bench-v2/data/write/p-1-7"


def test_a_filled_directory_opens_and_its_tokens_are_what_was_asked_for(tmp_path: Path) -> None:
    filled = fill(tmp_path / "data", tokens=1200, children=600, say=lambda _: None)

    async def check() -> None:
        store = LmdbStore.open(tmp_path / "data")
        node = Node(store, ServerSettings())
        await node.seal.submit(base64.b64decode(filled.unseal_key))
        children = await store.list(f"token/child/{filled.parent_name}/")
        assert len(children) == 1000  # whole commits
        assert len(await store.list("token/id/")) == 1202  # the parent and root
        transaction = await node.core.storage.begin()
        found = await node.core.tokens.find(transaction, filled.ordinary, node.core.clock.now())
        assert found is not None
        assert found.token.orphan
        await node.stop()

    asyncio.run(check())


@pytest.mark.parametrize(("measured", "verdict"), [(49.9, "yes"), (50.1, "no")])
def test_a_missed_target_is_shown_as_such(measured: float, verdict: str) -> None:
    finding = Finding("p99", measured, "ms", 50)
    assert finding.met == (verdict == "yes")
    console = Console(width=150, file=StringIO())
    console.print(scale_table([finding, Finding("untold", 1, "s")]))
    line = next(line for line in printed(console).splitlines() if "p99" in line)
    assert "at most 50 ms" in line
    assert verdict in line
