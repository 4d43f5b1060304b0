"""What a request leaves in memory: nothing that only Python's collector of cycles could find.

The collector stops everybody while it works, so requests must not make work for it.
"""

import asyncio
import gc
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.audit import ANYWHERE, enable
from tests.node import NodeUnderTest
from wardgate.clock import SystemClock
from wardgate.core.operation import Operation
from wardgate.http.connection import DEFAULT_TIMES, Connections

WRITE = {"data": {"a": "b"}}


class Client:
    """One connection, by which requests are sent one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, method: str, path: str, body: object = None, token: str = "root") -> int:
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} /v1/{path} HTTP/1.1\r\nHost: a\r\nX-Vault-Token: {token}\r\n"
        if content:
            head += f"Content-Length: {len(content)}\r\n"
        self._writer.write(f"{head}\r\n".encode() + content)
        answered = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = answered.partition(b"content-length: ")[2].partition(b"\r")[0]
        await self._reader.readexactly(int(length or b"0"))
        return int(answered.split()[1])

    def close(self) -> None:
        self._writer.close()


@pytest.mark.parametrize("audited", [False, True])
def test_requests_leave_no_cycles(audited: bool, tmp_path: Path) -> None:
    async def run() -> None:
        node = await NodeUnderTest.start(settings=ANYWHERE)
        if audited:
            await enable(node, "file", tmp_path / "audit.log")
        await node.ok("sys/mounts/kv", {"type": "kv", "options": {"version": "2"}})
        await node.ok("sys/auth/userpass", {"type": "userpass"})
        auth = (await node.call(Operation.UPDATE, "auth/token/create", {"ttl": "1h"})).auth
        assert auth is not None
        token = auth["client_token"]
        loop = asyncio.get_running_loop()
        house = Connections(node.application.answer, SystemClock(), 10, DEFAULT_TIMES)
        server = await loop.create_server(house, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        client = Client(*await asyncio.open_connection(*address))

        async def each(number: int) -> None:
            assert await client.ask("GET", "auth/token/lookup-self", token=token) == 200
            assert await client.ask("POST", f"kv/data/{number}", WRITE) == 200
            assert await client.ask("GET", f"kv/data/{number}") == 200
            assert await client.ask("LIST", "kv/metadata") == 200
            assert await client.ask("POST", "auth/token/create", {"ttl": "1h"}) == 200
            assert await client.ask("GET", "kv/data/never") == 404
            assert await client.ask("GET", "kv/data/never", token="wrong") == 403

        await each(0)
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            for number in range(20):
                await each(number)
            gc.collect()
            found = Counter(type(each).__name__ for each in gc.garbage)
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
        assert {name: count for name, count in found.items() if count >= 20} == {}
        client.close()
        server.close()

    asyncio.run(run())
