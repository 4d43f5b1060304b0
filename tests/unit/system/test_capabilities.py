"""``sys/capabilities``: what a token may do."""

from tests.node import NodeUnderTest, errors, with_node


@with_node
async def test_capabilities_are_told_of_a_token_an_accessor_and_oneself(
    node: NodeUnderTest,
) -> None:
    await node.policy("p", {"kv/a": "read,list", "kv/b/*": "create,update", "kv/b/no": "deny"})
    made = await node.token(policies=["p"])
    token, accessor = made["client_token"], made["accessor"]
    paths = {"paths": ["kv/a", "kv/b/x", "kv/b/no", "kv/c"]}
    expected = {
        "kv/a": ["list", "read"],
        "kv/b/x": ["create", "update"],
        "kv/b/no": ["deny"],
        "kv/c": ["deny"],
    }
    for path, body, by in (
        ("capabilities", {"token": token, **paths}, "root"),
        ("capabilities-accessor", {"accessor": accessor, **paths}, "root"),
        ("capabilities-self", paths, token),
    ):
        answer = (await node.ok(f"sys/{path}", body, token=by)).data
        assert answer == expected, path


@with_node
async def test_one_path_is_answered_under_capabilities_too(node: NodeUnderTest) -> None:
    answer = await node.http("POST", "/v1/sys/capabilities-self", {"path": "sys/mounts"})
    body = answer.json()
    assert body["capabilities"] == body["data"]["sys/mounts"] == ["root"]
    assert body["data"]["capabilities"] == ["root"]


@with_node
async def test_unknown_tokens_and_missing_paths_are_refused(node: NodeUnderTest) -> None:
    for path, body, message in (
        ("capabilities", {"token": "hunter2", "paths": "a"}, "invalid token"),
        ("capabilities-accessor", {"accessor": "hunter2", "paths": "a"}, "invalid accessor"),
        ("capabilities-accessor", {"paths": "a"}, "missing accessor"),
        ("capabilities-self", {}, "paths must be supplied"),
    ):
        assert errors(await node.write(f"sys/{path}", body)) == [message]
