"""A whole server in the test's own process: storage, barrier, core and HTTP application.

Nothing is mocked but what lies outside of the program: the clock is moved by the test, and the wire
is a pair of objects that look like Granian's.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any

from tests.clock import ManualClock
from wardgate.core.bootstrap import first_writes
from wardgate.core.ids import new_uuid
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.core.settings import Settings
from wardgate.http.limits import DEFAULT_LIMITS, Limits
from wardgate.http.rules import Rules
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
        proto: str = "http",
    ) -> HttpAnswer:
        """Send a request through the HTTP application, as Granian would."""
        raw = json.dumps(body).encode() if isinstance(body, dict) else body
        sent = {} if token is None else {"x-vault-token": token}
        if not chunked and raw:
            sent["content-length"] = str(len(raw))
        if chunked:
            sent["transfer-encoding"] = "chunked"
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        scope = Scope(method, path, query, sent, proto)
        exchange = Exchange(raw)
        await self.application.__rsgi__(scope, exchange)
        assert exchange.answer is not None
        return exchange.answer


class SentHeaders(dict[str, str]):
    """Looks like Granian's headers, each of them sent once: a value that is not ASCII is there, and
    cannot be had."""

    def get(self, key: str, default: Any = None) -> Any:
        value = super().get(key, default)
        return value if value is None or value.isascii() else default

    def get_all(self, key: str) -> list[str]:
        value = self.get(key)
        return [] if value is None else [value]


@dataclass
class Scope:
    """Looks like Granian's RSGI scope."""

    method: str
    path: str
    query_string: str
    sent: InitVar[dict[str, str]]
    proto: str = "http"
    client: str = PEER
    http_version: str = "1.1"
    headers: SentHeaders = field(init=False)

    def __post_init__(self, sent: dict[str, str]) -> None:
        self.headers = SentHeaders(sent)


@dataclass
class Exchange:
    """Looks like Granian's RSGI protocol object; `read` counts the bytes that were asked for."""

    body: bytes
    answer: HttpAnswer | None = None
    read: int = field(default=0)

    async def __call__(self) -> bytes:
        self.read += len(self.body)
        return self.body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.body), 1024):
            chunk = self.body[start : start + 1024]
            self.read += len(chunk)
            yield chunk

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.answer = HttpAnswer(status, dict(headers), b"")

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answer = HttpAnswer(status, dict(headers), body)

    def close(self, status: int) -> None:
        self.answer = HttpAnswer(status, {}, b"")


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
