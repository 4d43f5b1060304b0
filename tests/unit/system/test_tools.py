"""sys/tools: random bytes and digests."""

import base64
import hashlib

import pytest

from tests.node import NodeUnderTest, errors, with_node
from wardgate.system.tools import MOST_BYTES


@with_node
async def test_random_bytes_have_the_wanted_length_and_never_come_again(
    node: NodeUnderTest,
) -> None:
    seen = set()
    for count in (1, 32, MOST_BYTES):
        for path, body in (
            ("random", {"bytes": count}),
            (f"random/{count}", {"bytes": 5}),
            (f"random/all/{count}", {}),
        ):
            found = (await node.ok(f"sys/tools/{path}", body)).data["random_bytes"]
            assert len(base64.b64decode(found)) == count
            seen.add(found)
    assert len(seen) >= 7  # single bytes may be alike
    found = (await node.ok("sys/tools/random", {"format": "hex"})).data["random_bytes"]
    assert len(bytes.fromhex(found)) == 32


@pytest.mark.parametrize("count", [0, -1, MOST_BYTES + 1, 2**62])
def test_no_more_random_bytes_than_the_bound(count: int) -> None:
    @with_node
    async def scenario(node: NodeUnderTest) -> None:
        assert (await node.write("sys/tools/random", {"bytes": count})).status == 400
        assert (await node.write(f"sys/tools/random/{count}", {})).status == 400

    scenario()


@pytest.mark.parametrize("family", [2, 3])
@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_digests(family: int, bits: int) -> None:
    @with_node
    async def scenario(node: NodeUnderTest) -> None:
        for data in (b"", b"hello", b"x" * 200_000):
            name = f"sha{bits}" if family == 2 else f"sha3_{bits}"
            expected = hashlib.new(name, data)
            given = {"input": base64.b64encode(data).decode()}
            answer = await node.ok(f"sys/tools/hash/sha{family}-{bits}", given)
            assert answer.data == {"sum": expected.hexdigest()}
            more = {"algorithm": f"sha{family}-{bits}", "format": "base64"}
            answer = await node.ok("sys/tools/hash", {**given, **more})
            assert base64.b64decode(answer.data["sum"]) == expected.digest()

    scenario()


@with_node
async def test_errors_do_not_repeat_what_was_sent(node: NodeUnderTest) -> None:
    for path, body in (
        ("hash", {"input": "hunter2!"}),
        ("hash", {"algorithm": "hunter2"}),
        ("hash/hunter2", {}),
        ("random", {"format": "hunter2"}),
        ("random/hunter2", {}),
        ("random/hunter2/8", {}),
    ):
        assert "hunter2" not in errors(await node.write(f"sys/tools/{path}", body))[0]
