"""A decision is never based on something that is not true any more when it takes effect, though the
request had to wait in between: for its body, for a password, for an audit device."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.node import NodeUnderTest, with_node
from tests.unit.core.numbers import NUMBER, put
from wardgate.core.operation import Operation
from wardgate.core.request import Request
from wardgate.core.storage import Storage, Transaction
from wardgate.store.interface import Conflict
from wardgate.store.memory import MemoryStore

READ_A = 'path "cubbyhole/a" { capabilities = ["create", "update", "read"] }'


def test_a_record_that_changes_between_two_looks_ends_the_transaction() -> None:
    async def run() -> None:
        storage = Storage(MemoryStore())
        transaction = await storage.begin()
        assert await transaction.get("a", NUMBER) is None
        await put(storage, "a", 1)
        await storage.begin()
        with pytest.raises(Conflict):
            await transaction.get("a", NUMBER)

    asyncio.run(run())


def test_work_that_met_a_change_is_done_again() -> None:
    async def run() -> None:
        storage = Storage(MemoryStore())
        begun: list[int | None] = []
        ended: list[int | None] = []

        async def work(transaction: Transaction) -> None:
            first = await transaction.get("a", NUMBER)
            begun.append(first)
            if len(begun) == 1:
                await put(storage, "a", 1)
                await storage.begin()
            second = await transaction.get("a", NUMBER)
            ended.append(second)
            transaction.put("b", 1, NUMBER)

        await storage.transact(work)
        assert (begun, ended) == ([None, 1], [1])

    asyncio.run(run())


async def sent_before(node: NodeUnderTest, seconds: float, token: str) -> int:
    """The status of a write whose body takes so long to arrive."""
    request = Request(
        Operation.UPDATE,
        "cubbyhole/a",
        id="",
        time=node.clock.now(),
        body={"a": 1},
        client_token=token,
    )
    node.clock.advance(seconds)
    return (await node.node.pipeline.handle(request)).status


@with_node
async def test_a_token_that_ends_while_the_body_arrives_is_none(node: NodeUnderTest) -> None:
    await node.ok("sys/policies/acl/p", {"policy": READ_A})
    for kind in ("service", "batch"):
        token = (await node.token(policies=["p"], type=kind, ttl="60s"))["client_token"]
        assert await sent_before(node, 30, token) == (204 if kind == "service" else 400)
        assert await sent_before(node, 31, token) == 403


@with_node
async def test_a_policy_that_ends_while_the_body_arrives_gives_nothing(
    node: NodeUnderTest,
) -> None:
    await node.ok("sys/policies/acl/p", {"policy": READ_A, "ttl": "60s"})
    token = (await node.token(policies=["p"], no_default_policy=True, ttl="1h"))["client_token"]
    assert await sent_before(node, 30, token) == 204
    assert await sent_before(node, 31, token) == 403


@pytest.mark.parametrize("kind", ["batch", "service"])
@pytest.mark.parametrize("change", ["delete", "password"])
def test_a_login_whose_user_changes_meanwhile_gives_no_token(
    kind: str, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch token writes nothing, so no commit finds it out."""

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.user(token_type=kind)
        assert (await node.login()).auth is not None  # makes the entity, so that the next need not
        other = await node.another()
        done: list[str] = []
        once = Request.once

        async def and_meanwhile(
            self: Request, name: str, work: Callable[[], Awaitable[Any]]
        ) -> Any:
            result = await once(self, name, work)
            if name.startswith("bcrypt") and not done:
                done.append(name)
                if change == "delete":
                    await other.delete("auth/userpass/users/ada")
                else:
                    await other.ok("auth/userpass/users/ada/password", {"password": "another"})
            return result

        monkeypatch.setattr(Request, "once", and_meanwhile)
        response = await node.login()
        assert done
        assert response.status == 400
        assert response.auth is None

    body()


@with_node
async def test_users_with_the_same_policies_have_the_same_rights_in_memory(
    node: NodeUnderTest,
) -> None:
    await node.ok("sys/policies/acl/p", {"policy": READ_A})
    own = 'path "cubbyhole/{{identity.entity.name}}" { capabilities = ["read"] }'
    await node.ok("sys/policies/acl/own", {"policy": own})

    async def rights(*names: str) -> int:
        """How many different rights three users with these policies have."""
        node.core.forget()
        acls = []
        for number in range(3):
            name = f"{'-'.join(names)}-{number}"
            await node.user(name, token_policies=[*names], token_no_default_policy=True)
            auth = (await node.login(name)).auth
            assert auth is not None
            await node.read("cubbyhole/a", token=auth["client_token"])
        for caller in node.core.callers._seen.values():
            if caller.token.entity_id:
                acls.append(id(caller.acl))
        return len(set(acls))

    assert await rights("p") == 1
    assert await rights("p", "own") == 3


@with_node
async def test_rights_kept_in_memory_are_bounded_by_their_rules(node: NodeUnderTest) -> None:
    rules = "\n".join(
        f'path "cubbyhole/{{{{identity.entity.name}}}}/{n}" {{ capabilities = ["read"] }}'
        for n in range(40)
    )
    await node.ok("sys/policies/acl/own", {"policy": rules})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wardgate.core.bounded.MOST_RULES", 100)
        for number in range(12):
            await node.user(f"u{number}", token_policies=["own"])
            auth = (await node.login(f"u{number}")).auth
            assert auth is not None
            await node.read("cubbyhole/a", token=auth["client_token"])
            kept = {id(each.acl): each.acl.size for each in node.core.policies._compiled.values()}
            seen = {id(each.acl): each.acl.size for each in node.core.callers._seen.values()}
            assert sum(kept.values()) <= 100 + 100
            assert sum(seen.values()) <= 100 + 100


@pytest.mark.parametrize("known", [True, False], ids=["seen before", "new here"])
@pytest.mark.parametrize("change", ["token", "policy"])
def test_a_read_that_waits_for_the_storage_is_decided_by_what_is_true_afterwards(
    known: bool, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes nothing, so that no commit would find out."""

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.ok(
            "sys/policies/acl/p", {"policy": READ_A + '\npath "kv/*" { capabilities = ["read"] }'}
        )
        await node.ok("sys/mounts/kv", {"type": "kv"})
        await node.ok("kv/secret", {"a": "b"})
        await node.ok("kv/other", {"a": "b"})
        token = (await node.token(policies=["p"], no_default_policy=True))["client_token"]
        other = await node.another()
        if known:
            assert (await other.read("kv/other", token=token)).status == 200
        done: list[str] = []
        get = MemoryStore.get

        async def slow(store: MemoryStore, key: str) -> Any:
            found = await get(store, key)
            if key.endswith("/secret") and not done:
                done.append(key)
                if change == "token":
                    await node.ok("auth/token/revoke", {"token": token})
                else:
                    await node.ok("sys/policies/acl/p", {"policy": READ_A})
            return found

        monkeypatch.setattr(MemoryStore, "get", slow)
        assert (await other.read("kv/secret", token=token)).status == 403
        assert done

    body()
