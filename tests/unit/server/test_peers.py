"""Worker processes ask each other over sockets in a private folder."""

import asyncio
import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop

from wardgate.server.peers import AT_ONCE, MOST_ANSWERED, MOST_ASKED, Peers, PeersError

SOON = 0.05
"""Seconds for somebody who will never answer."""
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Its path is longer than the address of a unix socket may be."""
    made = tmp_path / ("long" * 50)
    made.mkdir(mode=0o700)
    return made


async def worker(folder: Path, number: int) -> Peers:
    """A worker that knows its own number, and gives back what it is given."""

    async def own_number(payload: Any) -> int:
        return number

    async def echo(payload: Any) -> Any:
        return payload

    made = Peers(folder, number)
    made.serve("number", own_number)
    made.serve("echo", echo)
    await made.start()
    return made


@contextlib.asynccontextmanager
async def stranger(folder: Path, number: int, talk: Talk) -> AsyncIterator[None]:
    """Somebody who listens as a worker does, and then does as `talk` says."""
    opened = os.open(folder, os.O_RDONLY)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"/proc/self/fd/{opened}/{number}")
    os.close(opened)
    server = await asyncio.start_unix_server(talk, sock=listening)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


def run(body: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await body()

    asyncio.run(main())


@pytest.mark.parametrize("run_loop", [asyncio.run, uvloop.run])
def test_all_others_are_asked(folder: Path, run_loop: Callable[[Any], None]) -> None:
    async def body() -> None:
        workers = [await worker(folder, number) for number in (0, 1, 2, 10)]
        assert await workers[1].ask("number") == [0, 2, 10]
        payload = {"a": [1, 2.5, None, True, b"\x00", "ä"]}
        answers = await workers[0].ask("echo", payload, dict[str, Any])
        assert (list(answers), answers.missing) == ([payload] * 3, 0)
        for each in workers:
            await each.stop()
        assert os.listdir(folder) == []
        assert await workers[0].ask("number") == []

    run_loop(body())


def test_alone_nobody_answers_and_nobody_is_missing(folder: Path) -> None:
    async def body() -> None:
        (folder / "notes").write_text("not a worker")
        alone = await worker(folder, 0)
        answers = await alone.ask("number")
        assert (list(answers), answers.missing) == ([], 0)
        await alone.stop()

    run(body)


def test_a_dead_worker_is_not_missed_and_its_successor_takes_its_place(folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", "import socket; socket.socket(socket.AF_UNIX).bind('1')"],
        cwd=folder,
        check=True,
    )

    async def body() -> None:
        first = await worker(folder, 0)
        assert sorted(os.listdir(folder)) == ["0", "1"]
        answers = await first.ask("number")
        assert (list(answers), answers.missing) == ([], 0)
        second = await worker(folder, 1)
        assert await first.ask("number") == [1]
        with pytest.raises(PeersError, match="another worker with the number 1 is running"):
            await worker(folder, 1)
        assert await first.ask("number") == [1]
        for each in (first, second):
            await each.stop()

    run(body)


def test_who_hangs_is_left_out_and_holds_up_nobody_else(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def body() -> None:
        first, second = await worker(folder, 0), await worker(folder, 1)
        async with stranger(folder, 2, hang):
            for _ in range(3):
                answers = await first.ask("number", patience=SOON)
                assert (list(answers), answers.missing) == ([1], 1)
        for each in (first, second):
            await each.stop()
        warned = [each.getMessage() for each in caplog.records]
        assert warned == ["worker 2 does not answer: TimeoutError"]  # once, not at every question

    run(body)


def test_a_worker_whose_handler_hangs_or_fails_is_missing(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> None:
        first, second = await worker(folder, 0), await worker(folder, 1)
        cancelled, secret = asyncio.Event(), "hunter2"

        async def hang(payload: Any) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        async def fail(payload: Any) -> None:
            raise ValueError(secret)

        async def huge(payload: Any) -> bytes:
            return bytes(MOST_ANSWERED + 1)

        async def odd(payload: Any) -> object:
            return object()

        second.serve("hang", hang)
        second.serve("fail", fail)
        second.serve("huge", huge)
        second.serve("odd", odd)
        assert (await first.ask("hang", patience=SOON)).missing == 1
        for topic in ("fail", "huge", "odd", "unknown"):
            assert (await first.ask(topic)).missing == 1
        assert await first.ask("number") == [1]
        assert secret not in caplog.text
        await second.stop()
        assert cancelled.is_set()
        await first.stop()

    run(body)


def frame(message: bytes, length: int | None = None) -> bytes:
    return struct.pack(">I", len(message) if length is None else length) + message


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x00",
        b"HTTP/1.1 200 OK\r\n\r\n",
        frame(b""),
        frame(b"\xc1"),
        frame(b"\xa4abc"),
        frame(b"\xa1\xff"),
        frame(b"\x91" * 100_000),
        frame(msgspec.msgpack.encode("a text")),
        frame(msgspec.msgpack.encode(-1) * 2),
        frame(b"\x05", 2),
        frame(b"\x05", MOST_ANSWERED + 1),
        frame(b"", 2**32 - 1) + bytes(1000),
        b"\xff" * 100_000,
    ],
    ids=range(14),
)
def test_garbage_is_left_out(folder: Path, sent: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(sent)
            await writer.drain()
        writer.close()

    async def body() -> None:
        first = await worker(folder, 0)
        async with stranger(folder, 1, talk):
            answers = await first.ask("number", kind=int)
            assert (list(answers), answers.missing) == ([], 1)
        await first.stop()

    run(body)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x00\x00",
        frame(b"\xc1"),
        frame(msgspec.msgpack.encode({"topic": 1})),
        frame(msgspec.msgpack.encode([1, 2])),
        frame(msgspec.msgpack.encode(["unknown", None])),
        frame(b"\x91" * 100_000),
        frame(b"", MOST_ASKED + 1),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=range(9),
)
def test_a_garbled_question_gets_no_answer(folder: Path, sent: bytes) -> None:
    async def body() -> None:
        first, second = await worker(folder, 0), await worker(folder, 1)
        reader, writer = await asyncio.open_unix_connection(first._address(0))
        writer.write(sent)
        writer.write_eof()
        answer = b""
        with contextlib.suppress(ConnectionError):
            answer = await reader.read()
        assert answer == b""
        writer.close()
        assert await second.ask("number") == [0]
        for each in (first, second):
            await each.stop()

    run(body)


def test_many_ask_each_other_at_once(folder: Path) -> None:
    async def body() -> None:
        workers = [await worker(folder, number) for number in range(3)]
        busy, most = 0, 0

        async def count(payload: Any) -> Any:
            nonlocal busy, most
            busy += 1
            most = max(busy, most)
            await asyncio.sleep(0)
            busy -= 1
            return payload

        for each in workers:
            each.serve("count", count)
        asked = [(each, number) for number in range(60) for each in workers]
        answers = await asyncio.gather(
            *(each.ask("count", number, int, 60) for each, number in asked)
        )
        for (_, number), answer in zip(asked, answers, strict=True):
            assert (list(answer), answer.missing) == ([number] * 2, 0)
        assert most <= AT_ONCE * len(workers)
        for each in workers:
            await each.stop()

    run(body)


def test_large_answers_arrive_whole(folder: Path) -> None:
    async def body() -> None:
        first, second = await worker(folder, 0), await worker(folder, 1)

        async def large(payload: Any) -> bytes:
            return b"a" * (MOST_ANSWERED - 10)

        second.serve("large", large)
        (answer,) = await first.ask("large", kind=bytes, patience=60)
        assert len(answer) == MOST_ANSWERED - 10
        with pytest.raises(ValueError, match="at most"):
            await first.ask("echo", bytes(MOST_ASKED))
        for each in (first, second):
            await each.stop()

    run(body)


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_may_enter_is_refused(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    with pytest.raises(PeersError, match="open to others"):
        asyncio.run(worker(folder, 0))
    assert os.listdir(folder) == []


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PeersError, match="cannot listen for the other workers: No such file"):
        asyncio.run(worker(tmp_path / "nothing", 0))


OTHER_USER = """
import os, socket, struct
os.setuid(65534)
client = socket.socket(socket.AF_UNIX)
client.connect("0")
try:
    client.sendall(struct.pack(">I", 9) + b"\\x92\\xa6number\\xc0")
    print(client.recv(100))
except ConnectionError:
    print(b"")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("user", [0, 65534])
def test_another_user_gets_no_answer(folder: Path, user: int) -> None:
    """Though the permissions of folder and socket would let them."""

    async def body() -> None:
        first = await worker(folder, 0)
        os.chmod(folder, 0o777)
        os.chmod(folder / "0", 0o777)
        code = OTHER_USER.replace("65534", str(user))
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, cwd=folder, stdout=subprocess.PIPE
        )
        said, _ = await client.communicate()
        assert said.strip() == (b"b'\\x00\\x00\\x00\\x01\\x00'" if user == 0 else b"b''")
        await first.stop()

    run(body)


PROCESS = """
import asyncio, pathlib, sys
from wardgate.server.peers import Peers

async def main():
    async def own_number(payload):
        return 1
    peers = Peers(pathlib.Path("."), 1)
    peers.serve("number", own_number)
    await peers.start()
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_a_process_that_is_stopped_is_missing_and_one_that_is_killed_is_not(folder: Path) -> None:
    async def begin() -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROCESS, cwd=folder, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        return process

    async def body() -> None:
        first, process = await worker(folder, 0), await begin()
        assert await first.ask("number", patience=60) == [1]
        process.send_signal(signal.SIGSTOP)
        answers = await first.ask("number", patience=SOON)
        assert (list(answers), answers.missing) == ([], 1)
        process.send_signal(signal.SIGCONT)
        assert await first.ask("number", patience=60) == [1]
        process.kill()
        await process.communicate()
        assert sorted(os.listdir(folder)) == ["0", "1"]
        answers = await first.ask("number")
        assert (list(answers), answers.missing) == ([], 0)
        successor = await begin()
        assert await first.ask("number", patience=60) == [1]
        successor.kill()
        await successor.communicate()
        await first.stop()

    run(body)
