"""Rate limits come first (security case 45)."""

import asyncio
from typing import Any

import pytest

from tests.node import NodeUnderTest, Sent, head_of, with_node
from wardgate.auth import userpass
from wardgate.core.json import decode_object
from wardgate.core.tokens.store import TokenStore
from wardgate.http import parsing


async def limit_everything(node: NodeUnderTest, rate: int) -> None:
    await node.ok("sys/quotas/rate-limit/all", {"rate": rate, "interval": "1h"})


def test_45_no_token_is_looked_up_and_no_password_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.user()
        await limit_everything(node, 1)
        await node.read("sys/mounts")
        work: list[object] = []

        async def looked_up(*arguments: Any) -> None:
            work.append(arguments)

        monkeypatch.setattr(TokenStore, "find", looked_up)
        monkeypatch.setattr(userpass, "_verify", lambda *a: work.append(a))
        for token in ("root", "s.unknown", ""):
            assert (await node.read("cubbyhole/a", token=token)).status == 429
        assert (await node.login()).status == 429
        assert (await node.login("nobody", "x")).status == 429
        assert (await node.write("sys/wrapping/unwrap", token="")).status == 429
        assert work == []

    body()


def test_45_a_large_body_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await limit_everything(node, 1)
        await node.read("sys/mounts")
        sizes: list[int] = []

        def decode(data: bytes, *bounds: int) -> dict[str, Any]:
            sizes.append(len(data))
            return decode_object(data, *bounds)

        monkeypatch.setattr(parsing, "decode_object", decode)
        for size in (100_000, 1_000_000):
            wide = b'{"password":[' + b"1," * (size // 2) + b"1]}"
            for chunked in (False, True):
                answer = await node.http(
                    "POST", "/v1/auth/userpass/login/ada", wide, token=None, chunked=chunked
                )
                assert answer.status == 429
        assert sizes == []

    body()


@with_node
async def test_45_an_unauthenticated_client_has_a_limit_like_any_other(node: NodeUnderTest) -> None:
    await node.user()
    await node.ok(
        "sys/quotas/rate-limit/logins",
        {"rate": 2, "interval": "1m", "path": "auth/userpass/login/*", "block_interval": "1h"},
    )
    statuses = [(await node.login("ada", "wrong", peer="10.0.0.1:1")).status for _ in range(4)]
    assert statuses == [400, 400, 429, 429]
    node.clock.advance(120)
    assert (await node.login(peer="10.0.0.1:9")).status == 429
    assert (await node.login(peer="10.0.0.2:1")).status == 200
    assert (await node.read("auth/token/lookup-self", peer="10.0.0.1:1")).status == 200


class KeptBack(Sent):
    """A request whose body arrives when the test says so."""

    def wanted(self) -> None:
        pass


@pytest.mark.parametrize("block", ["0", "1h"])
def test_45_bodies_that_are_kept_back_are_counted_as_they_arrive(block: str) -> None:
    """Who lets the last of many requests arrive first begins no new interval with each of them."""

    @with_node
    async def body(node: NodeUnderTest) -> None:
        fields = {"rate": 2, "interval": "1h", "block_interval": block}
        await node.ok("sys/quotas/rate-limit/all", fields)
        requests = []
        for _ in range(6):
            sent = {"content-length": "2"}
            exchange = KeptBack(head_of("POST", "/v1/auth/token/lookup-self", "", sent), b"{}")
            answered = asyncio.create_task(node.application.answer(exchange))
            await asyncio.sleep(0)
            requests.append((exchange, answered))
            node.clock.advance(10)
        statuses = []
        for exchange, answered in reversed(requests):
            exchange.send()
            await answered
            assert exchange.got is not None
            statuses.append(exchange.got.status)
        assert statuses == [403, 403, 429, 429, 429, 429]

    body()
