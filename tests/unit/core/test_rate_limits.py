"""Rate limits: which requests they hold, and what is said to those that are too many."""

import asyncio
from typing import Any

import pytest

from tests.node import ROOT_TOKEN, NodeUnderTest, errors, with_node
from wardgate.core.operation import Operation
from wardgate.core.quotas import SharedCounters
from wardgate.core.request import Request, Response
from wardgate.errors import InvalidRequest
from wardgate.framework.backend import EndpointBackend
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body
from wardgate.server.node import Node

REFUSED = ["rate limit quota exceeded"]


async def limit(node: NodeUnderTest, name: str, **fields: Any) -> None:
    """Write a rate limit of an hour's interval."""
    await node.ok(f"sys/quotas/rate-limit/{name}", {"interval": "1h", **fields})


async def show_headers(node: NodeUnderTest, *exempt: str) -> None:
    """Let answers tell what is left; only quotas themselves are exempt, and `exempt`."""
    await node.ok(
        "sys/quotas/config",
        {
            "enable_rate_limit_response_headers": True,
            "rate_limit_exempt_paths": ["sys/quotas/", *exempt],
        },
    )


def headers(response: Response) -> dict[str, str]:
    return dict(response.headers)


async def limit_of(node: NodeUnderTest, path: str, **options: Any) -> int | None:
    """The limit that a request to `path` is counted under, as its headers say."""
    found = headers(await node.read(path, **options)).get("x-ratelimit-limit")
    return None if found is None else int(found)


@with_node
async def test_each_client_may_send_so_many_requests_in_an_interval(node: NodeUnderTest) -> None:
    await node.ok("sys/quotas/rate-limit/cubby", {"rate": 2, "interval": 10, "path": "cubbyhole"})
    for _ in range(2):
        assert (await node.read("cubbyhole/a")).status == 404
    for operation in (Operation.READ, Operation.UPDATE, Operation.LIST, Operation.DELETE):
        response = await node.call(operation, "cubbyhole/b", {"a": 1})
        assert (response.status, errors(response)) == (429, REFUSED)
        assert response.headers == []
    assert (await node.read("cubbyhole/a", peer="10.0.0.9:1")).status == 404
    assert (await node.read("sys/mounts")).status == 200
    node.clock.advance(9.9)
    assert (await node.read("cubbyhole/a")).status == 429
    node.clock.advance(0.1)
    assert (await node.read("cubbyhole/a")).status == 404


@with_node
async def test_whoever_is_limited_is_refused_before_the_token_is_looked_at(
    node: NodeUnderTest,
) -> None:
    await limit(node, "all", rate=3)
    assert [(await node.read("cubbyhole/a", token="s.x")).status for _ in range(5)] == [
        *(403, 403, 403),
        *(429, 429),
    ]
    assert (await node.read("cubbyhole/a", token=ROOT_TOKEN)).status == 429
    assert (await node.login()).status == 429
    assert (await node.read("nowhere/a")).status == 429


@with_node
async def test_answers_tell_what_is_left_where_that_is_wanted(node: NodeUnderTest) -> None:
    await show_headers(node)
    await node.ok("sys/quotas/rate-limit/all", {"rate": 2, "interval": 10})
    first = await node.read("cubbyhole/a")
    assert headers(first) == {
        "x-ratelimit-limit": "2",
        "x-ratelimit-remaining": "1",
        "x-ratelimit-reset": "10",
    }
    node.clock.advance(3.5)
    assert headers(await node.read("sys/mounts"))["x-ratelimit-reset"] == "7"
    assert headers(await node.read("sys/mounts")) == {
        "x-ratelimit-limit": "2",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "7",
        "retry-after": "7",
    }
    answer = await node.http("GET", "/v1/sys/mounts")
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert answer.json() == {"errors": REFUSED}


@with_node
async def test_who_is_blocked_waits_for_the_whole_block_interval(node: NodeUnderTest) -> None:
    await show_headers(node)
    await node.ok("sys/quotas/rate-limit/all", {"rate": 1, "interval": 1, "block_interval": 60})
    assert (await node.read("cubbyhole/a")).status == 404
    first = await node.read("cubbyhole/a")
    assert (first.status, headers(first)["retry-after"]) == (429, "60")
    node.clock.advance(59.5)
    blocked = await node.read("cubbyhole/a")
    assert (blocked.status, headers(blocked)) == (429, {"retry-after": "1"})
    assert (await node.read("cubbyhole/a", peer="10.0.0.9:1")).status == 404
    node.clock.advance(0.5)
    assert (await node.read("cubbyhole/a")).status == 404


@with_node
async def test_the_most_specific_limit_counts_and_no_other(node: NodeUnderTest) -> None:
    await show_headers(node)
    await node.ok("sys/mounts/kv", {"type": "kv"})
    await limit(node, "all", rate=100)
    await limit(node, "mount", rate=90, path="/kv")
    await limit(node, "exact", rate=80, path="kv/a/foo/")
    await limit(node, "like", rate=70, path="kv/a/foo*")
    await limit(node, "shorter", rate=60, path="kv/a/*")
    await limit(node, "star", rate=50, path="kv/b*c")
    for path, expected in {
        "cubbyhole/x": 100,
        "kv": 100,
        "nowhere": 100,
        "kv/x": 90,
        "kv/": 90,
        "kv/a": 90,
        "kv/a/": 90,
        "kv/a/foo": 80,
        "kv/a/foo/": 80,
        "kv/a/foo/bar": 70,
        "kv/a/food": 70,
        "kv/a/x": 60,
        "kv/b*c": 50,
        "kv/bxc": 90,
    }.items():
        assert await limit_of(node, path) == expected, path
    response = await node.read("kv/x")
    assert headers(response)["x-ratelimit-remaining"] == str(90 - 6)


@with_node
async def test_exempt_paths_are_never_limited(node: NodeUnderTest) -> None:
    await limit(node, "all", rate=1)
    await show_headers(node, "cubbyhole/a", "!cubbyhole/ab", "identity/*", "")
    for path, exempt in {
        "cubbyhole/a": True,
        "cubbyhole/ac": True,
        "cubbyhole/abc": False,
        "cubbyhole/b": False,
        "identity/lookup": True,
        "identity": False,
    }.items():
        assert (await limit_of(node, path) is None) == exempt, path


@with_node
async def test_health_and_unsealing_are_exempt_unless_somebody_says_otherwise(
    node: NodeUnderTest,
) -> None:
    await limit(node, "all", rate=1)
    for path in ("sys/health", "sys/seal-status"):
        assert [(await node.read(path, token="")).status for _ in range(3)] == [200] * 3
    assert [(await node.read("sys/leader", token="")).status for _ in range(3)] == [200, 429, 429]
    node.clock.advance(3600)
    await node.ok("sys/quotas/config", {"rate_limit_exempt_paths": []})
    assert (await node.read("sys/health", token="")).status == 429


@with_node
async def test_a_sealed_server_still_says_so(node: NodeUnderTest) -> None:
    await limit(node, "all", rate=3)
    await node.ok("sys/seal")
    for _ in range(3):
        assert (await node.read("sys/leader", token="")).status in (200, 503)
        assert (await node.read("cubbyhole/a")).status == 503
        big = b'{"a":"' + b"x" * 20_000 + b'"}'
        assert (await node.http("POST", "/v1/cubbyhole/a", big)).status == 503


@with_node
async def test_writing_a_limit_begins_a_new_count(node: NodeUnderTest) -> None:
    await show_headers(node)
    for _ in range(3):
        await limit(node, "all", rate=1)
        assert (await node.read("cubbyhole/a")).status == 404
        assert (await node.read("cubbyhole/a")).status == 429


@with_node
async def test_a_limit_follows_its_mount(node: NodeUnderTest) -> None:
    await show_headers(node)
    await node.ok("sys/mounts/kv", {"type": "kv"})
    await limit(node, "whole", rate=9, path="kv")
    await limit(node, "part", rate=8, path="kv/a")
    await node.ok("sys/remount", {"from": "kv", "to": "moved/here"})
    for name, path in {"whole": "moved/here/", "part": "moved/here/a"}.items():
        assert (await node.read(f"sys/quotas/rate-limit/{name}")).data["path"] == path
    assert await limit_of(node, "moved/here/a") == 8
    assert await limit_of(node, "moved/here/b") == 9
    await node.ok("sys/mounts/kv", {"type": "kv"})
    assert await limit_of(node, "kv/a") is None
    await node.delete("sys/mounts/moved/here")
    assert (await node.read("sys/quotas/rate-limit/whole")).status == 404
    assert (await node.listing("sys/quotas/rate-limit")).status == 404
    await limit(node, "other", rate=7, path="kv/a")
    assert (await node.listing("sys/quotas/rate-limit")).data == {"keys": ["other"]}
    assert b"moved" not in b"".join(
        [(await node.store.get(key)).value for key in ["core/quotas"]]  # type: ignore[union-attr]
    )


@with_node
async def test_every_node_holds_to_the_rules_that_one_was_given(node: NodeUnderTest) -> None:
    other = await node.another()
    await limit(node, "all", rate=1)
    assert (await other.read("cubbyhole/a")).status == 404
    assert (await other.read("cubbyhole/a")).status == 429
    await node.ok("sys/quotas/config", {"rate_limit_exempt_paths": ["cubbyhole/"]})
    assert (await other.read("cubbyhole/a")).status == 404
    await other.node.stop()


@with_node
async def test_nodes_that_were_given_the_same_counters_count_together(node: NodeUnderTest) -> None:
    counters = SharedCounters.make()
    nodes = []
    for _ in range(2):
        made = Node(node.store, node.core.settings, node.clock, counters=counters)
        assert await made.seal.submit(node.keys[0])
        nodes.append(NodeUnderTest(made, node.store, node.clock, node.keys))
    await limit(node, "all", rate=3)
    statuses = [(await nodes[number % 2].read("cubbyhole/a")).status for number in range(5)]
    assert statuses == [404, 404, 404, 429, 429]
    assert (await node.read("cubbyhole/a")).status == 404, "this one counts for itself"
    for other in nodes:
        await other.node.stop()


@with_node
async def test_a_request_that_runs_again_is_counted_once(node: NodeUnderTest) -> None:
    await show_headers(node)
    await limit(node, "all", rate=100)
    writes = (node.write("cubbyhole/same", {"number": number}) for number in range(20))
    assert {response.status for response in await asyncio.gather(*writes)} == {204}
    assert headers(await node.read("cubbyhole/same"))["x-ratelimit-remaining"] == "79"


class LoginBody(Body):
    """A login."""

    role: str = ""


class WithRoles(EndpointBackend):
    """An auth method whose logins name a role."""

    has_login_roles = True

    @endpoint("login", Operation.UPDATE, operation_id="roles-login", unauthenticated=True)
    async def login(self, request: Request, body: LoginBody) -> Response:
        """Refuses everybody."""
        raise InvalidRequest("no")

    async def login_role(self, request: Request) -> str:
        if request.subpath != "login":
            return ""
        role = (request.body or {}).get("role", "")
        if not isinstance(role, str):
            raise InvalidRequest("role: must be a text")
        return role


async def mount_with_roles(node: NodeUnderTest) -> None:
    await node.ok("sys/auth/roles", {"type": "userpass"})
    backend = WithRoles()
    build = node.core.catalog.build
    node.core.catalog.build = (  # type: ignore[method-assign]
        lambda core, mount: backend if mount.path == "auth/roles/" else build(core, mount)
    )
    node.core.forget()


@with_node
async def test_logins_with_a_role_have_a_limit_of_their_own(node: NodeUnderTest) -> None:
    await mount_with_roles(node)
    await show_headers(node)
    await limit(node, "role", rate=5, path="auth/roles", role="a")
    await limit(node, "login", rate=6, path="auth/roles/login")
    await limit(node, "mount", rate=7, path="auth/roles")
    for role, expected in {"a": 5, "b": 6, "": 6, "A": 6}.items():
        response = await node.write("auth/roles/login", {"role": role}, token="")
        assert headers(response)["x-ratelimit-limit"] == str(expected)
    odd: Any = {"role": ["a"]}
    assert headers(await node.write("auth/roles/login", odd))["x-ratelimit-limit"] == "6"
    assert headers(await node.write("auth/roles/other", {"role": "a"}))["x-ratelimit-limit"] == "7"
    assert (await node.read("sys/quotas/rate-limit/role")).data["role"] == "a"


@with_node
async def test_a_large_login_counts_for_its_role_too(node: NodeUnderTest) -> None:
    await mount_with_roles(node)
    await limit(node, "role", rate=2, path="auth/roles", role="a")
    body = b'{"role":"a","more":"' + b"x" * 20_000 + b'"}'
    answers = [await node.http("POST", "/v1/auth/roles/login", body, token=None) for _ in range(3)]
    assert [answer.status for answer in answers] == [400, 400, 429]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_counted_once_and_not_decoded_when_it_is_too_many(chunked: bool) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await show_headers(node)
        await limit(node, "all", rate=2)
        large = b'{"a":"' + b"x" * 20_000 + b'"}'
        for remaining in ("1", "0"):
            answer = await node.http("POST", "/v1/cubbyhole/a", large, chunked=chunked)
            assert (answer.status, answer.headers["x-ratelimit-remaining"]) == (204, remaining)
        for too_many in (large, b"{" * 20_000):
            answer = await node.http("POST", "/v1/cubbyhole/a", too_many, chunked=chunked)
            assert (answer.status, answer.json()) == (429, {"errors": REFUSED})

    body()


@with_node
async def test_quotas_that_are_not_there_cost_one_look_into_a_dictionary(
    node: NodeUnderTest,
) -> None:
    """Nothing is read or awaited for them by a request that follows another."""
    await node.read("cubbyhole/a")
    admitted = []
    node.core.rate_limits.admit = lambda *a, **k: admitted.append(a)  # type: ignore[assignment]
    assert (await node.read("cubbyhole/a")).status == 404
    assert admitted == []
