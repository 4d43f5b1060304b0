"""Growth with what is stored: the directories that are measured, the ratios, and who decides."""

import asyncio
import base64
from io import StringIO
from pathlib import Path

import pytest
import typer
from rich.console import Console

from bench import growth_table
from bench.__main__ import _sizes
from bench.filling import SECRETS_MOUNT, fill
from bench.growth import COLUMNS, COST, Column, Growing, Growth
from bench.loads import VALUE
from bench.results import Figures, Refusal, Settings
from wardgate.core.json import decode
from wardgate.core.settings import Settings as ServerSettings
from wardgate.core.storage import View
from wardgate.secrets.kv2.store import SecretStore
from wardgate.server.node import Node
from wardgate.store.lmdb import LmdbStore

SMALLEST = Figures(rate=1000, p50=1.0, p99=10.0, cost=50)
RATE, P50, P99, _ = COLUMNS


def growth(
    largest: Figures, *, disturbed: bool = False, refusals: tuple[Refusal, ...] = ()
) -> Growth:
    return Growth(
        sizes=[10, 2000],
        settings=Settings(connections=32, rounds=3, seconds=10),
        loads=[Growing("Token lookup-self", [SMALLEST, largest])],
        refusals=list(refusals),
        notes=["a note"],
        disturbed=disturbed,
    )


def shown(found: Growth) -> str:
    console = Console(width=150, file=StringIO())
    growth_table.show(found, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def changed(column: Column, times: float) -> Figures:
    values = {each.field: each.of(SMALLEST) for each in COLUMNS}
    values[column.field] *= times
    return Figures(**values)


@pytest.mark.parametrize(
    ("column", "enough", "too_far"),
    [(RATE, 0.81, 0.79), (P50, 1.19, 1.21), (P99, 1.19, 1.21), (COST, 1.19, 1.21)],
    ids=lambda value: value.field if isinstance(value, Column) else str(value),
)
def test_a_figure_may_be_a_fifth_worse_and_no_more(
    column: Column, enough: float, too_far: float
) -> None:
    assert growth(changed(column, enough)).met
    missed = growth(changed(column, too_far))
    assert not missed.met
    assert [len(missed.misses(each)) for each in COLUMNS] == [each is column for each in COLUMNS]


def test_a_figure_that_is_better_with_more_is_no_miss() -> None:
    assert growth(Figures(rate=2000, p50=0.5, p99=5.0, cost=25)).met


def test_on_a_disturbed_machine_the_cpu_time_decides_and_the_rest_is_told() -> None:
    slower = growth(changed(RATE, 0.5), disturbed=True)
    assert slower.met
    text = shown(slower)
    assert "requests per second: not within 20%: Token lookup-self with 2,000: 0.50 times" in text
    assert "CPU time of a request: all within 20% of the smallest size" in text
    assert "disturbed, so only the CPU time of a request decides: met" in text
    assert not growth(changed(COST, 2), disturbed=True).met


def test_the_table_has_the_ratios_to_the_smallest_size() -> None:
    text = shown(growth(changed(COST, 1.5)))
    line = next(line for line in text.splitlines() if "2,000 │" in line)
    assert [cell.strip() for cell in line.split("│")][3:-1] == [
        *("1,000", "1.00"), *("1.00", "1.00"), *("10.00", "1.00"), *("75", "1.50"),
    ]  # fmt: skip
    assert "quiet, so all figures decide: missed" in text


def test_a_load_without_a_figure_is_named_and_is_a_miss() -> None:
    found = growth(SMALLEST, refusals=(Refusal("login", "Login [x]", "3 were not 2xx"),))
    assert not found.met
    assert "No figure for Login [x]: 3 were not 2xx" in shown(found)


def test_sizes_are_put_in_order() -> None:
    assert _sizes("10000, 1000,10000") == [1000, 10000]


@pytest.mark.parametrize("text", ["", "1000", "1000,1000", "0,1000", "1000,many"])
def test_sizes_that_cannot_be_compared_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        _sizes(text)


def test_a_directory_is_filled_with_secrets_too(tmp_path: Path) -> None:
    filled = fill(tmp_path / "data", tokens=3, children=0, say=lambda _: None, secrets=700)

    async def check() -> None:
        node = Node(LmdbStore.open(tmp_path / "data"), ServerSettings())
        await node.seal.submit(base64.b64decode(filled.unseal_key))
        transaction = await node.core.storage.begin()
        mount = (await node.core.mounts.table(transaction)).by_path[SECRETS_MOUNT]
        view, secrets = View(transaction, mount.storage_prefix), SecretStore(mount)
        assert len(await secrets.tree.names(view, "stored")) == 700
        last = await secrets.get(view, "stored/699")
        assert last is not None
        assert last.current == 1
        assert decode(await secrets.data(view, last, 1)) == VALUE
        await node.stop()

    asyncio.run(check())
