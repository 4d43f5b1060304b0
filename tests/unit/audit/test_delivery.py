"""Devices that hang, fill up or vanish: they disturb neither each other nor the requests; when none
can write, a request fails before anything comes of it."""

import asyncio
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.audit import (
    ANYWHERE,
    SOON,
    audited_node,
    enable,
    of_path,
    records,
    until,
    until_written,
    written,
)
from tests.node import NodeUnderTest, errors
from tests.servers import free_port
from wardgate.core.audit import file, sink
from wardgate.core.audit.network import SyslogTarget
from wardgate.core.audit.options import SyslogOptions
from wardgate.core.audit.sink import Health, Sink, Ticket
from wardgate.core.audit.table import Device

PATIENCE = 0.3  # seconds that a device gets which hangs
LARGE = {str(number): "text" for number in range(2500)}
"""Its record has about 200 KB: each text becomes 76 characters."""
NOBODY = "no audit device could record the request"


def run(body: Callable[[NodeUnderTest], Awaitable[None]]) -> None:
    async def main() -> None:
        node = await NodeUnderTest.start(settings=ANYWHERE)
        node.core.audit.patience = SOON
        try:
            await node.ok("sys/mounts/kv", {"type": "kv"})
            await body(node)
        finally:
            await node.node.stop()

    asyncio.run(main())


def configure(node: NodeUnderTest, **devices: dict[str, str]) -> None:
    """Devices from the configuration, which are not tried out: file devices by their options, or
    the kind of device under ``type``."""
    made = [
        Device(
            path=f"{name}/",
            type=options.pop("type", "file"),
            uuid="",
            salt=b"",
            options=options,
            configured=True,
        )
        for name, options in devices.items()
    ]
    node.core.audit.configure(made, node.core.audit.rules)


def health(node: NodeUnderTest, device: str) -> Health:
    return node.core.audit.health()[f"{device}/"]


def test_full_disk_alone_refuses_everything_before_it_is_done() -> None:
    async def body(node: NodeUnderTest) -> None:
        configure(node, full={"file_path": "/dev/full"})
        stored = await node.keys_below("")
        for response in (
            await node.write("kv/secret", {"a": "b"}),
            await node.read("sys/mounts"),
            await node.write("auth/token/create"),
            await node.write("sys/rotate"),
            await node.write("sys/seal"),
            await node.write("auth/token/create", token="nobody's"),
        ):
            assert response.status == 500
            assert errors(response)[0].startswith(NOBODY)
        term = node.node.barrier.key_status().term
        assert term == 1
        assert not node.node.barrier.sealed
        now = await node.keys_below("")
        assert sorted({*now} - {*stored}) == []
        shown = health(node, "full")
        assert (shown.state, shown.reason) == ("failing", "No space left on device")

    run(body)


def test_full_disk_beside_another_device_stops_nobody(tmp_path: Path) -> None:
    async def body(node: NodeUnderTest) -> None:
        log = tmp_path / "audit.log"
        configure(node, full={"file_path": "/dev/full"}, good={"file_path": str(log)})
        await node.ok("kv/secret", {"a": "b"})
        assert len(of_path(log, "kv/secret")) == 2

        async def seen() -> bool:
            answer = (await node.read("sys/audit-health")).data
            return (answer["full/"]["state"], answer["good/"]["state"]) == ("failing", "ok")

        await until(seen)

    run(body)


def test_pipe_that_nobody_reads_any_more_stops_nobody(tmp_path: Path) -> None:
    async def body(node: NodeUnderTest) -> None:
        fifo, log = tmp_path / "fifo", tmp_path / "audit.log"
        os.mkfifo(fifo, 0o600)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        await enable(node, "fifo", fifo)
        await enable(node, "file", log)
        for _ in range(30):  # a hundred times what a pipe holds
            await node.ok("kv/secret", LARGE)
        # it gives up on each record after seconds, for which no answer has waited
        assert health(node, "fifo").waiting > 0
        await until_written(log, "kv/secret", 60)
        os.close(reader)

    run(body)


class _Hanging:
    """A target whose writes hang until they are let go."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.lines: list[bytes] = []

    def open(self) -> None:
        pass

    def write(self, lines: Any) -> None:
        self.free.wait()
        self.lines += lines

    def close(self) -> None:
        pass


def test_device_that_hangs_is_given_up_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its queue is bounded, what does not fit is dropped, and nobody waits for it twice."""

    async def main() -> None:
        monkeypatch.setattr(sink, "MOST_WAITING", 1000)
        target = _Hanging()
        device = Sink("hanging/", target, PATIENCE)
        first = Ticket(1)
        device.add(b"x" * 300, first)
        assert not await asyncio.wait_for(first.wait(), SOON)
        assert device.state().state == "hanging"
        later = [Ticket(1) for _ in range(5)]
        for ticket in later:
            device.add(b"x" * 300, ticket)
        waiting = [asyncio.create_task(ticket.wait()) for ticket in later]
        await asyncio.sleep(
            0
        )  # their only turn, which is enough where there is nothing to wait for
        assert [task.done() for task in waiting] == [True] * 5
        assert not any(task.result() for task in waiting)
        assert device.state().dropped == 3
        target.free.set()

        async def recovered() -> bool:
            return device.state().state == "ok"

        await until(recovered)

        async def takes_records() -> bool:
            again = Ticket(1)
            device.add(b"last", again)
            return await again.wait()

        await until(takes_records)
        assert target.lines[:3] == [b"x" * 300] * 3
        assert {*target.lines[3:]} == {b"last"}
        await device.stop()

    asyncio.run(main())


def test_hanging_device_beside_another_costs_no_time(tmp_path: Path) -> None:
    async def body(node: NodeUnderTest) -> None:
        with _silent_receiver() as address:
            log = tmp_path / "audit.log"
            await enable(node, "file", log)
            given = {"address": address, "write_timeout": "1s"}
            await node.ok("sys/audit/socket", {"type": "socket", "options": given})
            waited = []
            for _ in range(40):
                await node.ok("kv/secret", LARGE)
                waited.append(health(node, "socket").waiting == 0)
            # it gives up on each write after a second, for which no answer has waited
            assert not all(waited)
            await until_written(log, "kv/secret", 80)

            async def noticed() -> bool:
                return health(node, "socket").failed > 0

            await until(noticed)

    run(body)


@contextmanager
def _silent_receiver() -> Iterator[str]:
    """A TCP server that accepts a connection and reads nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_receiver_that_comes_back_is_found_again() -> None:
    async def body(node: NodeUnderTest) -> None:
        port = free_port()
        with socket.create_server(("127.0.0.1", port)) as server:
            given = {"type": "socket", "options": {"address": f"127.0.0.1:{port}"}}
            await node.ok("sys/audit/socket", given)
            tried, _ = server.accept()
            await node.read("sys/mounts")
            connection, _ = server.accept()
            connection.close()
            tried.close()
        assert (await node.read("sys/mounts")).status == 500

        async def answered() -> bool:
            return (await node.read("sys/mounts")).status == 200

        with socket.create_server(("127.0.0.1", port)) as server:
            await until(answered)
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as lines:
                assert b'"type":"request"' in lines.readline()

    run(body)


def test_deleted_and_moved_files_are_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the next look at the path, which is taken at every write here."""
    assert file.CHECK_INTERVAL < 1.0
    monkeypatch.setattr(file, "CHECK_INTERVAL", 0.0)

    async def main() -> None:
        log = tmp_path / "audit.log"
        node = await audited_node(log)
        os.rename(log, tmp_path / "audit.log.1")
        await node.read("sys/mounts")
        assert len(of_path(log, "sys/mounts")) == 2
        assert records(tmp_path / "audit.log.1")
        os.unlink(log)
        await node.read("sys/policy")
        assert len(of_path(log, "sys/policy")) == 2
        monkeypatch.setattr(file, "CHECK_INTERVAL", SOON)
        os.unlink(log)
        node.core.audit.reopen()
        await node.read("sys/auth")
        assert len(of_path(log, "sys/auth")) == 2
        await node.node.stop()

    asyncio.run(main())


def test_file_that_became_a_link_or_a_program_is_written_no_more(tmp_path: Path) -> None:
    async def main() -> None:
        log, other = tmp_path / "audit.log", tmp_path / "other"
        node = await audited_node(log)
        os.rename(log, other)
        before = written(other)
        log.symlink_to(other)
        node.core.audit.reopen()
        assert (await node.read("sys/mounts")).status == 500
        assert written(other) == before
        log.unlink()
        log.touch(0o700)
        assert (await node.read("sys/mounts")).status == 500
        assert written(log) == ""
        log.unlink()
        assert (await node.read("sys/mounts")).status == 200
        await node.node.stop()

    asyncio.run(main())


def test_many_requests_at_once_are_written_together(tmp_path: Path) -> None:
    async def main() -> None:
        log = tmp_path / "audit.log"
        node = await audited_node(log)
        responses = await asyncio.gather(*(node.read("sys/mounts") for _ in range(200)))
        assert {response.status for response in responses} == {200}
        seen: dict[str, list[str]] = {}
        for record in of_path(log, "sys/mounts"):
            seen.setdefault(record["request"]["id"], []).append(record["type"])
        assert list(seen.values()) == [["request", "response"]] * 200
        await node.node.stop()

    asyncio.run(main())


class _Recording:
    """A target that takes everything, and keeps what each write was."""

    def __init__(self) -> None:
        self.writes: list[list[bytes]] = []

    def open(self) -> None:
        pass

    def write(self, lines: Sequence[bytes]) -> None:
        self.writes.append([*lines])

    def close(self) -> None:
        pass


def test_records_of_two_passes_share_a_write() -> None:
    async def main() -> None:
        target = _Recording()
        device = Sink("recording/", target, SOON)
        tickets = [Ticket(1), Ticket(1), Ticket(1)]
        device.add(b"first", tickets[0])
        await asyncio.sleep(0)  # one pass
        device.add(b"second", tickets[1])
        assert all(await asyncio.gather(tickets[0].wait(), tickets[1].wait()))
        device.add(b"third", tickets[2])
        assert await tickets[2].wait()
        assert target.writes == [[b"first", b"second"], [b"third"]]
        await device.stop()

    asyncio.run(main())


def test_record_of_a_rerun_transaction_is_written_once(tmp_path: Path) -> None:
    async def main() -> None:
        log = tmp_path / "audit.log"
        node = await audited_node(log)
        await node.ok("sys/mounts/kv", {"type": "kv", "options": {"version": "2"}})
        await asyncio.gather(*(node.ok("kv/data/one", {"data": {"n": n}}) for n in range(20)))
        assert len(of_path(log, "kv/data/one")) == 40
        await node.node.stop()

    asyncio.run(main())


def test_syslog_gets_one_datagram_a_record(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        target = SyslogTarget(SyslogOptions(facility=4, tag="tagged"), [path])
        target.write([b'{"a":1}\n', b'{"b":2}\n'])
        for expected in (b'{"a":1}', b'{"b":2}'):
            head, _, line = receiver.recv(1000).partition(b": ")
            assert head.startswith(b"<38>")
            assert head.endswith(f" tagged[{os.getpid()}]".encode())
            assert line == expected
        target.close()


def test_udp_record_that_is_too_large_fails_alone() -> None:
    async def body(node: NodeUnderTest) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            receiver.settimeout(SOON)
            address = f"127.0.0.1:{receiver.getsockname()[1]}"
            given = {"address": address, "socket_type": "udp"}
            await node.ok("sys/audit/udp", {"type": "socket", "options": given})
            refused, fine = await asyncio.gather(
                node.write("kv/large", LARGE), node.write("kv/small", {"a": "b"})
            )
            assert (refused.status, fine.status) == (500, 204)
            assert (await node.read("kv/large")).status == 404
            assert b'"sys/audit/test"' in receiver.recv(100_000)

    run(body)
