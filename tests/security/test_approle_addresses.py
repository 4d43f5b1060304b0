"""Attacks on the addresses that AppRole's roles and secret ids are bound to."""

from typing import Any

import pytest

from tests.node import PEER, NodeUnderTest, with_node
from tests.roles import MOUNT, log_in, role, secret_id, stored_secret_ids

NEAR = "10.1.2.3:40000"


@pytest.mark.parametrize(
    "peer",
    [
        PEER,
        "",
        "11.0.0.1:1",
        "[::1]:1",
        "[::ffff:11.0.0.1]:1",
        "[::10.1.2.3]:1",
        "[64:ff9b::a01:203]:1",
    ],
)
@pytest.mark.parametrize("bound", ["role", "secret id", "token", "token of the secret id"])
def test_only_the_given_blocks_log_in(bound: str, peer: str) -> None:
    @with_node
    async def test(node: NodeUnderTest) -> None:
        block = "10.0.0.0/8"
        of_role: dict[str, Any] = {}
        of_secret: dict[str, Any] = {}
        match bound:
            case "role":
                of_role = {"secret_id_bound_cidrs": block}
            case "secret id":
                of_secret = {"cidr_list": block}
            case "token":
                of_role = {"token_bound_cidrs": block}
            case _:
                of_secret = {"token_bound_cidrs": block}
        role_id = await role(node, **of_role)
        secret = await secret_id(node, num_uses=3, **of_secret)
        response = await log_in(node, role_id, secret, peer=peer)
        assert response.status in (400, 403)
        assert response.auth is None
        for right in (NEAR, "[::ffff:10.1.2.3]:1"):
            assert (await log_in(node, role_id, secret, peer=right)).status == 200
        body = {"secret_id": secret.value}
        looked = await node.ok(f"{MOUNT}/role/ci/secret-id/lookup", body)
        assert looked.data["secret_id_num_uses"] == 1, "a refused login costs no use"

    test()


@pytest.mark.parametrize(
    "given",
    [
        "0.0.0.0/0",
        "10.0.0.0/7",
        "11.0.0.0/8",
        "::/0",
        "::ffff:10.0.0.0/104",
        "::ffff:0:0/96",
        "10.0.0.0/8,0.0.0.0/0",
        "10.1.0.0/16,11.0.0.0/16",
        "fd00::/8",
    ],
)
@pytest.mark.parametrize("field", ["cidr_list", "token_bound_cidrs"])
def test_a_secret_id_is_not_wider_than_its_role(field: str, given: str) -> None:
    @with_node
    async def test(node: NodeUnderTest) -> None:
        await role(node, secret_id_bound_cidrs="10.0.0.0/8", token_bound_cidrs="10.0.0.0/8")
        for path in ("secret-id", "custom-secret-id"):
            body = {field: given, "secret_id": "chosen"}
            assert (await node.write(f"{MOUNT}/role/ci/{path}", body)).status == 400
        assert await stored_secret_ids(node) == []

    test()


@with_node
async def test_a_role_that_is_bound_tighter_binds_what_was_given_out(node: NodeUnderTest) -> None:
    role_id = await role(node)
    wide = await secret_id(node, cidr_list="0.0.0.0/0", token_bound_cidrs="0.0.0.0/0")
    assert (await log_in(node, role_id, wide)).status == 200
    await node.ok(f"{MOUNT}/role/ci", {"secret_id_bound_cidrs": "10.0.0.0/8"})
    assert (await log_in(node, role_id, wide)).status in (400, 403)
    assert (await log_in(node, role_id, wide, peer=NEAR)).status == 200
    await node.ok(
        f"{MOUNT}/role/ci", {"secret_id_bound_cidrs": [], "token_bound_cidrs": "10.1.0.0/16"}
    )
    assert (await log_in(node, role_id, wide)).status in (400, 403)
    granted = await log_in(node, role_id, wide, peer=NEAR)
    assert granted.auth is not None
    token = granted.auth["client_token"]
    for peer, status in ((NEAR, 200), ("10.2.0.1:1", 403), (PEER, 403)):
        looked = await node.read("auth/token/lookup-self", token=token, peer=peer)
        assert looked.status == status


@with_node
async def test_a_token_bound_to_its_own_address_is_still_bound_by_its_secret_id(
    node: NodeUnderTest,
) -> None:
    role_id = await role(node, token_strictly_bind_ip=True)
    secret = await secret_id(node, token_bound_cidrs="10.0.0.0/8")
    refused = await log_in(node, role_id, secret)
    assert refused.status in (400, 403)
    granted = await log_in(node, role_id, secret, peer=NEAR)
    assert granted.auth is not None
    token = granted.auth["client_token"]
    for peer, status in (("10.1.2.3:9", 200), ("10.1.2.4:9", 403), (PEER, 403)):
        looked = await node.read("auth/token/lookup-self", token=token, peer=peer)
        assert looked.status == status


@with_node
async def test_an_address_that_a_client_only_claims_does_not_count(node: NodeUnderTest) -> None:
    role_id = await role(node, secret_id_bound_cidrs="10.0.0.0/8")
    secret = await secret_id(node)
    body = {"role_id": role_id, "secret_id": secret.value}
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP"):
        for value in ("10.1.2.3", "for=10.1.2.3"):
            answer = await node.http(
                "POST", f"/v1/{MOUNT}/login", body, token=None, headers={name: value}
            )
            assert answer.status in (400, 403)


@pytest.mark.parametrize(
    "block",
    [
        "10.0.0.0/8;0.0.0.0/0",
        "010.0.0.0/8",
        "10.0.0.0/-1",
        "10/8",
        "0x0a000000/8",
        "10.0.0.0/8/8",
    ],
)
def test_blocks_that_can_be_read_in_two_ways_are_refused(block: str) -> None:
    @with_node
    async def test(node: NodeUnderTest) -> None:
        await role(node)
        for body in ({"secret_id_bound_cidrs": [block]}, {"token_bound_cidrs": [block]}):
            assert (await node.write(f"{MOUNT}/role/ci", body)).status == 400
        for field in ("cidr_list", "token_bound_cidrs"):
            answer = await node.write(f"{MOUNT}/role/ci/secret-id", {field: [block]})
            assert answer.status == 400

    test()
