"""``sys/mounts``, ``sys/auth`` and ``sys/remount``."""

from typing import Any

import pytest

from tests.node import NodeUnderTest, errors, with_node


@pytest.mark.parametrize(
    "path",
    [
        "sys",
        "sys/x",
        "auth",
        "auth/x",
        "cubbyhole",
        "cubbyhole/x",
        "identity",
        "audit/x",
        "kv",
        "kv/x",
    ],
)
def test_a_path_that_is_taken_or_protected_cannot_be_mounted(path: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.ok("sys/mounts/kv", {"type": "kv"})
        before = (await node.read("sys/mounts")).data
        assert (await node.write(f"sys/mounts/{path}", {"type": "kv"})).status == 400
        assert (await node.read("sys/mounts")).data == before

    body()


@with_node
async def test_what_every_server_has_cannot_be_taken_away_or_moved(node: NodeUnderTest) -> None:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    await node.ok("sys/auth/userpass", {"type": "userpass"})
    for path in ("sys/mounts/sys", "sys/mounts/cubbyhole", "sys/auth/token"):
        assert "cannot" in errors(await node.delete(path))[0]
    for source, target in (
        ("sys", "other"),
        ("cubbyhole", "other"),
        ("auth/token", "auth/other"),
        ("kv", "sys/x"),
        ("kv", "cubbyhole"),
        ("kv", "identity/x"),
        ("kv", "auth"),
        ("kv", "auth/kv"),
        ("auth/userpass", "userpass"),
        ("auth/userpass", "auth/token/x"),
        ("auth/userpass", "auth"),
        ("kv", "a/../b"),
        ("kv", ""),
        ("never", "other"),
    ):
        response = await node.write("sys/remount", {"from": source, "to": target})
        assert response.status == 400, (source, target)
    assert await node.lives("root")


@with_node
async def test_a_mount_moves_onto_no_other_and_not_below_itself(node: NodeUnderTest) -> None:
    for path in ("kv", "other"):
        await node.ok(f"sys/mounts/{path}", {"type": "kv"})
    taken = await node.write("sys/remount", {"from": "kv", "to": "other"})
    assert errors(taken) == ['path already in use at "other/"']
    for target in ("kv", "kv/deeper"):
        taken = await node.write("sys/remount", {"from": "kv", "to": target})
        assert errors(taken) == ['path already in use at "kv/"']
    assert (await node.read("sys/mounts/kv")).status == 200
    assert (await node.read("sys/remount/status/unknown")).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "never"},
        {"type": "token"},
        {"type": "system"},
        {"type": "cubbyhole"},
        {"type": "userpass"},
        {"type": "plugin", "plugin_name": "never"},
        {"type": "kv", "options": {"version": "3"}},
        {"type": "kv", "config": {"default_lease_ttl": "soon"}},
        {"type": "kv", "config": {"default_lease_ttl": "-1"}},
        {"type": "kv", "config": {"default_lease_ttl": "2h", "max_lease_ttl": "1h"}},
        {"type": "kv", "config": {"listing_visibility": "hunter2"}},
        {"type": "kv", "config": {"token_type": "batch"}},
        {"type": "kv", "config": {"passthrough_request_headers": ["a b"]}},
        {"type": "kv", "config": "hunter2"},
    ],
)
def test_what_cannot_be_mounted_is_refused(body: dict[str, Any]) -> None:
    @with_node
    async def test(node: NodeUnderTest) -> None:
        message = errors(await node.write("sys/mounts/new", body))[0]
        assert "hunter2" not in message
        assert (await node.read("sys/mounts/new")).status == 400

    test()


@with_node
async def test_tuning_changes_what_is_given_and_keeps_the_rest(node: NodeUnderTest) -> None:
    await node.ok(
        "sys/mounts/kv",
        {"type": "kv", "description": "old", "config": {"default_lease_ttl": "1h"}},
    )
    before = (await node.read("sys/mounts/kv")).data
    await node.ok("sys/mounts/kv/tune", {"max_lease_ttl": "2h", "listing_visibility": "unauth"})
    shown = (await node.read("sys/mounts/kv/tune")).data
    assert (shown["default_lease_ttl"], shown["max_lease_ttl"]) == (3600, 7200)
    assert (shown["description"], shown["listing_visibility"]) == ("old", "unauth")
    await node.ok("sys/mounts/kv/tune", {"description": "", "default_lease_ttl": "system"})
    after = (await node.read("sys/mounts/kv")).data
    assert (after["description"], after["config"]["default_lease_ttl"]) == ("", 0)
    assert (after["uuid"], after["accessor"]) == (before["uuid"], before["accessor"])
    refused = await node.write("sys/mounts/kv/tune", {"default_lease_ttl": "3h"})
    assert errors(refused)[0].startswith("default_lease_ttl: ")
    unknown = await node.write("sys/mounts/never/tune", {"description": "x"})
    assert unknown.status == 400


@with_node
async def test_auth_methods_need_sudo_and_secret_engines_do_not(node: NodeUnderTest) -> None:
    await node.policy("mounter", {"sys/mounts/*": "update", "sys/auth/*": "update"})
    token = (await node.token(policies=["mounter"]))["client_token"]
    assert (await node.write("sys/mounts/kv", {"type": "kv"}, token=token)).status == 204
    body = {"type": "userpass"}
    assert (await node.write("sys/auth/people", body, token=token)).status == 403
    await node.policy("mounter", {"sys/auth/*": "update,sudo"})
    assert (await node.write("sys/auth/people", body, token=token)).status == 204


@with_node
async def test_a_change_of_the_mounts_is_seen_by_every_node_at_once(node: NodeUnderTest) -> None:
    other = await node.another()
    await node.ok("sys/mounts/kv", {"type": "kv"})
    await other.ok("kv/a", {"b": "c"})
    assert (await node.read("kv/a")).status == 200
    await other.delete("sys/mounts/kv")
    assert (await node.read("kv/a")).status == 404
