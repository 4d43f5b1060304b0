"""The life of a lease: it begins with an answer, is renewed, and ends in one of many ways."""

import asyncio
from typing import Any

import pytest

from tests.leased import Outside, with_outside
from tests.node import NodeUnderTest, errors
from wardgate.core.operation import Operation
from wardgate.core.request import Response

HOUR = 3600
RULES = {"leased/*": "read", "auth/token/create": "update"}


async def _give(node: NodeUnderTest, token: str = "root", role: str = "hour") -> Response:
    answer = await node.read(f"leased/creds/{role}", token=token)
    assert answer.status == 200, answer.data
    return answer


async def _token(node: NodeUnderTest, **fields: Any) -> str:
    await node.policy("reader", RULES)
    made = await node.token(policies=["reader"], **{"ttl": "10h", **fields})
    token: str = made["client_token"]
    return token


async def _renew(node: NodeUnderTest, lease_id: str, **fields: Any) -> Response:
    return await node.write("sys/leases/renew", {"lease_id": lease_id, **fields})


async def _lookup(node: NodeUnderTest, lease_id: str) -> Response:
    return await node.write("sys/leases/lookup", {"lease_id": lease_id})


async def _left(node: NodeUnderTest) -> list[str]:
    """What is stored of leases that are not tokens', and of work with them."""
    found = await node.keys_below("lease/") + await node.keys_below("job/")
    return [key for key in found if "/hour/h" in key or "auth/token" not in key]


@with_outside
async def test_the_answer_says_for_how_long_it_is_good(
    node: NodeUnderTest, outside: Outside
) -> None:
    answer = await _give(node)
    assert answer.lease_id.startswith("leased/creds/hour/")
    assert (answer.lease_duration, answer.renewable) == (HOUR, True)
    shown = await _lookup(node, answer.lease_id)
    assert shown.data == {
        "expire_time": "2023-11-14T23:13:20Z",
        "id": answer.lease_id,
        "issue_time": "2023-11-14T22:13:20Z",
        "last_renewal": None,
        "path": "leased/creds/hour",
        "renewable": True,
        "ttl": HOUR,
    }


@pytest.mark.parametrize(
    ("role", "tuning", "expected"),
    [
        ({}, {}, 32 * 86400),
        ({}, {"default_lease_ttl": "2h"}, 2 * HOUR),
        ({}, {"max_lease_ttl": "2h"}, 2 * HOUR),
        ({"ttl": "5h"}, {"max_lease_ttl": "2h"}, 2 * HOUR),
        ({"ttl": "5h", "max_ttl": "3h"}, {"max_lease_ttl": "4h"}, 3 * HOUR),
        ({"max_ttl": "3h"}, {}, 3 * HOUR),
    ],
)
def test_role_mount_and_system_bound_its_length(
    role: dict[str, str], tuning: dict[str, str], expected: int
) -> None:
    @with_outside
    async def body(node: NodeUnderTest, outside: Outside) -> None:
        await node.ok("leased/roles/other", role)
        if tuning:
            await node.ok("sys/mounts/leased/tune", tuning)
        assert (await _give(node, role="other")).lease_duration == expected

    body()


@with_outside
async def test_it_is_revoked_when_its_time_has_come(node: NodeUnderTest, outside: Outside) -> None:
    answer = await _give(node)
    node.clock.advance(HOUR - 1)
    assert await node.sweep() == 0
    assert outside.alive
    node.clock.advance(1)
    shown = await _lookup(node, answer.lease_id)
    assert (shown.data["ttl"], shown.data["renewable"]) == (0, False)
    assert errors(await _renew(node, answer.lease_id)) == ["lease expired"]
    await node.sweep()
    assert outside.alive == {}
    assert errors(await _lookup(node, answer.lease_id)) == ["invalid lease"]
    assert await _left(node) == []


@with_outside
async def test_a_renewal_prolongs_it_here_and_outside(
    node: NodeUnderTest, outside: Outside
) -> None:
    answer = await _give(node)
    node.clock.advance(HOUR / 2)
    renewed = await _renew(node, answer.lease_id, increment="40m")
    assert (renewed.lease_id, renewed.lease_duration) == (answer.lease_id, 2400)
    assert renewed.data is None
    assert outside.alive == {"user-1": node.clock.now() + 2400}
    shown = await _lookup(node, answer.lease_id)
    assert shown.data["last_renewal"] == "2023-11-14T22:43:20Z"
    node.clock.advance(2399)
    await node.sweep()
    assert outside.alive
    assert (await _renew(node, answer.lease_id)).lease_duration == HOUR
    node.clock.advance(HOUR)
    await node.sweep()
    assert not outside.alive


@with_outside
async def test_renewals_end_at_the_maximum(node: NodeUnderTest, outside: Outside) -> None:
    answer = await _give(node)
    capped = await _renew(node, answer.lease_id, increment="10h")
    assert capped.lease_duration == 3 * HOUR
    assert capped.warnings is not None
    assert "capped" in capped.warnings[0]
    node.clock.advance(3 * HOUR - 0.5)
    assert (await _renew(node, answer.lease_id)).lease_duration == 1
    node.clock.advance(0.5)
    assert errors(await _renew(node, answer.lease_id)) == ["lease expired"]


@with_outside
async def test_what_is_not_renewable_is_not_renewed(node: NodeUnderTest, outside: Outside) -> None:
    await node.ok("leased/roles/once", {"ttl": "1h", "renewable": False})
    answer = await _give(node, role="once")
    assert not answer.renewable
    assert errors(await _renew(node, answer.lease_id)) == ["lease is not renewable"]


@with_outside
async def test_a_renewal_that_fails_outside_changes_nothing(
    node: NodeUnderTest, outside: Outside
) -> None:
    answer = await _give(node)
    node.clock.advance(HOUR / 2)
    before = (await _lookup(node, answer.lease_id)).data
    outside.failing = True
    refused = await _renew(node, answer.lease_id)
    assert errors(refused) == ["internal error"]
    assert (await _lookup(node, answer.lease_id)).data == before


@pytest.mark.parametrize("sync", [True, False])
def test_it_is_revoked_by_its_id(sync: bool) -> None:
    @with_outside
    async def body(node: NodeUnderTest, outside: Outside) -> None:
        gone, stays = await _give(node), await _give(node)
        given = {"lease_id": gone.lease_id, "sync": sync}
        answer = await node.write("sys/leases/revoke", given)
        assert answer.status == (204 if sync else 202)
        assert ("user-1" in outside.alive) != sync
        await node.sweep()
        assert list(outside.alive) == ["user-2"]
        assert (await node.write("sys/leases/revoke", given)).status == answer.status
        assert (await _lookup(node, stays.lease_id)).status == 200

    body()


@pytest.mark.parametrize("end", ["revoked", "expired", "the parent's", "the parent's expiry"])
def test_it_ends_with_its_token(end: str) -> None:
    @with_outside
    async def body(node: NodeUnderTest, outside: Outside) -> None:
        parent = await _token(node, ttl="30m" if end == "the parent's expiry" else "10h")
        token = await _token(node, ttl="20m" if end == "expired" else "10h")
        if end.startswith("the parent's"):
            token = (await node.token(by=parent, ttl="10h"))["client_token"]
        answer, other = await _give(node, token), await _give(node)
        if end in ("revoked", "the parent's"):
            ended = token if end == "revoked" else parent
            await node.ok("auth/token/revoke", {"token": ended})
        else:
            node.clock.advance(1800)
        if end != "expired":
            assert errors(await _renew(node, answer.lease_id)) == ["lease expired"]
        await node.sweep()
        assert list(outside.alive) == ["user-2"]
        assert (await _lookup(node, answer.lease_id)).status == 400
        assert (await _lookup(node, other.lease_id)).status == 200
        assert len(await node.keys_below("lease/token/")) == 1
        assert await node.keys_below("job/") == []

    body()


@with_outside
async def test_leases_of_an_orphaned_childs_parent_end_and_the_childs_do_not(
    node: NodeUnderTest, outside: Outside
) -> None:
    parent = await _token(node)
    child = (await node.token(by=parent, ttl="10h"))["client_token"]
    await _give(node, parent)
    await _give(node, child)
    await node.ok("auth/token/revoke-orphan", {"token": parent})
    await node.sweep()
    assert list(outside.alive) == ["user-2"]
    await node.ok("auth/token/revoke", {"token": child})
    await node.sweep()
    assert not outside.alive


@with_outside
async def test_leases_end_with_the_auth_mount_that_their_token_came_from(
    node: NodeUnderTest, outside: Outside
) -> None:
    """Also those of tokens from the time when the mount was elsewhere."""
    await node.policy("reader", RULES)
    await node.user(token_policies="reader")
    first = await node.login()
    assert first.auth is not None
    await _give(node, first.auth["client_token"])
    await node.ok("sys/remount", {"from": "auth/userpass", "to": "auth/moved"})
    await node.user("bob")  # another mount, where the first one was
    second = await node.write("auth/moved/login/ada", {"password": "correct horse"}, token="")
    assert second.auth is not None
    await _give(node, second.auth["client_token"])
    stranger = await node.login("bob")
    assert stranger.auth is not None
    await node.delete("sys/auth/moved")
    await node.sweep()
    assert not outside.alive
    assert await node.lives(stranger.auth["client_token"])
    assert len(await node.keys_below("token/id/")) == 2


@with_outside
async def test_leases_of_a_mount_that_is_gone_are_revoked_before_its_bytes_go(
    node: NodeUnderTest, outside: Outside
) -> None:
    answers = [await _give(node) for _ in range(3)]
    outside.failing = True
    await node.delete("sys/mounts/leased")
    assert errors(await _renew(node, answers[0].lease_id)) == ["lease expired"]
    await node.sweep()
    assert len(outside.alive) == 3
    assert await node.keys_below("mount/") != []
    outside.failing = False
    node.clock.advance(60)
    await node.sweep()
    assert not outside.alive
    assert await node.keys_below("mount/") == []
    assert await _left(node) == []


@with_outside
async def test_a_mount_that_was_moved_can_still_revoke(
    node: NodeUnderTest, outside: Outside
) -> None:
    answer = await _give(node)
    await node.ok("sys/remount", {"from": "leased", "to": "elsewhere"})
    assert (await _renew(node, answer.lease_id)).lease_duration == HOUR
    await node.ok("sys/leases/revoke", {"lease_id": answer.lease_id})
    assert not outside.alive


@with_outside
async def test_a_wrapped_answer_keeps_its_lease(node: NodeUnderTest, outside: Outside) -> None:
    wrapped = await node.http("GET", "/v1/leased/creds/hour", headers={"x-vault-wrap-ttl": "60"})
    assert wrapped.json()["lease_id"] == ""
    token = wrapped.json()["wrap_info"]["token"]
    unwrapped = (await node.http("PUT", "/v1/sys/wrapping/unwrap", token=token)).json()
    assert unwrapped["lease_duration"] == HOUR
    await node.ok("sys/leases/revoke", {"lease_id": unwrapped["lease_id"]})
    assert not outside.alive


@with_outside
async def test_a_credential_whose_request_fails_is_taken_back(
    node: NodeUnderTest, outside: Outside
) -> None:
    """Whatever comes between the credential and the commit; here wrapping the answer fails."""
    token = await _token(node)

    async def refuse(*_: object, **__: object) -> Response:
        raise RuntimeError

    node.core.wrapping.wrap = refuse  # type: ignore[method-assign]
    answer = await node.http(
        "GET", "/v1/leased/creds/hour", token=token, headers={"x-vault-wrap-ttl": "60"}
    )
    assert answer.status == 500
    assert list(outside.alive) == ["user-1"]
    await node.sweep()
    assert not outside.alive
    assert await _left(node) == []


@with_outside
async def test_long_and_odd_paths_have_leases_too(node: NodeUnderTest, outside: Outside) -> None:
    long = "hour/" + "/".join(["x" * 50] * 20)
    odd = "hour/a b/ü/%2e\x07/~"
    answers = [await _give(node, role=role) for role in (long, odd)]
    for answer in answers:
        assert (await _lookup(node, answer.lease_id)).status == 200
        assert (await _renew(node, answer.lease_id)).status == 200
    await node.ok("sys/leases/revoke", {"lease_id": answers[0].lease_id})
    assert list(outside.alive) == ["user-2"]
    deep = "leased/creds/" + long.rpartition("/")[0]
    await _give(node, role=long)
    await node.ok("sys/leases/revoke-prefix/" + deep)
    assert list(outside.alive) == ["user-2"]
    await node.ok("sys/leases/revoke-prefix/leased/creds/hour")
    assert not outside.alive


@with_outside
async def test_an_engine_that_gives_out_nothing_new_twice_is_asked_once(
    node: NodeUnderTest, outside: Outside
) -> None:
    """Two requests of a token that has no leases yet fight over its record: the loser runs again."""
    token = await _token(node)
    answers = await asyncio.gather(*(_give(node, token) for _ in range(20)))
    assert len({answer.lease_id for answer in answers}) == len(outside.alive) == 20
    assert len(await node.keys_below("lease/token/")) == 20
    await node.ok("auth/token/revoke", {"token": token})
    await node.sweep()
    assert not outside.alive


@with_outside
async def test_the_data_of_a_lease_is_not_shown(node: NodeUnderTest, outside: Outside) -> None:
    answer = await _give(node)
    shown = await node.http("PUT", "/v1/sys/leases/lookup", {"lease_id": answer.lease_id})
    assert "role" not in shown.body.decode().replace("roles", "")
    assert "user-1" not in shown.body.decode()
    renewed = await node.call(
        Operation.UPDATE, f"sys/leases/renew/{answer.lease_id}", {"increment": 60}
    )
    assert renewed.data is None
