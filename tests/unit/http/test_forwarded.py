"""Who sent a request that came through a proxy."""

import pytest

from tests.node import NodeUnderTest, with_node
from wardgate.errors import InvalidRequest
from wardgate.http.forwarded import ForwardedFor
from wardgate.http.rules import Rules

PROXY = "127.0.0.1:40000"
ONE = ForwardedFor(trusted=("127.0.0.0/8", "2001:db8::1"))
BEHIND_ANOTHER = ForwardedFor(trusted=("127.0.0.1",), hop_skips=1)


@pytest.mark.parametrize(
    ("rule", "sent", "client"),
    [
        (ONE, [], PROXY),
        (ONE, [""], PROXY),
        (ONE, [", ,"], PROXY),
        (ONE, ["192.0.2.1"], "192.0.2.1:40000"),
        (ONE, ["198.51.100.9, 192.0.2.1"], "192.0.2.1:40000"),
        (ONE, ["198.51.100.9", "192.0.2.1"], "192.0.2.1:40000"),
        (ONE, ["192.0.2.1:5555"], "192.0.2.1:40000"),
        (ONE, ["[192.0.2.1]"], "192.0.2.1:40000"),
        (ONE, ["::ffff:192.0.2.1"], "192.0.2.1:40000"),
        (ONE, ["2001:DB8::7"], "[2001:db8::7]:40000"),
        (ONE, ["[2001:db8::7]:5555"], "[2001:db8::7]:40000"),
        (BEHIND_ANOTHER, ["192.0.2.1, 10.0.0.1"], "192.0.2.1:40000"),
        (BEHIND_ANOTHER, ["6.6.6.6, 192.0.2.1, 10.0.0.1"], "192.0.2.1:40000"),
    ],
)
def test_the_address_that_a_trusted_proxy_gives_counts(
    rule: ForwardedFor, sent: list[str], client: str
) -> None:
    assert rule.client(PROXY, sent) == client


@pytest.mark.parametrize("peer", ["192.0.2.5:1", "[2001:db8::2]:1", "", "unix:"])
def test_the_header_of_anybody_else_counts_for_nothing(peer: str) -> None:
    assert ONE.client(peer, ["10.0.0.1"]) == peer


def test_a_proxy_may_come_by_ipv6() -> None:
    assert ONE.client("[2001:db8::1]:9", ["10.0.0.1"]) == "10.0.0.1:9"


@pytest.mark.parametrize(
    ("rule", "peer", "sent", "problem"),
    [
        (BEHIND_ANOTHER, PROXY, ["192.0.2.1"], "hops to skip"),
        (ONE, PROXY, ["192.0.2.1," * 101], "hops to skip"),
        (ONE, PROXY, ["hunter2"], "must hold an IP address"),
        (ONE, PROXY, ["192.0.2.1, unknown"], "must hold an IP address"),
        (ONE, PROXY, ["[::1"], None),
        (ONE, PROXY, ["10.0.0.1/8"], "must hold an IP address"),
        (ForwardedFor(trusted=("::1",), reject_not_present=True), PROXY, [], "missing"),
        (ForwardedFor(trusted=("::1",), reject_not_authorized=True), PROXY, ["::1"], "authorized"),
    ],
)
def test_what_cannot_be_told_is_refused(
    rule: ForwardedFor, peer: str, sent: list[str], problem: str | None
) -> None:
    if problem is None:
        assert rule.client(peer, sent) == "[::1]:40000"
        return
    with pytest.raises(InvalidRequest, match=problem) as refused:
        rule.client(peer, sent)
    assert "hunter2" not in str(refused.value)


@with_node
async def test_it_is_the_address_that_tokens_are_bound_to(node: NodeUnderTest) -> None:
    await node.ok("auth/token/roles/near", {"token_bound_cidrs": "192.0.2.0/24"})
    token = (await node.token(path="create/near", policies=["default"]))["client_token"]
    lookup, near = "/v1/auth/token/lookup-self", {"X-Forwarded-For": "192.0.2.77"}
    assert (await node.http("GET", lookup, token=token, headers=near)).status == 403
    node.application.use(Rules(forwarded_for=ONE))
    assert (await node.http("GET", lookup, token=token, headers=near)).status == 200
    far = {"X-Forwarded-For": "192.0.2.77, 198.51.100.1"}
    assert (await node.http("GET", lookup, token=token, headers=far)).status == 403
    unreadable = {"X-Forwarded-For": "\xff, 198.51.100.1"}
    refused = await node.http("GET", lookup, token=token, headers=unreadable)
    assert refused.status == 400, "whoever sent it would pass for the proxy"
    assert "x-forwarded-for" in refused.json()["errors"][0]
    odd = await node.http("POST", "/v1/sys/seal", {"a": 1}, headers={"X-Forwarded-For": "x"})
    assert odd.status == 400
    assert not node.node.barrier.sealed
