"""What operators ask about the server: history, host, plugins, counters, inspection."""

import json

from tests.node import NodeUnderTest, errors, with_node
from wardgate import __version__
from wardgate.core.storage import Transaction
from wardgate.core.versions import note_version


@with_node
async def test_the_first_version_is_noted_at_initialisation(node: NodeUnderTest) -> None:
    answer = await node.listing("sys/version-history")
    assert answer.data["keys"] == [__version__]
    assert answer.data["key_info"][__version__]["previous_version"] is None


@with_node
async def test_a_new_version_is_noted_when_it_first_works_on_the_storage(
    node: NodeUnderTest,
) -> None:
    async def older(transaction: Transaction) -> None:
        await note_version(transaction, "9.9.9", node.clock.now() + 60)

    await node.core.storage.transact(older)
    await node.sweep()
    answer = await node.listing("sys/version-history")
    assert answer.data["keys"] == [__version__, "9.9.9"]
    assert answer.data["key_info"]["9.9.9"]["previous_version"] == __version__


@with_node
async def test_host_info_is_json_and_names_the_parts(node: NodeUnderTest) -> None:
    answer = await node.http("GET", "/v1/sys/host-info")
    data = json.loads(answer.body)["data"]
    assert set(data) == {"cpu", "cpu_times", "disk", "host", "memory", "timestamp"}
    assert len(data["cpu"]) == len(data["cpu_times"]) > 0
    assert data["memory"]["total"] > 0
    assert data["host"]["bootTime"] > 0


@with_node
async def test_plugins_cannot_be_registered(node: NodeUnderTest) -> None:
    catalog = (await node.read("sys/plugins/catalog")).data
    assert "userpass" in catalog["auth"]
    assert catalog["secret"] == sorted(set(catalog["secret"]) - {"cubbyhole", "identity"})
    assert {(each["type"], each["name"]) for each in catalog["detailed"]} == {
        (kind, name) for kind in ("auth", "secret", "database") for name in catalog[kind]
    }
    body = {"sha256": "00" * 32, "command": "mine"}
    assert "built in" in errors(await node.write("sys/plugins/catalog/secret/mine", body))[0]
    assert (await node.read("sys/plugins/catalog/secret/mine")).status == 404
    assert (await node.delete("sys/plugins/catalog/secret/kv")).status == 204
    assert (await node.read("sys/plugins/catalog/secret/kv")).status == 200


@with_node
async def test_tokens_and_entities_are_counted(node: NodeUnderTest) -> None:
    async def counted(what: str) -> int:
        counters = (await node.read(f"sys/internal/counters/{what}")).data["counters"]
        total: int = next(iter(counters.values()))["total"]
        return total

    before = await counted("tokens"), await counted("entities")
    for name in ("ada", "bob"):
        await node.user(name)
        await node.login(name)
    assert (await counted("tokens"), await counted("entities")) == (before[0] + 2, before[1] + 2)


@with_node
async def test_inspecting_a_request_needs_sudo_and_shows_no_token(node: NodeUnderTest) -> None:
    await node.policy("reader", {"sys/internal/inspect/*": "read"})
    await node.policy("operator", {"sys/internal/inspect/*": "read,sudo"})
    reader, operator = [
        (await node.token(policies=[name]))["client_token"] for name in ("reader", "operator")
    ]
    assert (await node.read("sys/internal/inspect/request", token=reader)).status == 403
    answer = await node.read("sys/internal/inspect/request", token=operator)
    assert answer.status == 200
    assert operator not in repr(answer.data)


@with_node
async def test_a_dead_token_is_refused_by_what_needs_none(node: NodeUnderTest) -> None:
    for path in ("mounts", "mounts/sys", "namespaces"):
        answer = await node.read(f"sys/internal/ui/{path}", token="s.of-nobody")
        assert answer.status == 403
    assert (await node.read("sys/internal/ui/mounts", token="")).status == 200
    assert (await node.read("sys/internal/ui/namespaces", token="")).status == 403


@with_node
async def test_the_resultant_acl_is_the_callers_own(node: NodeUnderTest) -> None:
    token = await node.policy_token(
        'path "sys/internal/ui/resultant-acl" { capabilities = ["read"] }'
        ' path "a/+/b" { capabilities = ["read"] } path "c/*" { capabilities = ["list"] }'
    )
    assert (await node.read("sys/internal/ui/resultant-acl", token=token)).data == {
        "exact_paths": {"sys/internal/ui/resultant-acl": {"capabilities": ["read"]}},
        "glob_paths": {"c/": {"capabilities": ["list"]}},
        "root": False,
    }
    assert (await node.read("sys/internal/ui/resultant-acl")).data == {"root": True}


@with_node
async def test_an_empty_ttl_leaves_a_mount_as_it_is(node: NodeUnderTest) -> None:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    await node.ok("sys/mounts/kv/tune", {"max_lease_ttl": "2h"})
    await node.ok("sys/mounts/kv/tune", {"max_lease_ttl": ""})
    assert (await node.read("sys/mounts/kv/tune")).data["max_lease_ttl"] == 7200
    await node.ok("sys/mounts/kv/tune", {"max_lease_ttl": "system"})
    assert (await node.read("sys/mounts/kv/tune")).data["max_lease_ttl"] == 32 * 86_400
    assert (await node.write("sys/mounts/kv/tune", {"plugin_version": "v1.0.0"})).status == 400
