"""Ids of tokens begin with their time, and so do the names that they are stored under."""

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.node import NodeUnderTest, with_node
from wardgate.core.ids import TIME_LENGTH, ordered_base62
from wardgate.core.records import BytesCodec
from wardgate.core.storage import Transaction
from wardgate.core.tokens.record import ACCESSOR, TOKEN, AccessorIndex
from wardgate.core.tokens.store import ACCESSORS, RECORDS

TIMES = st.integers(0, 60**8)  # milliseconds


@given(TIMES, TIMES)
def test_they_sort_by_time(one: int, other: int) -> None:
    first, second = (ordered_base62(ms / 1000, 24)[:TIME_LENGTH] for ms in sorted((one, other)))
    assert first <= second


def test_what_follows_the_time_is_random() -> None:
    made = {ordered_base62(1_700_000_000, 24)[TIME_LENGTH:] for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch("[0-9A-Za-z]{24}", each) for each in made)


@with_node
async def test_tokens_that_are_made_one_after_the_other_lie_together(node: NodeUnderTest) -> None:
    for _ in range(20):
        await node.token(policies=["default"])
        node.clock.advance(1)
    order = []
    for place in ("token/id/", "token/accessor/", "lease/id/auth/token/create/"):
        names = [name.removeprefix("h") for name in await node.store.list(place)]
        order.append([name[:TIME_LENGTH] for name in names if len(name) == TIME_LENGTH + 40])
    assert order[0][-20:] == order[1][-20:] == order[2] == sorted(set(order[2]))


@with_node
async def test_tokens_of_older_versions_are_found_and_leave_nothing(node: NodeUnderTest) -> None:
    """Their ids and accessors have no time, and so no more have their names."""
    before = set(await node.keys_below(""))
    made = await node.token(policies=["default"], period="1h")
    token_id, accessor = "s." + "a" * 24, "b" * 24

    async def age(transaction: Transaction) -> None:
        tokens = node.core.tokens
        found = await tokens.find(transaction, made["client_token"], node.clock.now())
        assert found is not None
        await tokens.revoke(transaction, found.name)
        token = msgspec.structs.replace(found.token, accessor=accessor)
        name = await tokens.hashed(transaction, token_id)
        transaction.put(RECORDS + name, token, TOKEN)
        place = ACCESSORS + await tokens.hashed(transaction, accessor)
        transaction.put(place, AccessorIndex(accessor, name), ACCESSOR)
        transaction.put(f"lease/id/auth/token/create/h{name}", b"", BytesCodec())

    await node.core.storage.transact(age)
    assert (await node.read("auth/token/lookup-self", token=token_id)).data["accessor"] == accessor
    assert (await node.ok("auth/token/lookup-accessor", {"accessor": accessor})).status == 200
    leases = (await node.listing("sys/leases/lookup/auth/token/create")).data["keys"]
    assert len(leases) == 1
    await node.ok("sys/leases/revoke", {"lease_id": f"auth/token/create/{leases[0]}"})
    assert (await node.read("auth/token/lookup-self", token=token_id)).status == 403
    await node.sweep()
    assert set(await node.keys_below("")) == before
