"""``sys/config/ui/headers``, ``sys/config/state`` and ``sys/config/reload``."""

import pytest

from tests.node import NodeUnderTest, errors, with_node
from wardgate.errors import WardgateError


@with_node
async def test_a_header_has_one_name_in_any_case(node: NodeUnderTest) -> None:
    await node.ok("sys/config/ui/headers/x-FRAME-options", {"values": ["deny", "sameorigin"]})
    for name in ("X-Frame-Options", "x-frame-options"):
        assert (await node.read(f"sys/config/ui/headers/{name}")).data == {"value": "deny"}
        whole = await node.read(f"sys/config/ui/headers/{name}", query={"multivalue": "true"})
        assert whole.data == {"values": ["deny", "sameorigin"]}
    assert (await node.listing("sys/config/ui/headers")).data == {"keys": ["X-Frame-Options"]}
    assert (await node.delete("sys/config/ui/headers/X-frame-Options")).status == 204
    assert (await node.listing("sys/config/ui/headers")).status == 404


@with_node
async def test_another_process_knows_the_header(node: NodeUnderTest) -> None:
    await node.ok("sys/config/ui/headers/X-A", {"values": ["a"]})
    other = await node.another()
    assert (await other.read("sys/config/ui/headers/X-A")).data == {"value": "a"}


@pytest.mark.parametrize(
    ("name", "values", "status"),
    [
        ("X-A", [], 400),
        ("X-A", [""], 400),
        ("X-A", ["a\r\nX-B: c"], 400),
        ("X-A", ["\ud800"], 400),
        ("X-A", ["a" * 8193], 400),
        ("x-vault-a", ["a"], 400),
        ("X A", ["a"], 404),
        ("X:", ["a"], 404),
        ("-", ["a"], 404),
        ("ä", ["a"], 404),
        ("a" * 201, ["a"], 404),
    ],
)
def test_what_is_no_header_is_refused(name: str, values: list[str], status: int) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        refused = await node.write(f"sys/config/ui/headers/{name}", {"values": values})
        assert refused.status == status
        assert (await node.listing("sys/config/ui/headers")).status == 404

    body()


@with_node
async def test_the_state_is_what_the_process_says(node: NodeUnderTest) -> None:
    node.node.host.state = lambda: {"log_level": "info"}
    assert (await node.read("sys/config/state/sanitized")).data == {"log_level": "info"}


@with_node
async def test_the_configuration_is_read_again_on_request(node: NodeUnderTest) -> None:
    times = 0

    async def reload() -> list[str]:
        nonlocal times
        times += 1
        return [] if times == 1 else ["ui has changed"]

    assert (await node.write("sys/config/reload/config")).status == 404
    node.node.host.reload = reload
    assert (await node.write("sys/config/reload/config")).status == 204
    second = await node.write("sys/config/reload/config")
    assert (second.status, second.warnings) == (200, ["ui has changed"])
    for other in ("license", "x/y", "Config"):
        assert (await node.write(f"sys/config/reload/{other}")).status == 404
    assert times == 2


@with_node
async def test_reloading_needs_sudo(node: NodeUnderTest) -> None:
    async def reload() -> list[str]:
        raise WardgateError("must not be called")

    node.node.host.reload = reload
    token = await node.policy_token('path "sys/*" { capabilities = ["create", "update"] }')
    refused = await node.write("sys/config/reload/config", token=token)
    assert errors(refused) == ["permission denied"]
