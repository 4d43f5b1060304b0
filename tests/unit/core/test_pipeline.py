"""The way of a request through the core: which answer it gets where."""

import logging

import pytest

from tests.node import NodeUnderTest, errors, with_node
from tests.odd import SECRET, mount_odd
from wardgate.core.operation import Operation
from wardgate.core.request import TokenGrant


@with_node
async def test_unknown_paths_are_told_from_forbidden_ones_only_to_those_who_may_see(
    node: NodeUnderTest,
) -> None:
    token = (await node.token(policies=["default"]))["client_token"]
    for path in ("sys/mounts", "sys/nothing", "nowhere/at/all", "auth/nowhere/login/x", ""):
        for weak in ("", "s.unknown", token):
            response = await node.read(path, token=weak)
            assert (response.status, errors(response)) == (403, ["permission denied"])
    assert (await node.read("nowhere/at/all")).status == 404
    assert errors(await node.read("sys/nothing")) == ["unsupported path"]
    assert (await node.delete("sys/health")).status == 405
    assert (await node.delete("sys/seal-status", token="")).status == 405


@with_node
async def test_nothing_is_written_to_a_path_that_ends_in_a_slash(node: NodeUnderTest) -> None:
    for operation in (Operation.UPDATE, Operation.PATCH):
        response = await node.call(operation, "sys/policies/acl/p/", {"policy": "x"})
        assert errors(response) == ["cannot write to a path ending in '/'"]
    assert (await node.listing("sys/policies/acl/")).status == 200


@with_node
async def test_a_write_is_a_create_or_an_update_for_the_policies(node: NodeUnderTest) -> None:
    await node.policy("creator", {"auth/token/roles/*": "create"})
    await node.policy("updater", {"auth/token/roles/*": "update"})
    creator = (await node.token(policies=["creator"]))["client_token"]
    updater = (await node.token(policies=["updater"]))["client_token"]
    role = "auth/token/roles/a"
    assert (await node.write(role, {"orphan": True}, token=updater)).status == 403
    assert (await node.write(role, {"orphan": True}, token=creator)).status == 204
    assert (await node.write(role, {"orphan": False}, token=creator)).status == 403
    assert (await node.write(role, {"orphan": False}, token=updater)).status == 204


@with_node
async def test_a_token_is_bound_to_addresses(node: NodeUnderTest) -> None:
    await node.ok(
        "auth/token/roles/office",
        {"allowed_policies": "default", "token_bound_cidrs": "10.0.0.0/8,::1"},
    )
    token = (await node.token(path="create/office"))["client_token"]
    for peer, allowed in {
        "10.1.2.3:99": True,
        "[::1]:99": True,
        "[::ffff:10.1.2.3]:99": True,
        "11.0.0.1:99": False,
        "[::2]:99": False,
        "": False,
    }.items():
        response = await node.read("auth/token/lookup-self", token=token, peer=peer)
        assert (response.status == 200) == allowed, peer


@with_node
async def test_a_request_that_fails_writes_nothing(node: NodeUnderTest) -> None:
    before = await node.store.revision()
    for path, body in {
        "sys/mounts/x": {"type": "never"},
        "auth/token/create": {"ttl": "x"},
        "sys/policies/acl/x": {"policy": "{"},
        "sys/remount": {"from": "a", "to": "b"},
    }.items():
        assert (await node.write(path, body)).status == 400
    assert await node.store.revision() == before


@with_node
async def test_reading_writes_nothing(node: NodeUnderTest) -> None:
    before = await node.store.revision()
    for path in ("auth/token/lookup-self", "sys/mounts", "sys/policies/acl/default", "sys/health"):
        assert (await node.read(path)).status == 200
    assert await node.store.revision() == before


def test_an_unforeseen_failure_is_logged_without_its_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await mount_odd(node, TokenGrant(display_name="x"))
        response = await node.write("auth/odd/broken", {"password": SECRET}, token="")
        assert (response.status, errors(response)) == (500, ["internal error"])

    body()
    assert "KeyError" in caplog.text
    assert SECRET not in caplog.text


@with_node
async def test_a_login_must_come_from_the_grants_addresses(node: NodeUnderTest) -> None:
    await mount_odd(node, TokenGrant(display_name="x", bound_cidrs=("10.0.0.0/8",)))
    assert (await node.write("auth/odd/login", token="")).status == 403
    assert (await node.write("auth/odd/login", token="", peer="10.0.0.1:9")).status == 200


@with_node
async def test_an_unauthenticated_path_asks_for_no_token_and_minds_no_bad_one(
    node: NodeUnderTest,
) -> None:
    for token in ("", "s.unknown", "root"):
        assert (await node.read("sys/seal-status", token=token)).status == 200
        assert (await node.read("sys/internal/specs/openapi", token=token)).status == 200
