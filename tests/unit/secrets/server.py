"""A whole server in this process: everything but HTTP is the real part, and the clock stands still."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.clock import ManualClock
from wardgate.core.ids import new_uuid
from wardgate.core.json import decode
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.core.settings import Settings
from wardgate.http.answering import status_headers_body
from wardgate.server.node import Node
from wardgate.store.interface import Conflict, Write
from wardgate.store.memory import MemoryStore

OPERATIONS = {
    "GET": Operation.READ,
    "POST": Operation.UPDATE,
    "PUT": Operation.UPDATE,
    "PATCH": Operation.PATCH,
    "DELETE": Operation.DELETE,
    "LIST": Operation.LIST,
    "SCAN": Operation.SCAN,
}


class SlowStore(MemoryStore):
    """A memory store whose commits let other requests go on, as a disk does."""

    def __init__(self) -> None:
        super().__init__()
        self.conflicts = 0

    async def commit(self, expect: Mapping[str, int], writes: Sequence[Write]) -> int:
        await asyncio.sleep(0)
        try:
            return await super().commit(expect, writes)
        except Conflict:
            self.conflicts += 1
            raise


@dataclass(frozen=True)
class Answer:
    """What a client sees; `body` is None where there is none."""

    status: int
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text) if self.text else None

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def errors(self) -> Any:
        return self.body["errors"]


class Server:
    """A server with nothing but the default mounts."""

    def __init__(self) -> None:
        self.clock = ManualClock(1_800_000_000.25)
        self.store = SlowStore()
        self.node = Node(self.store, Settings(), self.clock)
        self._runner = asyncio.Runner()
        keys = self.call("POST", "sys/init", {"secret_shares": 1, "secret_threshold": 1}).body
        self.root_token: str = keys["root_token"]
        self.call("POST", "sys/unseal", {"key": keys["keys"][0]})

    def close(self) -> None:
        self._runner.run(self.node.stop())
        self._runner.close()

    def call(
        self, method: str, path: str, body: dict[str, Any] | str | None = None, token: str = ""
    ) -> Answer:
        """One request. `path` may have a query; a `body` that is a text is JSON already."""
        return self.parallel([(method, path, body)], token)[0]

    def parallel(
        self, requests: list[tuple[str, str, dict[str, Any] | str | None]], token: str = ""
    ) -> list[Answer]:
        """Requests that arrive at the same moment."""

        async def all_of_them() -> list[Response]:
            made = [self._request(*request, token) for request in requests]
            return await asyncio.gather(*map(self.node.pipeline.handle, made))

        return [_answer(response) for response in self._runner.run(all_of_them())]

    def _request(
        self, method: str, path: str, body: dict[str, Any] | str | None, token: str
    ) -> Request:
        path, _, query = path.partition("?")
        text = body if isinstance(body, str) else json.dumps(body)
        return Request(
            OPERATIONS[method],
            path,
            id=new_uuid(),
            time=self.clock.now(),
            body=None if body is None else decode(text.encode()),
            query=dict(pair.split("=", 1) for pair in query.split("&")) if query else None,
            client_token=token or getattr(self, "root_token", ""),
        )

    def mount(self, version: str) -> None:
        """Mount this version of the KV engine at ``secret/``."""
        assert self.call("POST", "sys/mounts/secret", {"type": f"kv-v{version}"}).status == 204

    def write(self, path: str, data: dict[str, Any] | None, **options: Any) -> Answer:
        """Write a version 2 secret below ``secret/``."""
        return self.call("POST", f"secret/data/{path}", {"data": data, "options": options})

    def stored(self, prefix: str) -> list[str]:
        """The storage keys below `prefix`, without it."""

        async def below(folder: str) -> list[str]:
            found = []
            for name in await self.store.list(folder):
                found += await below(folder + name) if name.endswith("/") else [folder + name]
            return found

        return [key.removeprefix(prefix) for key in self._runner.run(below(prefix))]

    def stored_keys(self) -> list[str]:
        """The storage keys of the mount at ``secret/``."""
        uuid = self.call("GET", "sys/mounts").data["secret/"]["uuid"]
        return self.stored(f"mount/{uuid}/")

    def sweep(self) -> None:
        """Let the sweeper finish what there is to clear away."""
        while self._runner.run(self.node.core.sweeper.round()):
            pass

    def reads(self, path: str) -> int:
        """How many records of mounts it takes to read `path`."""
        request = self._request("GET", path, None, "")
        self._runner.run(self.node.pipeline.handle(request))
        return sum(key.startswith("mount/") for key in request.transaction.reads)

    def token(self, policy: str, **fields: Any) -> str:
        """A new token with one policy of this text; an empty text stands for the default policy."""
        names = ["default"]
        if policy:
            names = [new_uuid()]
            self.call("POST", f"sys/policies/acl/{names[0]}", {"policy": policy})
        made = self.call("POST", "auth/token/create", {"policies": names, **fields})
        token: str = made.body["auth"]["client_token"]
        return token


def _answer(response: Response) -> Answer:
    status, _, body = status_headers_body("", response)
    return Answer(status, body.decode())
