"""What each process knows for itself is told by any of them, for all."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop
from prometheus_client.parser import text_string_to_metric_families

from tests.node import NodeUnderTest
from wardgate.core.metrics import Reading
from wardgate.core.operation import Operation
from wardgate.core.peers import NoPeers
from wardgate.core.request import Request
from wardgate.core.settings import Settings
from wardgate.http.rules import Rules
from wardgate.server.peers import Peers
from wardgate.system.loggers import take_levels

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
Body = Callable[[NodeUnderTest, NodeUnderTest], Awaitable[None]]


@pytest.fixture(autouse=True)
def loggers_as_they_were() -> Iterator[None]:
    yield
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("wardgate.") and isinstance(logger, logging.Logger):
            logger.setLevel(logging.NOTSET)


def with_workers(folder: Path, body: Body) -> None:
    """Run `body` with two workers over one store."""

    async def run() -> None:
        anywhere = msgspec.structs.replace(Settings().audit, anywhere=True)
        first = await NodeUnderTest.start(settings=Settings(audit=anywhere))
        second = await first.another()
        for number, each in enumerate((first, second)):
            await each.node.join(Peers(folder, number))
        try:
            await body(first, second)
        finally:
            await second.node.core.audit.stop()
            await second.node.core.peers.stop()  # type: ignore[attr-defined]
            await first.node.stop()

    uvloop.run(run())


@contextlib.asynccontextmanager
async def one_more(folder: Path, **handlers: Any) -> AsyncIterator[Peers]:
    """A worker of which nothing is there but its answers."""
    made = Peers(folder, 7)
    for topic, handler in handlers.items():
        made.serve(topic.replace("_", " "), handler)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def scraped(node: NodeUnderTest) -> Samples:
    answer = await node.http("GET", "/v1/sys/metrics", query="format=prometheus")
    assert answer.status == 200
    return {
        (sample.name.removesuffix("_total"), tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


def test_metrics_are_those_of_all_workers(tmp_path: Path) -> None:
    async def body(first: NodeUnderTest, second: NodeUnderTest) -> None:
        for node, times in ((first, 2), (second, 3)):
            for _ in range(times):
                await node.http("GET", "/v1/cubbyhole/a")
                await node.token()
        for node in (first, second):
            found = await scraped(node)
            assert found["vault_route_read_cubbyhole__count", ()] == 5
            assert found["vault_token_create_count", ()] == 5
            assert found["vault_core_unsealed", ()] == 1
            assert found["vault_core_active", ()] == 1
            assert found["vault_workers", (("answered", "yes"),)] == 2
            assert found["vault_workers", (("answered", "no"),)] == 0
            assert found["vault_cache_records", ()] == sum(
                len(each.core.storage.cache) for each in (first, second)
            )
            for number in ("0", "1"):
                assert found["process_resident_memory_bytes", (("worker", number),)] > 0
            assert ("process_resident_memory_bytes", ()) not in found

    with_workers(tmp_path, body)


def test_json_has_the_same_numbers_since_the_first_worker_began(tmp_path: Path) -> None:
    async def body(first: NodeUnderTest, second: NodeUnderTest) -> None:
        for node in (first, second):
            await node.http("GET", "/v1/cubbyhole/a")
        first.node._metrics._since -= 100
        counter = second.core.metrics.counter("things", "Things.", of="a")
        counter.add(200)
        first.clock.advance(100)
        for node in (first, second):
            shown = (await node.http("GET", "/v1/sys/metrics")).json()
            (sample,) = [
                each for each in shown["Samples"] if each["Name"] == "vault.route.read.cubbyhole-"
            ]
            assert sample["Count"] == 2
            (things,) = [each for each in shown["Counters"] if each["Name"] == "vault.things"]
            assert (things["Count"], things["Rate"]) == (200, 1.0)
            assert things["Labels"] == {"of": "a"}

    with_workers(tmp_path, body)


def test_what_all_workers_have_together_is_not_added_up(tmp_path: Path) -> None:
    """And any of them tells it, though the first alone counts it."""

    async def body(first: NodeUnderTest, second: NodeUnderTest) -> None:
        await first.node.census.round()
        for node in (first, second):
            assert (await scraped(node))["vault_token_count", ()] == 1
        for node in (first, second):
            node.core.metrics.collected(
                "both", "gauge", "Known to both.", lambda: [Reading((), 4)], "server"
            )
        assert (await scraped(second))["vault_both", ()] == 4

        async def no_pause(seconds: float) -> None:
            raise AssertionError("the second worker does not count")

        second.node.census._pause = no_pause
        await second.node.census.run()

    with_workers(tmp_path, body)


def test_a_worker_that_does_not_tell_its_metrics_is_seen(tmp_path: Path) -> None:
    async def fail(payload: Any) -> Any:
        return {"worker": "no number"}

    async def body(first: NodeUnderTest, second: NodeUnderTest) -> None:
        async with one_more(tmp_path, metrics=fail):
            found = await scraped(first)
        assert found["vault_workers", (("answered", "yes"),)] == 2
        assert found["vault_workers", (("answered", "no"),)] == 1

    with_workers(tmp_path, body)


def test_open_metrics_are_those_of_all_workers_too(tmp_path: Path) -> None:
    async def body(first: NodeUnderTest, second: NodeUnderTest) -> None:
        first.application.use(Rules(open_metrics=True))
        await second.http("GET", "/v1/cubbyhole/a")
        answers = await asyncio.gather(
            *(first.http("GET", "/v1/sys/metrics", token=None) for _ in range(20))
        )
        for answer in answers:
            names = {each["Name"]: each["Count"] for each in answer.json()["Samples"]}
            assert names["vault.route.read.cubbyhole-"] == 1

    with_workers(tmp_path, body)


def test_requests_in_flight_are_those_of_all_workers(tmp_path: Path) -> None:
    async def body(first: NodeUnderTest, second: NodeUnderTest) -> None:
        for node, name in ((first, "one"), (second, "two")):
            request = Request(
                Operation.READ, f"kv/{name}", id=name, time=node.clock.now(), peer="10.1.2.3:4"
            )
            node.core.in_flight.requests[request] = None
        for node in (first, second):
            shown = (await node.read("sys/in-flight-req")).data
            assert len(shown) == 3
            assert shown["two"] == {
                "start_time": "2023-11-14T22:13:20Z",
                "client_remote_address": "10.1.2.3:4",
                "request_path": "/v1/kv/two",
                "request_method": "GET",
                "client_id": "",
            }
            assert shown["one"]["request_path"] == "/v1/kv/one"

    with_workers(tmp_path, body)


def test_levels_are_set_in_all_workers(tmp_path: Path) -> None:
    told = []

    async def set_level(payload: Any) -> None:
        told.append(payload)

    async def fail(payload: Any) -> None:
        raise OSError

    async def body(first: NodeUnderTest, second: NodeUnderTest) -> None:
        async with one_more(tmp_path, set_log_level=set_level):
            await first.ok("sys/loggers/http", {"level": "debug"})
            assert (await second.delete("sys/loggers/http")).status == 204
            await first.ok("sys/loggers", {"level": "error"})
            assert (await first.write("sys/loggers", {"level": "hunter2"})).status == 400
        assert told == [
            {"name": "http", "level": 10},
            {"name": "http", "level": 0},
            {"name": "", "level": 40},
        ]
        async with one_more(tmp_path, set_log_level=fail):
            answer = await first.write("sys/loggers/http", {"level": "info"})
        assert (answer.status, answer.warnings) == (
            200,
            ["worker processes that did not answer, and may log as before: 1"],
        )

    with_workers(tmp_path, body)


def test_a_worker_does_as_another_says_and_one_that_begins_logs_as_the_others(
    tmp_path: Path,
) -> None:
    async def body(first: NodeUnderTest, second: NodeUnderTest) -> None:
        async with one_more(tmp_path) as other:
            answers = await other.ask("set log level", {"name": "seal", "level": 10})
            assert (list(answers), answers.missing) == ([None, None], 0)
            assert (await first.read("sys/loggers/seal")).data == {"seal": "debug"}
            (levels, _) = await other.ask("log levels", kind=dict[str, int])
            assert levels == {"seal": 10}
            assert (await other.ask("set log level", {"name": 5})).missing == 2

        async def levels_of_another(payload: Any) -> dict[str, int]:
            return {"storage": 40}

        await second.node._peers.stop()  # type: ignore[union-attr]
        await second.node._peers.start()  # type: ignore[union-attr]
        first.core.peers.serve("log levels", levels_of_another)
        await take_levels(second.core.peers)
        assert (await second.read("sys/loggers/storage")).data == {"storage": "error"}

    with_workers(tmp_path, body)


def test_all_workers_reload_and_each_note_is_there_once(tmp_path: Path) -> None:
    reloaded = []

    async def body(first: NodeUnderTest, second: NodeUnderTest) -> None:
        def reload(number: int, *notes: str) -> Callable[[], Awaitable[list[str]]]:
            async def run() -> list[str]:
                reloaded.append(number)
                return list(notes)

            return run

        first.node.host.reload = reload(0, "ui has changed")
        second.node.host.reload = reload(1, "ui has changed", "a certificate expires")
        answer = await first.write("sys/config/reload/config")
        assert (answer.status, answer.warnings) == (
            200,
            ["ui has changed", "a certificate expires"],
        )
        assert reloaded == [0, 1]
        first.node.host.reload, second.node.host.reload = reload(0), reload(1)
        assert (await second.write("sys/config/reload/config")).status == 204
        assert reloaded == [0, 1, 1, 0]
        async with one_more(tmp_path):
            answer = await second.write("sys/config/reload/config")
        assert answer.warnings == [
            "worker processes that did not answer: 1;"
            " they may go on with the configuration as it was"
        ]

    with_workers(tmp_path, body)


def test_the_health_of_audit_devices_is_that_of_all_workers(tmp_path: Path) -> None:
    (tmp_path / "sockets").mkdir(mode=0o700)

    async def body(first: NodeUnderTest, second: NodeUnderTest) -> None:
        await first.ok("sys/audit/main", {"type": "file", "options": {"file_path": "discard"}})
        for node in (first, second):
            for _ in range(3):
                await node.read("cubbyhole/a")
        for node in (first, second):
            health = (await node.read("sys/audit-health")).data["main/"]
            own = node.core.audit.health()["main/"]
            assert health["state"] == "ok"
            assert health["written"] > own.written
        ((_, seat),) = second.core.audit._seats.values()
        seat.sink.health.state, seat.sink.health.reason = "failing", "No space left on device"
        seat.sink.health.failed = 12
        health = (await first.read("sys/audit-health")).data["main/"]
        assert (health["state"], health["reason"]) == ("failing", "No space left on device")
        assert health["failed"] == 12

    with_workers(tmp_path / "sockets", body)


def test_a_server_of_one_process_asks_nobody() -> None:
    async def run() -> None:
        node = await NodeUnderTest.start()
        assert isinstance(node.core.peers, NoPeers)
        assert node.core.peers.alone
        found = await scraped(node)
        assert ("vault_workers", (("answered", "yes"),)) not in found
        assert found["process_resident_memory_bytes", ()] > 0
        answers = await node.core.peers.ask("metrics")
        assert (list(answers), answers.missing) == ([], 0)
        await node.node.stop()

    uvloop.run(run())
