"""A whole server in the test's own process: storage, barrier, core and HTTP application.

Nothing is mocked but what lies outside of the program: the clock is moved by the test, and the wire
has no bytes: a request is sent as what has been read of it.
"""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.clock import ManualClock
from wardgate.core.bootstrap import first_writes
from wardgate.core.ids import new_uuid
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.core.settings import Settings
from wardgate.http.exchange import Exchange
from wardgate.http.head import Head, Headers
from wardgate.http.limits import DEFAULT_LIMITS, Limits
from wardgate.http.rules import Rules
from wardgate.http.writing import Fields
from wardgate.server.catalog import Build
from wardgate.server.node import Node
from wardgate.store.interface import Store
from wardgate.store.memory import MemoryStore

ROOT_TOKEN = "root"
PEER = "127.0.0.1:40000"
JsonMap = dict[str, Any]


@dataclass(frozen=True)
class HttpAnswer:
    """What came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class NodeUnderTest:
    """An initialised and unsealed node."""

    def __init__(
        self,
        node: Node,
        store: Store,
        clock: ManualClock,
        keys: list[bytes],
        limits: Limits = DEFAULT_LIMITS,
        more_engines: Mapping[str, Build] | None = None,
    ) -> None:
        self.node = node
        self.core = node.core
        self.application = node.application(Rules(limits=limits))
        self.store = store
        self.clock = clock
        self.keys = keys
        self.more_engines = more_engines

    @classmethod
    async def start(
        cls,
        store: Store | None = None,
        settings: Settings | None = None,
        limits: Limits = DEFAULT_LIMITS,
        more_engines: Mapping[str, Build] | None = None,
        shares: int = 1,
        threshold: int = 1,
    ) -> "NodeUnderTest":
        """A new server over `store` (by default one in memory) whose root token is `ROOT_TOKEN`,
        with so many unseal keys.

        `more_engines` are kinds of secret engines beside the built-in ones.
        """
        store = store or MemoryStore()
        clock = ManualClock()
        node = Node(store, settings or Settings(), clock, more_engines=more_engines)
        _, writes = await first_writes(node.core, ROOT_TOKEN)
        result = await node.seal.initialize(shares, threshold, writes)
        for key in result.keys[:threshold]:
            await node.seal.submit(key)
        return cls(node, store, clock, list(result.keys), limits, more_engines)

    async def another(self) -> "NodeUnderTest":
        """A second node over the same storage, as a second process would be, unsealed."""
        other = await self.sealed()
        for key in self.keys:
            if await other.node.seal.submit(key):
                break
        return other

    async def sealed(self) -> "NodeUnderTest":
        """A second node over the same storage that nobody has unsealed yet."""
        node = Node(self.store, self.core.settings, self.clock, more_engines=self.more_engines)
        return NodeUnderTest(
            node, self.store, self.clock, self.keys, more_engines=self.more_engines
        )

    async def call(
        self,
        operation: Operation,
        path: str,
        body: JsonMap | None = None,
        *,
        token: str = ROOT_TOKEN,
        query: Mapping[str, str] | None = None,
        peer: str = PEER,
        wrap_ttl: int | None = None,
        opened: frozenset[str] = frozenset(),
    ) -> Response:
        """Send a request through the pipeline; errors come as a `Response` too. `opened` are the
        endpoints that need no token on the listener that it came through."""
        request = Request(
            operation,
            path,
            id=new_uuid(),
            time=self.clock.now(),
            body=body,
            query=query,
            client_token=token,
            peer=peer,
            wrap_ttl=wrap_ttl,
        )
        request.opened = opened
        return await self.node.pipeline.handle(request)

    async def read(self, path: str, **options: Any) -> Response:
        return await self.call(Operation.READ, path, **options)

    async def write(self, path: str, body: JsonMap | None = None, **options: Any) -> Response:
        return await self.call(Operation.UPDATE, path, body, **options)

    async def delete(self, path: str, **options: Any) -> Response:
        return await self.call(Operation.DELETE, path, **options)

    async def listing(self, path: str, **options: Any) -> Response:
        return await self.call(Operation.LIST, path, **options)

    async def ok(self, path: str, body: JsonMap | None = None, **options: Any) -> Response:
        """A write that must succeed."""
        response = await self.write(path, body, **options)
        assert response.status < 300, response.data
        return response

    async def policy(self, name: str, rules: Mapping[str, str]) -> None:
        """Write a policy; `rules` leads from paths to capabilities separated by commas."""
        text = json.dumps(
            {"path": {path: {"capabilities": given.split(",")} for path, given in rules.items()}}
        )
        await self.ok(f"sys/policies/acl/{name}", {"policy": text})

    async def token(self, *, by: str = ROOT_TOKEN, path: str = "create", **fields: Any) -> JsonMap:
        """Create a token; gives the ``auth`` part of the answer."""
        response = await self.ok(f"auth/token/{path}", fields, token=by)
        assert response.auth is not None
        return response.auth

    async def policy_token(self, text: str) -> str:
        """A token with one policy, given as text."""
        await self.ok("sys/policies/acl/of-token", {"policy": text})
        token: str = (await self.token(policies=["of-token"], no_default_policy=True))[
            "client_token"
        ]
        return token

    async def lives(self, token: str) -> bool:
        """Whether a token with the default policy or more answers its own lookup."""
        return (await self.read("auth/token/lookup-self", token=token)).status == 200

    async def user(self, name: str = "ada", password: str = "correct horse", **fields: Any) -> None:
        """Make a user at auth/userpass/, which is enabled at the first call."""
        if (await self.read("sys/auth/userpass")).status != 200:
            await self.ok("sys/auth/userpass", {"type": "userpass"})
        await self.ok(f"auth/userpass/users/{name}", {"password": password, **fields})

    async def login(
        self, name: str = "ada", password: str = "correct horse", **options: Any
    ) -> Response:
        return await self.write(
            f"auth/userpass/login/{name}", {"password": password}, token="", **options
        )

    async def sweep(self) -> int:
        """Sweep until nothing is left to do; the number of rounds that did something."""
        rounds = 0
        while await self.core.sweeper.round():
            rounds += 1
        return rounds

    async def keys_below(self, prefix: str) -> list[str]:
        """Every key in the storage below `prefix`."""
        found = []
        for name in await self.store.list(prefix):
            if name.endswith("/"):
                found += await self.keys_below(prefix + name)
            else:
                found.append(prefix + name)
        return found

    async def http(
        self,
        method: str,
        path: str,
        body: bytes | JsonMap = b"",
        *,
        token: str | None = ROOT_TOKEN,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        chunked: bool = False,
    ) -> HttpAnswer:
        """Send a request through the HTTP application."""
        raw = json.dumps(body).encode() if isinstance(body, dict) else body
        sent = {} if token is None else {"x-vault-token": token}
        if not chunked and raw:
            sent["content-length"] = str(len(raw))
        if chunked:
            sent["transfer-encoding"] = "chunked"
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        exchange = Sent(head_of(method, path, query, sent), raw)
        await self.application.answer(exchange)
        assert exchange.got is not None
        return exchange.got


def head_of(
    method: str,
    path: str,
    query: str = "",
    sent: Mapping[str, str] | None = None,
    client: str = PEER,
) -> Head:
    """The head of a request with these headers, whose names are in lower case."""
    fields = {name: [value.encode()] for name, value in (sent or {}).items()}
    return Head(method, path, query, Headers(fields), "1.1", client)


class Sent(Exchange):
    """A request and its client, who sends the body in pieces when it is asked for; `read` counts the
    bytes that were sent."""

    def __init__(self, head: Head, body: bytes = b"") -> None:
        super().__init__(self, head)
        self.rest = body
        self.read = 0
        self.got: HttpAnswer | None = None
        if not body:
            self.finish(keep_alive=True)

    def wanted(self) -> None:
        asyncio.get_running_loop().call_soon(self.send)

    def send(self) -> None:
        piece, self.rest = self.rest[:1024], self.rest[1024:]
        self.read += len(piece)
        self.add(piece)
        if not self.rest:
            self.finish(keep_alive=True)
        elif self._waiter is not None and not self._waiter.done():  # one piece was not enough
            self.wanted()

    def full(self) -> None:
        """It sends nothing that is not wanted."""

    def answer(
        self, exchange: Exchange, status: int, fields: Fields, body: bytes, *, bare: bool
    ) -> None:
        assert exchange is self
        self.got = HttpAnswer(status, dict(fields), body)


def with_node(
    body: Callable[[NodeUnderTest], Awaitable[None]],
    more_engines: Mapping[str, Build] | None = None,
) -> Callable[[], None]:
    """Make a test out of a coroutine function that is given a fresh server."""

    def test() -> None:
        async def run() -> None:
            under_test = await NodeUnderTest.start(more_engines=more_engines)
            try:
                await body(under_test)
            finally:
                await under_test.node.stop()

        asyncio.run(run())

    test.__doc__ = body.__doc__
    return test


def errors(response: Response) -> list[str]:
    """The messages of a refused request."""
    assert response.status >= 400, f"not refused but answered {response.status}"
    found: list[str] = response.data["errors"]
    return found


def share(key: bytes) -> str:
    """An unseal key as the API takes it."""
    return base64.b64encode(key).decode()
