"""The requests that are being answered, and the end of those that take too long."""

import asyncio
import math
from typing import Any

from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.in_flight import InFlight
from wardgate.core.operation import Operation
from wardgate.core.records import BytesCodec
from wardgate.core.request import Request, Response
from wardgate.framework.backend import EndpointBackend
from wardgate.framework.endpoints import endpoint


class Slow(EndpointBackend):
    """Writes something, and then waits until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    @endpoint("slow", Operation.UPDATE, operation_id="slow")
    async def slow(self, request: Request) -> Response:
        """Takes its time."""
        request.transaction.put("cubbyhole/written", b"a", BytesCodec())
        self.begun.set()
        await self.go_on.wait()
        return Response(status=204)


async def mount_slow(node: NodeUnderTest) -> Slow:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    backend = Slow()
    build = node.core.catalog.build
    node.core.catalog.build = (  # type: ignore[method-assign]
        lambda core, mount: backend if mount.path == "kv/" else build(core, mount)
    )
    node.core.forget()
    return backend


def slow_request(node: NodeUnderTest, patience: float = 90) -> "asyncio.Task[Response]":
    request = Request(
        Operation.UPDATE,
        "kv/slow",
        id="slow-one",
        time=node.clock.now(),
        client_token="root",
        peer="10.1.2.3:4",
        patience=patience,
    )
    return asyncio.create_task(node.node.pipeline.handle(request))


@with_node
async def test_a_request_is_shown_while_it_is_answered(node: NodeUnderTest) -> None:
    backend = await mount_slow(node)
    slow = slow_request(node)
    await backend.begun.wait()
    shown = (await node.read("sys/in-flight-req")).data
    assert len(shown) == 2
    assert shown["slow-one"] == {
        "start_time": "2023-11-14T22:13:20Z",
        "client_remote_address": "10.1.2.3:4",
        "request_path": "/v1/kv/slow",
        "request_method": "POST",
        "client_id": "0DHqvq2D77kL2/JTPSZkTMJbkFVmUu0TzMi0jiXcFy8=",  # what OpenBao says for root
    }
    backend.go_on.set()
    assert (await slow).status == 204
    assert len((await node.read("sys/in-flight-req")).data) == 1
    assert len(node.core.in_flight.requests) == 0


@with_node
async def test_a_token_in_a_path_is_not_shown(node: NodeUnderTest) -> None:
    token = (await node.token())["client_token"]
    path, now = f"auth/token/lookup/{token}", node.clock.now()
    request = Request(Operation.READ, path, id="erring", time=now, client_token="root")
    node.core.in_flight.requests[request] = None
    shown = (await node.read("sys/in-flight-req")).data["erring"]
    assert shown["request_path"] == "/v1/auth/token/lookup/(token)"


@with_node
async def test_who_logged_in_is_one_client_whichever_token_they_use(node: NodeUnderTest) -> None:
    await node.user()
    await node.policy("look", {"sys/in-flight-req": "read"})
    await node.ok("auth/userpass/users/ada", {"token_policies": "look"})
    auth = (await node.login()).auth
    assert auth is not None
    shown = (await node.read("sys/in-flight-req", token=auth["client_token"])).data
    assert [each["client_id"] for each in shown.values()] == [auth["entity_id"]]


@with_node
async def test_a_request_that_takes_too_long_is_ended_without_effect(node: NodeUnderTest) -> None:
    backend = await mount_slow(node)
    slow = slow_request(node)
    await backend.begun.wait()
    node.clock.advance(90)
    node.core.in_flight.end_overdue(node.clock.now())
    await asyncio.sleep(0)
    assert not slow.done()
    node.clock.advance(1)
    node.core.in_flight.end_overdue(node.clock.now())
    response = await slow
    assert response.status == 503
    assert errors(response) == ["the request took too long and was ended; nothing was changed"]
    assert await node.store.get("cubbyhole/written") is None
    assert len(node.core.in_flight.requests) == 0
    backend.go_on.set()
    assert (await node.read("sys/mounts")).status == 200


@with_node
async def test_a_request_that_has_begun_to_commit_is_let_finish(node: NodeUnderTest) -> None:
    backend = await mount_slow(node)
    slow = slow_request(node)
    await backend.begun.wait()
    commit, committing, go_on = node.core.storage.blobs.commit, asyncio.Event(), asyncio.Event()

    async def slow_commit(*arguments: Any) -> int:
        committing.set()
        await go_on.wait()
        return await commit(*arguments)

    node.core.storage.blobs.commit = slow_commit  # type: ignore[method-assign, assignment]
    backend.go_on.set()
    await committing.wait()
    node.clock.advance(1000)
    node.core.in_flight.end_overdue(node.clock.now())
    go_on.set()
    assert (await slow).status == 204
    assert await node.store.get("cubbyhole/written") is not None


@with_node
async def test_a_request_that_waits_for_its_turn_can_be_ended(node: NodeUnderTest) -> None:
    """And whoever has the turn keeps it."""
    backend = await mount_slow(node)
    slow = slow_request(node)
    await backend.begun.wait()
    for turn in node.core.storage._turns:
        await turn.acquire()
    other = await node.another()
    await other.ok("sys/mounts/more", {"type": "kv"})  # so that the slow one lost
    backend.go_on.set()
    for _ in range(100):
        await asyncio.sleep(0)
    assert not slow.done()
    node.clock.advance(1000)
    node.core.in_flight.end_overdue(node.clock.now())
    assert (await slow).status == 503
    assert all(turn.locked() for turn in node.core.storage._turns)
    for turn in node.core.storage._turns:
        turn.release()
    await other.node.stop()


@with_node
async def test_somebody_elses_cancellation_is_not_taken_for_ours(node: NodeUnderTest) -> None:
    backend = await mount_slow(node)
    slow = slow_request(node, patience=math.inf)
    await backend.begun.wait()
    node.core.in_flight.end_overdue(math.inf)
    slow.cancel()
    results = await asyncio.gather(slow, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert len(node.core.in_flight.requests) == 0


def test_nothing_is_in_flight_at_first() -> None:
    InFlight().end_overdue(0)


@with_node
async def test_a_listener_says_how_long_its_requests_may_take(node: NodeUnderTest) -> None:
    seen = []
    handle = node.node.pipeline.handle

    async def look(request: Request) -> Response:
        seen.append(request.patience)
        return await handle(request)

    node.application._respond = look
    await node.http("GET", "/v1/sys/mounts")
    await node.http("POST", "/v1/cubbyhole/a", {"a": 1})
    assert seen == [90, 90]
