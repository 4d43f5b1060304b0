"""Attacks on response wrapping (security case 26)."""

import asyncio
from collections import Counter

from tests.node import NodeUnderTest, errors, with_node

PARALLEL = 1000
GONE = ["wrapping token is not valid or does not exist"]


async def _wrapped(node: NodeUnderTest, path: str = "kv/a") -> str:
    if (await node.read("sys/mounts/kv")).status != 200:
        await node.ok("sys/mounts/kv", {"type": "kv"})
    await node.ok(path, {"secret": "the answer"})
    response = await node.read(path, wrap_ttl=60)
    assert response.wrap_info is not None
    token: str = response.wrap_info["token"]
    return token


@with_node
async def test_26_of_1000_who_unwrap_at_once_one_is_given_the_answer(node: NodeUnderTest) -> None:
    token = await _wrapped(node)
    second = await node.another()
    answers = await asyncio.gather(
        *(
            (node, second)[number % 2].write("sys/wrapping/unwrap", token=token)
            if number % 3
            else (node, second)[number % 2].write("sys/wrapping/unwrap", {"token": token})
            for number in range(PARALLEL)
        )
    )
    statuses = Counter(answer.status for answer in answers)
    assert statuses[200] == 1
    assert statuses[400] + statuses[403] == PARALLEL - 1
    [given] = [answer for answer in answers if answer.status == 200]
    assert b"the answer" in bytes(given.data)


@with_node
async def test_26_unwrapping_and_rewrapping_at_once_leave_one_answer(node: NodeUnderTest) -> None:
    token = await _wrapped(node)
    paths = ["sys/wrapping/unwrap", "sys/wrapping/rewrap"] * 100
    answers = await asyncio.gather(*(node.write(path, {"token": token}) for path in paths))
    given = [answer for answer in answers if answer.status == 200]
    assert len(given) == 1
    if given[0].wrap_info is not None:
        again = {"token": given[0].wrap_info["token"]}
        assert (await node.write("sys/wrapping/unwrap", again)).status == 200
        assert errors(await node.write("sys/wrapping/unwrap", again)) == GONE


@with_node
async def test_26_whoever_unwraps_can_see_where_the_answer_came_from(node: NodeUnderTest) -> None:
    """An answer that somebody else wrapped in its place says so, also after having been rewrapped."""
    expected, forged = await _wrapped(node), await _wrapped(node, "kv/forged")
    shown = await node.write("sys/wrapping/lookup", {"token": expected}, token="")
    assert shown.data["creation_path"] == "kv/a"
    rewrapped = await node.ok("sys/wrapping/rewrap", {"token": forged})
    assert rewrapped.wrap_info is not None
    assert rewrapped.wrap_info["creation_path"] == "kv/forged"
    token = rewrapped.wrap_info["token"]
    shown = await node.write("sys/wrapping/lookup", {"token": token}, token="")
    assert shown.data["creation_path"] == "kv/forged"
    wrapped = await node.write("sys/wrapping/wrap", {"secret": "the answer"}, wrap_ttl=60)
    assert wrapped.wrap_info is not None
    own = wrapped.wrap_info["token"]
    shown = await node.write("sys/wrapping/lookup", {"token": own}, token="")
    assert shown.data["creation_path"] == "sys/wrapping/wrap"
