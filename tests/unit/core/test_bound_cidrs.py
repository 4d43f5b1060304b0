"""The addresses that a child token is bound to lie within its parent's (security case 22)."""

import pytest

from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.cidr import narrowed
from wardgate.errors import InvalidRequest


@pytest.mark.parametrize(
    ("cidrs", "outer", "left"),
    [
        ((), (), ()),
        (("10.0.0.0/8",), (), ("10.0.0.0/8",)),
        ((), ("10.0.0.0/8",), ("10.0.0.0/8",)),
        (("10.1.0.0/16",), ("10.0.0.0/8",), ("10.1.0.0/16",)),
        (("0.0.0.0/0",), ("10.0.0.0/8",), ("10.0.0.0/8",)),
        (("10.1.2.3", "192.0.2.1", "::/0"), ("10.0.0.0/8", "fd00::/8"), ("10.1.2.3", "fd00::/8")),
    ],
)
def test_blocks_are_narrowed(
    cidrs: tuple[str, ...], outer: tuple[str, ...], left: tuple[str, ...]
) -> None:
    assert narrowed(cidrs, outer) == left


def test_nothing_in_common_is_refused_and_not_everything() -> None:
    with pytest.raises(InvalidRequest, match="nothing in common"):
        narrowed(("192.0.2.0/24",), ("10.0.0.0/8",))


@with_node
async def test_a_role_does_not_lead_out_of_the_callers_addresses(node: NodeUnderTest) -> None:
    await node.ok("auth/token/roles/near", {"token_bound_cidrs": "127.0.0.0/8"})
    await node.ok("auth/token/roles/near-child", {"token_bound_cidrs": "0.0.0.0/0"})
    await node.ok("auth/token/roles/far-child", {"token_bound_cidrs": "192.0.2.0/24"})
    made = await node.ok("auth/token/create/near", {})
    assert made.auth is not None
    near = made.auth["client_token"]
    child = await node.ok("auth/token/create/near-child", {}, token=near)
    assert child.auth is not None
    shown = await node.ok("auth/token/lookup", {"token": child.auth["client_token"]})
    assert shown.data["bound_cidrs"] == ("127.0.0.0/8",)
    refused = await node.write("auth/token/create/far-child", {}, token=near)
    assert "nothing in common" in errors(refused)[0]


@with_node
async def test_a_role_may_bind_its_tokens_to_the_callers_address(node: NodeUnderTest) -> None:
    await node.ok("auth/token/roles/here", {"token_strictly_bind_ip": True})
    made = await node.ok("auth/token/create/here", {})
    assert made.auth is not None
    shown = await node.ok("auth/token/lookup", {"token": made.auth["client_token"]})
    assert len(shown.data["bound_cidrs"]) == 1
