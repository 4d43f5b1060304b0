"""Parents, children and orphans: who dies with whom, at once and after the sweep."""

from tests.families import child as _child
from tests.families import parent as _parent
from tests.families import revoke as _revoke
from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.records import BytesCodec
from wardgate.core.storage import Transaction

HOUR = 3600


@with_node
async def test_a_revoked_token_takes_its_descendants_along_at_once(node: NodeUnderTest) -> None:
    parent = await _parent(node)
    child = await _child(node, parent, policies=["root"])
    grandchild = await _child(node, child)
    batch = await _child(node, child, type="batch")
    stranger = await _child(node, parent, no_parent=True)
    await _revoke(node, parent)
    assert [await node.lives(token) for token in (parent, child, grandchild, batch)] == [False] * 4
    assert await node.lives(stranger)


@with_node
async def test_an_expired_token_takes_its_descendants_along_at_once(node: NodeUnderTest) -> None:
    parent = await _parent(node)
    child = await _child(node, parent, policies=["root"])
    grandchild = await _child(node, child)
    node.clock.advance(HOUR - 1)
    assert await node.lives(grandchild)
    node.clock.advance(1)
    assert [await node.lives(token) for token in (parent, child, grandchild)] == [False] * 3


@with_node
async def test_the_sweep_leaves_nothing_of_1000_descendants(node: NodeUnderTest) -> None:
    before = len(await node.keys_below("token/"))
    parent = await _parent(node)
    children = [await _child(node, parent, policies=["root"]) for _ in range(10)]
    for child in children:
        for number in range(99):
            token = await _child(node, child)
            if number == 0:
                await node.write("cubbyhole/deep/er", {"a": "b"}, token=token)
    assert len(await node.keys_below("token/id/")) == 1002
    await _revoke(node, parent)
    assert not await node.lives(children[0])
    await node.sweep()
    assert len(await node.keys_below("token/")) == before
    assert await node.keys_below("cubbyhole/") == []
    assert await node.keys_below("job/") == []


@with_node
async def test_a_sweep_that_stopped_half_way_is_finished_by_another_node(
    node: NodeUnderTest,
) -> None:
    parent = await _parent(node)
    for _ in range(150):
        await _child(node, parent)
    await _revoke(node, parent)
    await node.core.sweeper.round()  # and here the process dies
    assert await node.keys_below("job/") != []
    other = await node.another()
    await other.sweep()
    assert len(await node.keys_below("token/id/")) == 1
    assert await node.keys_below("job/") == []


@with_node
async def test_revoke_orphan_leaves_the_children_as_orphans(node: NodeUnderTest) -> None:
    parent = await _parent(node)
    child = await _child(node, parent, policies=["root"])
    grandchild = await _child(node, child)
    await node.ok("auth/token/revoke-orphan", {"token": parent})
    for swept in (False, True):
        assert not await node.lives(parent), swept
        looked = await node.read("auth/token/lookup-self", token=child)
        assert looked.data["orphan"], swept
        looked = await node.read("auth/token/lookup-self", token=grandchild)
        assert not looked.data["orphan"], swept
        await node.sweep()
    node.clock.advance(2 * HOUR)
    assert await node.lives(child)
    await _revoke(node, child)
    assert not await node.lives(grandchild)


@with_node
async def test_revoking_again_does_not_kill_the_orphans(node: NodeUnderTest) -> None:
    parent = await _parent(node)
    child = await _child(node, parent)
    await node.ok("auth/token/revoke-orphan", {"token": parent})
    await _revoke(node, parent)
    assert await node.lives(child)
    await node.sweep()
    assert await node.lives(child)


@with_node
async def test_batch_tokens_die_with_a_parent_that_is_revoked_as_orphan(
    node: NodeUnderTest,
) -> None:
    parent = await _parent(node)
    await _child(node, parent)
    batch = await _child(node, parent, type="batch")
    assert await node.lives(batch)
    await node.ok("auth/token/revoke-orphan", {"token": parent})
    assert not await node.lives(batch)


@with_node
async def test_the_dead_are_not_brought_back_by_revoke_orphan(node: NodeUnderTest) -> None:
    """Neither the children of an expired token nor those of one whose parent was revoked."""
    expired = await _parent(node)
    child = await _child(node, expired)
    node.clock.advance(HOUR)
    top = await _parent(node)
    revoked = await _child(node, top, policies=["root"])
    grandchild = await _child(node, revoked)
    await _revoke(node, top)
    for dead in (expired, revoked, "s.never-was"):
        response = await node.write("auth/token/revoke-orphan", {"token": dead})
        assert errors(response) == ["token to revoke not found"]
    assert not await node.lives(child)
    assert not await node.lives(grandchild)
    await node.sweep()
    assert len(await node.keys_below("token/id/")) == 1


@with_node
async def test_a_child_made_an_orphan_can_be_renewed_before_the_sweep(node: NodeUnderTest) -> None:
    parent = await _parent(node)
    child = await _child(node, parent)
    await node.ok("auth/token/revoke-orphan", {"token": parent})
    await node.ok("auth/token/renew-self", {}, token=child)
    await node.sweep()
    assert await node.lives(child)
    assert await node.keys_below("token/child/") == []


@with_node
async def test_a_batch_token_can_neither_be_revoked_nor_renewed(node: NodeUnderTest) -> None:
    batch = await _child(node, "root", type="batch")
    for action in ("revoke", "revoke-orphan", "renew"):
        assert "batch" in errors(await node.write(f"auth/token/{action}", {"token": batch}))[0]
    for action in ("revoke-self", "renew-self"):
        assert "batch" in errors(await node.write(f"auth/token/{action}", {}, token=batch))[0]
    assert await node.lives(batch)


@with_node
async def test_a_new_token_with_an_old_id_does_not_bring_back_the_old_ones_children(
    node: NodeUnderTest,
) -> None:
    await _parent(node, id="chosen")
    child, batch = await _child(node, "chosen"), await _child(node, "chosen", type="batch")
    await node.ok("cubbyhole/old", {"a": "b"}, token="chosen")
    await _revoke(node, "chosen")
    again = {"id": "chosen", "policies": ["root"], "ttl": "1h"}
    assert "try again" in errors(await node.write("auth/token/create", again))[0]
    await node.sweep()
    await _parent(node, id="chosen")
    assert not await node.lives(child)
    assert not await node.lives(batch)
    assert (await node.read("cubbyhole/old", token="chosen")).status == 404
    new = await _child(node, "chosen")
    await node.sweep()
    assert await node.lives(new)


@with_node
async def test_an_id_in_use_cannot_be_chosen(node: NodeUnderTest) -> None:
    await _parent(node, id="chosen")
    again = await node.write("auth/token/create", {"id": "chosen"})
    assert "duplicate ID" in errors(again)[0]
    for wrong in ("s.chosen", "b.chosen", "x.y", "x" * 2000):
        message = errors(await node.write("auth/token/create", {"id": wrong}))[0]
        assert message.startswith("custom token ID")
        assert wrong not in message


async def _as_older_versions_had_it(node: NodeUnderTest) -> None:
    """Call the entries of children by the names of the tokens alone."""

    async def rename(transaction: Transaction) -> None:
        for key in await node.keys_below("token/child/"):
            folder, _, entry = key.rpartition("/")
            transaction.delete(key)
            transaction.put(f"{folder}/{entry.partition('-')[2]}", b"", BytesCodec())

    await node.core.storage.transact(rename)


@with_node
async def test_children_that_an_older_version_made_end_with_their_parent(
    node: NodeUnderTest,
) -> None:
    before = await node.keys_below("token/")
    parent = await _parent(node)
    await _child(node, await _child(node, parent, policies=["root"]))
    await _as_older_versions_had_it(node)
    await _child(node, parent)
    assert len(await node.keys_below("token/child/")) == 4  # with that of the parent itself
    await _revoke(node, parent)
    await node.sweep()
    assert await node.keys_below("token/") == before


@with_node
async def test_children_that_an_older_version_made_become_orphans_and_end_alone(
    node: NodeUnderTest,
) -> None:
    parent = await _parent(node)
    child, other = await _child(node, parent), await _child(node, parent)
    await _as_older_versions_had_it(node)
    await _revoke(node, other)
    assert len(await node.keys_below("token/child/")) == 2
    await node.ok("auth/token/revoke-orphan", {"token": parent})
    await node.sweep()
    assert await node.keys_below("token/child/") == []
    assert await node.lives(child)


@with_node
async def test_children_are_kept_in_the_order_in_which_they_were_made(node: NodeUnderTest) -> None:
    parent = await _parent(node)
    others, names = await node.keys_below("token/child/"), []
    for _ in range(20):
        before = set(await node.keys_below("token/id/"))
        await _child(node, parent)
        made = set(await node.keys_below("token/id/")) - before
        names += [key.rpartition("/")[2] for key in made]
        node.clock.advance(1)
    entries = [key for key in await node.keys_below("token/child/") if key not in others]
    assert [entry.rpartition("-")[2] for entry in entries] == names
