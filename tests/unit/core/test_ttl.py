"""How long tokens live: the arithmetic, and what renewing does with it."""

from typing import Any

import pytest

from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.settings import DAY
from wardgate.core.tokens.ttl import Lifetime, lifetime

NOW = 1_700_000_000.25


def _ttl(**rules: Any) -> int:
    given = {"now": NOW, "started": NOW, "default_ttl": 3600, "max_ttl": 86_400, **rules}
    return lifetime(**given).ttl


@pytest.mark.parametrize(
    ("rules", "ttl"),
    [
        ({}, 3600),
        ({"asked": 60}, 60),
        ({"role_ttl": 120}, 120),
        ({"asked": 60, "role_ttl": 120}, 60),
        ({"asked": 100_000}, 86_400),
        ({"role_ttl": 100_000}, 86_400),
        ({"asked": 5000, "role_max": 4000}, 4000),
        ({"asked": 100_000, "role_max": 100_000}, 86_400),
        ({"role_max": 1800}, 1800),
        ({"explicit_max": 600}, 600),
        ({"asked": 60, "explicit_max": 600}, 60),
        ({"asked": 100_000, "explicit_max": 200_000}, 86_400),
        ({"period": 60}, 60),
        ({"period": 60, "asked": 3000}, 60),
        ({"period": 100_000}, 86_400),
        ({"period": 60, "role_max": 30}, 30),
        ({"period": 600, "explicit_max": 60}, 60),
    ],
)
def test_a_new_token_gets_the_smallest_of_what_applies(rules: dict[str, int], ttl: int) -> None:
    assert _ttl(**rules) == ttl


@pytest.mark.parametrize(
    ("age", "rules", "ttl"),
    [
        (86_000, {}, 400),
        (86_399, {}, 1),
        (86_399.5, {}, 1),
        (86_400, {}, 0),
        (90_000, {}, 0),
        (90_000, {"period": 60}, 60),
        (500, {"period": 600, "explicit_max": 600}, 100),
        (599.7, {"period": 600, "explicit_max": 600}, 1),
        (600, {"period": 600, "explicit_max": 600}, 0),
        (3000, {"role_max": 3600, "asked": 1800}, 600),
    ],
)
def test_a_renewal_never_passes_the_maximum_counted_from_the_beginning(
    age: float, rules: dict[str, int], ttl: int
) -> None:
    assert _ttl(started=NOW - age, **rules) == ttl


def test_a_ttl_is_whole_seconds_but_the_end_is_exact() -> None:
    granted = lifetime(now=NOW, started=NOW - 89.75, asked=50, default_ttl=60, max_ttl=90)
    assert (granted.ttl, granted.expires) == (1, NOW + 0.25)


def test_what_is_cut_is_told() -> None:
    assert lifetime(now=NOW, started=NOW, default_ttl=60, max_ttl=90) == Lifetime(60, NOW + 60)
    for rules in ({"asked": 100}, {"role_ttl": 100}, {"period": 100}):
        cut = lifetime(now=NOW, started=NOW, default_ttl=60, max_ttl=90, **rules)
        assert cut.ttl == 90
        assert len(cut.warnings) == 1


@with_node
async def test_a_token_is_renewed_until_its_maximum_and_then_no_more(node: NodeUnderTest) -> None:
    await node.ok("sys/auth/token/tune", {"max_lease_ttl": "1h", "default_lease_ttl": "20m"})
    token = (await node.token(policies=["default"]))["client_token"]
    got = []
    for _ in range(5):
        node.clock.advance(13 * 60)
        renewed = await node.write("auth/token/renew-self", {}, token=token)
        got.append(renewed.auth["lease_duration"] if renewed.auth else renewed.status)
    assert got == [1200, 1200, 1200, 480, 403]
    assert not await node.lives(token)


@with_node
async def test_an_explicit_maximum_holds_whatever_is_tuned_later(node: NodeUnderTest) -> None:
    made = await node.token(policies=["default"], explicit_max_ttl="1h", period="30m")
    token = made["client_token"]
    await node.ok("sys/auth/token/tune", {"max_lease_ttl": "9000h"})
    for _ in range(3):
        node.clock.advance(19 * 60)
        await node.ok("auth/token/renew-self", {}, token=token)
    looked = await node.read("auth/token/lookup-self", token=token)
    assert looked.data["ttl"] == 3 * 60
    node.clock.advance(180)
    assert not await node.lives(token)


@with_node
async def test_a_smaller_maximum_of_the_mount_counts_at_the_next_renewal(
    node: NodeUnderTest,
) -> None:
    token = (await node.token(policies=["default"], ttl="5h"))["client_token"]
    node.clock.advance(3600)
    await node.ok("sys/auth/token/tune", {"default_lease_ttl": "1h", "max_lease_ttl": "2h"})
    renewed = await node.ok("auth/token/renew-self", {"increment": "5h"}, token=token)
    assert renewed.auth is not None
    assert renewed.auth["lease_duration"] == 3600
    assert renewed.warnings is not None


@with_node
async def test_the_root_token_lives_for_ever_and_cannot_be_renewed(node: NodeUnderTest) -> None:
    node.clock.advance(10 * 365 * DAY)
    assert await node.lives("root")
    assert errors(await node.write("auth/token/renew-self", {})) == ["lease is not renewable"]
    made = await node.token()
    assert (made["lease_duration"], made["renewable"]) == (0, False)


@with_node
async def test_a_root_token_that_ends_makes_none_that_does_not(node: NodeUnderTest) -> None:
    ending = (await node.token(policies=["root"], ttl="1h"))["client_token"]
    message = errors(await node.write("auth/token/create", {"no_parent": True}, token=ending))
    assert message == ["expiring root tokens cannot create non-expiring root tokens"]
    made = await node.token(by=ending, ttl="2h", no_parent=True)
    assert made["lease_duration"] == 7200


@with_node
async def test_a_token_may_be_made_not_renewable(node: NodeUnderTest) -> None:
    made = await node.token(policies=["default"], renewable=False)
    token = made["client_token"]
    assert not made["renewable"]
    assert errors(await node.write("auth/token/renew-self", {}, token=token)) == [
        "lease is not renewable"
    ]


@with_node
async def test_a_lookup_tells_the_times(node: NodeUnderTest) -> None:
    token = (await node.token(policies=["default"], ttl="1h"))["client_token"]
    node.clock.advance(600)
    shown = (await node.read("auth/token/lookup-self", token=token)).data
    assert (shown["creation_ttl"], shown["ttl"]) == (3600, 3000)
    assert shown["creation_time"] == 1_700_000_000
    assert shown["expire_time"] == "2023-11-14T23:13:20Z"
    assert "last_renewal_time" not in shown
    await node.ok("auth/token/renew-self", {}, token=token)
    shown = (await node.read("auth/token/lookup-self", token=token)).data
    assert (shown["ttl"], shown["last_renewal_time"]) == (3600, 1_700_000_600)
