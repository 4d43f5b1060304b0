"""``sys/quotas``."""

from typing import Any

import pytest

from tests.node import NodeUnderTest, errors, with_node
from wardgate.system import quotas

QUOTA = "sys/quotas/rate-limit/q"


@with_node
async def test_a_limit_is_written_read_listed_and_deleted(node: NodeUnderTest) -> None:
    assert (await node.listing("sys/quotas/rate-limit")).status == 404
    await node.ok(QUOTA, {"rate": 2.5, "interval": "1m", "block_interval": "2h", "path": "sys"})
    assert (await node.read(QUOTA)).data == {
        "block_interval": 7200,
        "inheritable": False,
        "interval": 60,
        "name": "q",
        "path": "sys/",
        "rate": 2.5,
        "role": "",
        "type": "rate-limit",
    }
    await node.ok(QUOTA, {"rate": 4})
    shown = (await node.read(QUOTA)).data
    assert (shown["rate"], shown["interval"], shown["block_interval"]) == (4, 1, 0)
    assert (shown["path"], shown["inheritable"]) == ("", True)
    assert (await node.listing("sys/quotas/rate-limit")).data == {"keys": ["q"]}
    assert (await node.delete(QUOTA)).status == 204
    assert (await node.delete(QUOTA)).status == 204
    assert (await node.read(QUOTA)).status == 404


@pytest.mark.parametrize("rate", [0, -1, None, "", "x", "nan", "inf", " 5", [1], {}, 1e400])
def test_a_rate_is_a_positive_number(rate: Any) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        response = await node.write(QUOTA, {"rate": rate})
        assert response.status == 400
        assert "rate" in errors(response)[0]
        assert (await node.read(QUOTA)).status == 404

    body()


@pytest.mark.parametrize(
    ("rate", "limit"), [(0.1, 1), (1.2, 1), (1.5, 2), (2.5, 3), (7, 7), (1e300, 2**63)]
)
def test_the_limit_is_the_rate_as_a_whole_number(rate: float, limit: int) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.ok("sys/quotas/config", {"enable_rate_limit_response_headers": True})
        await node.ok(QUOTA, {"rate": rate})
        assert dict((await node.read("sys/mounts")).headers)["x-ratelimit-limit"] == str(limit)

    body()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"path": "nowhere"}, "path: invalid mount path"),
        ({"path": "auth"}, "path: invalid mount path"),
        ({"path": "//sys"}, "path: invalid mount path"),
        ({"path": "sys/a//b"}, "path: must not contain"),
        ({"path": "sys/../b"}, "path: must not contain"),
        ({"path": "sys/" + "a" * 5000}, "path: must not contain"),
        ({"path": "sys/a", "role": "r"}, "Quotas cannot contain both"),
        ({"path": "sys", "role": "r"}, "path: not a valid auth method"),
        ({"role": "r"}, "path: not a valid auth method"),
        ({"path": "auth/token", "role": "r"}, "path: this auth method does not"),
        ({"interval": "x"}, 'field "interval"'),
        ({"block_interval": -1}, 'field "block_interval"'),
        ({"inheritable": "x"}, 'field "inheritable"'),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        response = await node.write(QUOTA, {"rate": 1, **fields})
        assert response.status == 400
        assert message in errors(response)[0]
        assert "nowhere" not in errors(response)[0]

    body()


@with_node
async def test_no_two_limits_are_for_the_same(node: NodeUnderTest) -> None:
    await node.ok(QUOTA, {"rate": 1000, "path": "sys/a"})
    for path in ("sys/a", "/sys/a", "sys/a/"):
        response = await node.write("sys/quotas/rate-limit/r", {"rate": 2000, "path": path})
        assert errors(response) == [
            'quota rule with similar properties exists under the name "q"',
        ]
    await node.ok(QUOTA, {"rate": 1000, "path": "sys/b"})
    await node.ok("sys/quotas/rate-limit/r", {"rate": 2000, "path": "sys/a"})


@pytest.mark.parametrize("name", ["a b", "a/b", "-a", "a.", "\u00e9", "a\n"])
def test_a_name_is_a_plain_word(name: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        path = f"sys/quotas/rate-limit/{name}"
        for response in (
            await node.write(path, {"rate": 1}),
            await node.read(path),
            await node.delete(path),
        ):
            assert errors(response) == ["unsupported path"]

    body()


@with_node
async def test_there_are_not_more_limits_than_can_be_kept(
    node: NodeUnderTest,
) -> None:
    most, quotas.MOST_QUOTAS = quotas.MOST_QUOTAS, 3
    try:
        for number in range(3):
            path = f"sys/{number}"
            await node.ok(f"sys/quotas/rate-limit/q{number}", {"rate": 1, "path": path})
        assert (await node.write(QUOTA, {"rate": 1})).status == 400
        await node.ok("sys/quotas/rate-limit/q1", {"rate": 9, "path": "sys/1"})
    finally:
        quotas.MOST_QUOTAS = most


@with_node
async def test_the_configuration_is_set_as_a_whole(node: NodeUnderTest) -> None:
    before = (await node.read("sys/quotas/config")).data
    assert not before["enable_rate_limit_audit_logging"]
    assert not before["enable_rate_limit_response_headers"]
    assert "sys/health" in before["rate_limit_exempt_paths"]
    await node.ok(
        "sys/quotas/config",
        {"rate_limit_exempt_paths": ["a", " b "], "enable_rate_limit_audit_logging": True},
    )
    assert (await node.read("sys/quotas/config")).data == {
        "enable_rate_limit_audit_logging": True,
        "enable_rate_limit_response_headers": False,
        "rate_limit_exempt_paths": ("a", "b"),
    }
    await node.ok("sys/quotas/config", {"enable_rate_limit_response_headers": True})
    assert (await node.read("sys/quotas/config")).data == {
        "enable_rate_limit_audit_logging": False,
        "enable_rate_limit_response_headers": True,
        "rate_limit_exempt_paths": (),
    }


@with_node
async def test_there_are_no_other_kinds_of_quotas(node: NodeUnderTest) -> None:
    for path in ("sys/quotas", "sys/quotas/lease-count", "sys/quotas/lease-count/x"):
        assert errors(await node.read(path)) == ["unsupported path"]
    assert (await node.write("sys/quotas/rate-limit", {"rate": 1})).status == 405


@with_node
async def test_only_who_may_writes_limits(node: NodeUnderTest) -> None:
    token = (await node.token(policies=["default"]))["client_token"]
    for path in (QUOTA, "sys/quotas/config", "sys/locked-users", "sys/in-flight-req"):
        assert (await node.read(path, token=token)).status == 403
        assert (await node.write(path, {"rate": 1}, token=token)).status == 403
