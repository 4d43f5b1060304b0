"""A fault in each single storage call of a request gives an error, and nothing half done.

(Security case 54.) Each request is sent once for every call that it makes to the store, with that
call failing; then once more without a fault, which must succeed: the failures left nothing behind.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from tests.authenticator import Authenticator, b64
from tests.faults.failing_store import FailingStore
from tests.leased import Outside
from tests.node import ROOT_TOKEN, NodeUnderTest
from tests.passkeys import Passkeys
from tests.roles import MOUNT, log_in, role, secret_id
from wardgate.core.request import Response
from wardgate.errors import Unavailable

Act = Callable[[NodeUnderTest], Awaitable[Response]]
Prepare = Callable[[NodeUnderTest], Awaitable[Act]]

HOUR = 3600
LONG = 40 * 24 * 3600  # seconds; everything that ends has ended by then
MOST_CALLS = 200  # far more than any of these requests makes


async def _login(node: NodeUnderTest) -> Act:
    await node.user()
    return lambda node: node.login()


async def _second_login(node: NodeUnderTest) -> Act:
    await node.user()
    await node.login()
    return lambda node: node.login()


async def _create_token(node: NodeUnderTest) -> Act:
    parent = (await node.token(policies=["root"], ttl="1h"))["client_token"]
    return lambda node: node.write("auth/token/create", {"ttl": "5m"}, token=parent)


async def _renewal(node: NodeUnderTest) -> Act:
    await node.user(token_ttl="1h")
    auth = (await node.login()).auth
    assert auth is not None
    node.clock.advance(60)
    return lambda node: node.write("auth/token/renew-self", token=auth["client_token"])


async def _revocation(node: NodeUnderTest) -> Act:
    token = (await node.token(ttl="1h"))["client_token"]
    await node.write("auth/token/create", {"ttl": "5m"}, token=token)
    return lambda node: node.write("auth/token/revoke", {"token": token})


async def _revocation_of_itself(node: NodeUnderTest) -> Act:
    token = (await node.token(ttl="1h"))["client_token"]
    return lambda node: node.write("auth/token/revoke-self", token=token)


async def _last_use(node: NodeUnderTest) -> Act:
    token = (await node.token(num_uses=1))["client_token"]
    return lambda node: node.read("auth/token/lookup-self", token=token)


async def _mount(node: NodeUnderTest) -> Act:
    return lambda node: node.write("sys/mounts/more", {"type": "kv", "options": {"version": "2"}})


async def _tune(node: NodeUnderTest) -> Act:
    await node.ok("sys/mounts/more", {"type": "kv"})
    return lambda node: node.write("sys/mounts/more/tune", {"default_lease_ttl": "1h"})


async def _unmount(node: NodeUnderTest) -> Act:
    await node.ok("sys/mounts/more", {"type": "kv"})
    await node.ok("more/a/b", {"x": "y"})
    return lambda node: node.delete("sys/mounts/more")


async def _move(node: NodeUnderTest) -> Act:
    await node.ok("sys/mounts/more", {"type": "kv"})
    return lambda node: node.write("sys/remount", {"from": "more", "to": "other"})


async def _disable_auth(node: NodeUnderTest) -> Act:
    await node.user()
    await node.login()
    return lambda node: node.delete("sys/auth/userpass")


async def _wrapped(node: NodeUnderTest) -> Act:
    return lambda node: node.write("sys/wrapping/wrap", {"a": "b"}, wrap_ttl=60)


async def _unwrapped(node: NodeUnderTest) -> Act:
    wrapped = await node.write("sys/wrapping/wrap", {"a": "b"}, wrap_ttl=60)
    assert wrapped.wrap_info is not None
    token = wrapped.wrap_info["token"]
    return lambda node: node.write("sys/wrapping/unwrap", token=token)


async def _leased(node: NodeUnderTest) -> str:
    await node.ok("sys/mounts/leased", {"type": "leased"})
    await node.ok("leased/roles/hour", {"ttl": "1h", "max_ttl": "3h"})
    lease_id: str = (await node.read("leased/creds/hour")).lease_id
    return lease_id


async def _lease_renewal(node: NodeUnderTest) -> Act:
    lease = {"lease_id": await _leased(node)}
    node.clock.advance(600)
    return lambda node: node.write("sys/leases/renew", lease)


async def _lease_revocation(node: NodeUnderTest) -> Act:
    lease = {"lease_id": await _leased(node)}
    return lambda node: node.write("sys/leases/revoke", lease)


async def _lease_prefix(node: NodeUnderTest) -> Act:
    await _leased(node)
    return lambda node: node.write("sys/leases/revoke-prefix/leased")


async def _unmount_with_leases(node: NodeUnderTest) -> Act:
    await _leased(node)
    return lambda node: node.delete("sys/mounts/leased")


async def _login_with_groups(node: NodeUnderTest) -> Act:
    await node.user()
    login = await node.login()
    assert login.auth is not None
    group = {"name": "team", "member_entity_ids": [login.auth["entity_id"]], "policies": ["p"]}
    await node.ok("identity/group", group)
    return lambda node: node.login()


async def _secret_id(node: NodeUnderTest) -> Act:
    await role(node)
    return lambda node: node.write(f"{MOUNT}/role/ci/secret-id", {"ttl": "1h"})


async def _last_login_with_a_secret_id(node: NodeUnderTest) -> Act:
    role_id = await role(node)
    secret = await secret_id(node, num_uses=1, ttl="1h")
    return lambda node: log_in(node, role_id, secret)


async def _new_role_id(node: NodeUnderTest) -> Act:
    await role(node)
    return lambda node: node.write(f"{MOUNT}/role/ci", {"role_id": "chosen"})


async def _role_deletion(node: NodeUnderTest) -> Act:
    await role(node)
    await secret_id(node, ttl="1h")
    await secret_id(node)
    return lambda node: node.delete(f"{MOUNT}/role/ci")


async def _entity(node: NodeUnderTest) -> Act:
    return lambda node: node.write("identity/entity", {"name": "ada", "policies": ["p"]})


async def _merge(node: NodeUnderTest) -> Act:
    ids = [
        (await node.ok("identity/entity", {"name": name})).data["id"] for name in ("one", "other")
    ]
    body = {"from_entity_ids": ids[1:], "to_entity_id": ids[0]}
    return lambda node: node.write("identity/entity/merge", body)


async def _quota(node: NodeUnderTest) -> Act:
    return lambda node: node.write("sys/quotas/rate-limit/all", {"rate": 1000})


async def _passkey_by_code(node: NodeUnderTest) -> Act:
    people, browser = await Passkeys.enabled(node), Authenticator()
    await people.user()
    code = {"username": "ada", "enrolment_code": await people.code()}
    made = browser.create(await people.begin("register", code))
    body = {"username": "ada", "credential": made}
    return lambda node: Passkeys(node).send("register/finish", body)


async def _passkey_of_a_new_user(node: NodeUnderTest) -> Act:
    people, browser = await Passkeys.enabled(node), Authenticator()
    made = browser.create(await people.begin("register", {"username": "ada"}))
    body = {"username": "ada", "credential": made}
    return lambda node: Passkeys(node).send("register/finish", body)


async def _passkey_removal(node: NodeUnderTest) -> Act:
    key = await (await Passkeys.enabled(node)).enrol(Authenticator())
    return lambda node: node.delete(f"auth/webauthn/user/ada/credential/{b64(key.id)}")


async def _passkey_user_deletion(node: NodeUnderTest) -> Act:
    await (await Passkeys.enabled(node)).enrol(Authenticator())
    return lambda node: node.delete("auth/webauthn/user/ada")


REQUESTS: list[Prepare] = [
    _passkey_by_code,
    _passkey_of_a_new_user,
    _passkey_removal,
    _passkey_user_deletion,
    _lease_renewal,
    _unmount_with_leases,
    _login_with_groups,
    _entity,
    _merge,
    _quota,
    _secret_id,
    _last_login_with_a_secret_id,
    _new_role_id,
    _role_deletion,
    _login,
    _second_login,
    _create_token,
    _renewal,
    _revocation,
    _revocation_of_itself,
    _last_use,
    _mount,
    _tune,
    _unmount,
    _move,
    _disable_auth,
    _wrapped,
    _unwrapped,
]


GO_ON: list[Prepare] = [_lease_revocation, _lease_prefix]
"""Requests that note what is to be done, and begin with it when that is committed."""


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("prepare", REQUESTS, ids=lambda prepare: prepare.__name__.strip("_"))
def test_54_a_fault_at_any_storage_call_is_an_error_and_changes_nothing(
    prepare: Prepare, warm: bool
) -> None:
    async def run() -> None:
        store = FailingStore()
        node = await NodeUnderTest.start(store, more_engines={"leased": Outside().engine})
        act = await prepare(node)
        before = store.content()
        for fatal in range(1, MOST_CALLS):
            if not warm:
                node.core.forget()
            store.arm(fatal)
            response = await act(node)
            failed = store.failed
            store.arm(0)
            if not failed:
                break
            assert response.status == 503, f"storage call {fatal}: {response.status}"
            assert store.content() == before, f"storage call {fatal} left something"
        else:
            pytest.fail("the request makes more storage calls than expected")
        assert fatal > 2
        assert response.status < 300, response.data
        assert store.content() != before
        assert await node.lives(ROOT_TOKEN)
        await node.node.stop()

    asyncio.run(run())


@pytest.mark.parametrize(
    "prepare", [*REQUESTS, *GO_ON], ids=lambda prepare: prepare.__name__.strip("_")
)
def test_54_a_fault_at_any_storage_call_of_the_sweeper_is_made_up_for(prepare: Prepare) -> None:
    """What a request left to be cleared away ends as if no fault had been."""

    async def left(fatal: int) -> tuple[Counter[str], bool]:
        store = FailingStore()
        node = await NodeUnderTest.start(store, more_engines={"leased": Outside().engine})
        await (await prepare(node))(node)
        node.clock.advance(LONG)
        store.arm(fatal)
        with contextlib.suppress(Unavailable):
            await node.sweep()
        failed = store.failed
        store.arm(0)
        await node.sweep()
        node.clock.advance(HOUR)  # what failed outside is tried again after a while
        await node.sweep()
        kinds = Counter(key.partition("/")[0] for key in await node.keys_below(""))
        await node.node.stop()
        return kinds, failed

    async def run() -> None:
        whole, _ = await left(0)
        assert "job" not in whole
        for fatal in range(1, MOST_CALLS):
            found, failed = await left(fatal)
            assert found == whole, f"storage call {fatal} of the sweeper"
            if not failed:
                return
        pytest.fail("the sweeper makes more storage calls than expected")

    asyncio.run(run())
