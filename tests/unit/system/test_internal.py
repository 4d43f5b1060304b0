"""``sys/internal/ui/mounts``: which mounts are shown to whom."""

from tests.node import NodeUnderTest, errors, with_node


async def _shown(node: NodeUnderTest, token: str) -> set[str]:
    data = (await node.read("sys/internal/ui/mounts", token=token)).data
    return {f"auth/{path}" for path in data["auth"]} | set(data["secret"])


@with_node
async def test_a_mount_is_shown_to_those_who_reach_it_and_to_all_if_it_wants(
    node: NodeUnderTest,
) -> None:
    await node.ok("sys/mounts/open", {"type": "kv", "config": {"listing_visibility": "unauth"}})
    await node.ok("sys/mounts/closed", {"type": "kv"})
    await node.ok("sys/auth/userpass", {"type": "userpass"})
    await node.ok("sys/auth/userpass/tune", {"listing_visibility": "unauth"})
    await node.policy("reader", {"closed/a/b": "read"})
    reader = (await node.token(policies=["reader"], no_default_policy=True))["client_token"]
    for_all = {"open/", "auth/userpass/"}
    assert await _shown(node, "") == for_all
    assert await _shown(node, reader) == for_all | {"closed/"}
    assert {"sys/", "cubbyhole/", "closed/", "auth/token/"} <= await _shown(node, "root")


@with_node
async def test_without_a_token_little_is_told_of_a_mount(node: NodeUnderTest) -> None:
    await node.ok("sys/mounts/open", {"type": "kv", "config": {"listing_visibility": "unauth"}})
    data = (await node.read("sys/internal/ui/mounts", token="")).data
    assert set(data["secret"]["open/"]) == {"type", "description", "options"}


@with_node
async def test_one_mount_is_told_to_those_who_reach_it(node: NodeUnderTest) -> None:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    await node.policy("reader", {"kv/a": "read"})
    reader = (await node.token(policies=["reader"]))["client_token"]
    for path in ("kv", "kv/a", "kv/other/deep"):
        answer = await node.read(f"sys/internal/ui/mounts/{path}", token=reader)
        assert answer.data["path"] == "kv/"
    stranger = (await node.token(policies=["default"]))["client_token"]
    for token in ("", "s.unknown", stranger):
        refused = {
            errors(await node.read(f"sys/internal/ui/mounts/{path}", token=token))[0]
            for path in ("kv/a", "never/a")
        }
        assert len(refused) == 1
