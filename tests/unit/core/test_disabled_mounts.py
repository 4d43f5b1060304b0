"""A mount that is taken away: its data and its tokens end at once, its bytes are swept away."""

import pytest

from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.identity import Alias, entity_by_id, entity_for_login
from wardgate.core.identity.entities import put_alias
from wardgate.core.mounts import Mount
from wardgate.core.storage import Transaction


async def _token_of_login(node: NodeUnderTest) -> str:
    await node.policy("maker", {"auth/token/create": "update", "kv/*": "create,update,read"})
    await node.user(token_policies="maker")
    login = await node.login()
    assert login.auth is not None
    token: str = login.auth["client_token"]
    return token


@with_node
async def test_tokens_end_with_their_auth_mount_and_so_do_their_children(
    node: NodeUnderTest,
) -> None:
    token = await _token_of_login(node)
    child = await node.token(by=token)
    batch = await node.token(by=token, type="batch")
    tokens = [token, child["client_token"], batch["client_token"]]
    assert [await node.lives(each) for each in tokens] == [True] * 3
    await node.delete("sys/auth/userpass")
    assert [await node.lives(each) for each in tokens] == [False] * 3
    await node.ok("sys/auth/userpass", {"type": "userpass"})
    assert [await node.lives(each) for each in tokens] == [False] * 3


@with_node
async def test_no_endpoint_knows_the_tokens_of_a_mount_that_is_gone(node: NodeUnderTest) -> None:
    await node.user()
    login = await node.login()
    assert login.auth is not None
    token, accessor = login.auth["client_token"], login.auth["accessor"]
    await node.delete("sys/auth/userpass")
    expected = {
        "auth/token/lookup": ["bad token"],
        "auth/token/renew": ["token not found"],
        "sys/capabilities": ["invalid token"],
    }
    for path, message in expected.items():
        response = await node.write(path, {"token": token, "paths": "sys/mounts"})
        assert errors(response) == message
    for path in ("lookup-accessor", "renew-accessor"):
        response = await node.write(f"auth/token/{path}", {"accessor": accessor})
        assert errors(response) == ["invalid accessor"]
    node.clock.advance(33 * 86_400)
    await node.sweep()
    assert len(await node.keys_below("token/id/")) == 1


@with_node
async def test_a_login_at_a_mount_that_is_gone_is_refused_like_any_unknown_path(
    node: NodeUnderTest,
) -> None:
    await node.user()
    await node.delete("sys/auth/userpass")
    gone = await node.login()
    unknown = await node.write("auth/never/login/ada", {"password": "x"}, token="")
    assert (
        (gone.status, gone.data)
        == (unknown.status, unknown.data)
        == (
            403,
            {"errors": ["permission denied"]},
        )
    )


@with_node
async def test_what_was_stored_is_out_of_reach_at_once_also_for_a_new_mount(
    node: NodeUnderTest,
) -> None:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    await node.ok("kv/a/b", {"x": "y"})
    await node.delete("sys/mounts/kv")
    assert (await node.read("kv/a/b")).status == 404
    await node.ok("sys/mounts/kv", {"type": "kv"})
    assert (await node.read("kv/a/b")).status == 404
    assert (await node.listing("kv/")).status == 404


@pytest.mark.parametrize("rounds_before_the_crash", [0, 1, 3])
def test_the_sweeper_removes_all_that_was_stored(rounds_before_the_crash: int) -> None:
    """Also when the process that began died, and another one goes on."""

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.ok("sys/mounts/kv", {"type": "kv"})
        await node.ok("sys/mounts/stays", {"type": "kv"})
        for number in range(120):
            await node.ok(f"kv/flat{number}", {"x": "y"})
            await node.ok(f"kv/deep/{number}/a/b", {"x": "y"})
        await node.ok("stays/a/b", {"x": "y"})
        assert len(await node.keys_below("mount/")) == 241
        await node.delete("sys/mounts/kv")
        for _ in range(rounds_before_the_crash):
            await node.core.sweeper.round()
        other = await node.another()
        await other.sweep()
        assert len(await node.keys_below("mount/")) == 1
        assert await node.keys_below("job/") == []
        assert (await other.read("stays/a/b")).status == 200

    body()


async def _log_in_often(node: NodeUnderTest, path: str, times: int) -> Mount:
    """What `times` different people leave behind who logged in at `path`."""

    async def work(transaction: Transaction) -> Mount:
        mount = (await node.core.mounts.table(transaction)).by_path[path]
        for number in range(times):
            await entity_for_login(transaction, mount, f"user{number}", {}, node.clock.now())
        return mount

    return await node.core.storage.transact(work)


@pytest.mark.parametrize("rounds_before_the_crash", [0, 1, 2, 3])
def test_the_sweeper_removes_who_logged_in_there(rounds_before_the_crash: int) -> None:
    """And nobody else, also when the process that began died, and another one goes on."""

    @with_node
    async def body(node: NodeUnderTest) -> None:
        for path in ("gone", "stays"):
            await node.ok(f"sys/auth/{path}", {"type": "userpass"})
        await _log_in_often(node, "auth/gone/", 250)
        await _log_in_often(node, "auth/stays/", 3)
        kept = 3
        # each has a record, a name, an alias, and the alias's id
        assert len(await node.keys_below("identity/")) == 4 * (250 + kept)
        await node.delete("sys/auth/gone")
        for _ in range(rounds_before_the_crash):
            before = len(await node.keys_below("identity/entity/"))
            await node.core.sweeper.round()
            assert before - len(await node.keys_below("identity/entity/")) <= 100
        other = await node.another()
        await other.sweep()
        assert len(await node.keys_below("identity/entity/")) == kept
        assert len(await node.keys_below("identity/")) == 4 * kept
        assert await node.keys_below("job/") == []

    body()


@with_node
async def test_an_entity_with_an_alias_elsewhere_loses_only_the_one_that_is_gone(
    node: NodeUnderTest,
) -> None:
    for path in ("gone", "stays"):
        await node.ok(f"sys/auth/{path}", {"type": "userpass"})
    gone = await _log_in_often(node, "auth/gone/", 1)
    stays = await _log_in_often(node, "auth/stays/", 0)

    async def join(transaction: Transaction) -> str:
        entity = await entity_for_login(transaction, gone, "user0", {}, 0)
        alias = Alias(id="another", name="user0", mount_accessor=stays.accessor)
        return put_alias(transaction, entity, alias).id

    entity_id = await node.core.storage.transact(join)
    await node.delete("sys/auth/gone")
    await node.sweep()
    entity = await entity_by_id(await node.core.storage.begin(), entity_id)
    assert entity is not None
    assert [alias.mount_accessor for alias in entity.aliases] == [stays.accessor]
    assert len(await node.keys_below("identity/alias/")) == 1


@with_node
async def test_remounting_keeps_data_and_tokens(node: NodeUnderTest) -> None:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    token = await _token_of_login(node)
    await node.ok("kv/a", {"x": "y"}, token=token)
    moved = await node.ok("sys/remount", {"from": "kv", "to": "new/place/"})
    await node.ok("sys/remount", {"from": "auth/userpass", "to": "auth/people"})
    assert (await node.read("kv/a")).status == 404
    assert (await node.read("new/place/a")).status == 200
    assert await node.lives(token)
    await node.ok("auth/token/renew-self", {}, token=token)
    again = await node.write("auth/people/login/ada", {"password": "correct horse"}, token="")
    assert again.status == 200
    status = await node.read(f"sys/remount/status/{moved.data['migration_id']}")
    assert status.data["migration_info"] == {
        "source_mount": "kv/",
        "target_mount": "new/place/",
        "status": "success",
    }
    await node.sweep()
    assert (await node.read("new/place/a")).status == 200
