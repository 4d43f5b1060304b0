"""Logins that are refused, wrapped, counted and recorded."""

import asyncio
from pathlib import Path

import pytest

from tests.audit import audited_node, of_path, written
from tests.auth_methods.method import JsonMap, Login, Method
from tests.auth_methods.running import every_method, of_each_method, running, stored, with_method
from tests.faults.failing_store import FailingStore
from tests.node import errors
from wardgate.core.lockout_config import LOCKOUT_KINDS

SENT = "hunter2"
MOST_CALLS = 200  # far more than a login makes


@every_method
async def test_wrong_credentials_are_refused_and_change_nothing(method: Method) -> None:
    await method.write()
    for login in await method.wrong_logins():
        before = stored(method)
        response = await method.send(login)
        assert response.status in (400, 403), login
        assert response.auth is None
        assert stored(method) == before
        for secret in method.secrets():
            assert secret not in str(response.data)


@every_method
async def test_a_login_from_elsewhere_changes_nothing(method: Method) -> None:
    await method.write(token_bound_cidrs="10.0.0.0/8")
    login = await method.login()
    before = stored(method)
    response = await method.send(login)
    assert (response.status, response.auth) == (403, None)
    assert stored(method) == before


@every_method
async def test_nobody_logs_in_as_root(method: Method) -> None:
    for name in ("root", "ROOT", " Root ", "dev,root"):
        await method.write(token_policies=name)
        login = await method.login()
        before = stored(method)
        response = await method.send(login)
        assert (response.status, response.auth) == (400, None)
        assert stored(method) == before


@every_method
async def test_fields_of_the_wrong_kind_are_refused_without_an_echo(method: Method) -> None:
    await method.write()
    login = await method.login()
    for name in login.body:
        for value in (None, "", [SENT], {SENT: SENT}, True, 17, SENT * 5000):
            body: JsonMap = {**login.body, name: value}
            before = stored(method)
            response = await method.send(Login(body, login.path))
            assert response.status in (400, 403), (name, value)
            assert SENT not in str(errors(response))
            assert stored(method) == before
        rest = {other: value for other, value in login.body.items() if other != name}
        assert (await method.send(Login(rest, login.path))).status in (400, 403)


@every_method
async def test_a_login_by_another_method_than_a_write_is_none(method: Method) -> None:
    await method.write()
    login = await method.login()
    path = f"{method.mount}/{login.path}"
    assert (await method.node.read(path, token="")).status in (403, 404, 405)
    assert (await method.node.delete(path, token="")).status in (403, 404, 405)
    assert (await method.node.listing(path, token="")).status in (403, 404, 405)


@every_method
async def test_a_login_is_wrapped_for_one_reader(method: Method) -> None:
    await method.write(token_policies="own")
    response = await method.try_to_log_in(wrap_ttl=60)
    assert response.auth is None
    assert response.wrap_info is not None
    assert response.wrap_info["wrapped_accessor"]
    token = response.wrap_info["token"]
    unwrapped = await method.node.ok("sys/wrapping/unwrap", token=token)
    assert unwrapped.auth is not None
    assert unwrapped.auth["policies"] == ["default", "own"]
    assert await method.node.lives(unwrapped.auth["client_token"])
    assert (await method.node.write("sys/wrapping/unwrap", token=token)).status == 400


@every_method
async def test_a_sealed_server_lets_nobody_in(method: Method) -> None:
    await method.write()
    login = await method.login()
    sealed = await method.node.sealed()
    before = stored(method)
    path = f"{method.mount}/{login.path}"
    response = await sealed.write(path, login.body, token="")
    assert (response.status, response.auth) == (503, None)
    assert stored(method) == before


@every_method
async def test_another_process_lets_the_same_people_in(method: Method) -> None:
    await method.write(token_policies="own")
    login = await method.login()
    first = await method.log_in()
    other = await method.node.another()
    method.beside.push_async_callback(other.core.outgoing.close)
    response = await other.write(f"{method.mount}/{login.path}", login.body, token="")
    assert response.status == 200
    assert response.auth is not None
    assert response.auth["entity_id"] == first["entity_id"]
    assert await method.node.lives(response.auth["client_token"])
    await method.delete()
    refused = await other.write(f"{method.mount}/{login.path}", login.body, token="")
    assert refused.status in (400, 403)


@every_method
async def test_who_guesses_too_often_is_locked_out_where_that_holds(method: Method) -> None:
    await method.write()
    login, wrong = await method.login(), (await method.wrong_logins())[0]
    await method.log_in()
    statuses = [(await method.send(wrong)).status for _ in range(8)]
    locked = method.kind in LOCKOUT_KINDS
    assert statuses[:5] == [statuses[0]] * 5
    assert (statuses[5:] == [403] * 3) is (locked or statuses[0] == 403)
    assert (await method.send(login)).status == (403 if locked else 200)
    for other in await method.other_spellings():
        assert not locked or (await method.send(other)).status != 200
    method.node.clock.advance(900)
    await method.log_in()


@every_method
async def test_a_right_login_begins_a_new_count(method: Method) -> None:
    await method.write()
    wrong = (await method.wrong_logins())[0]
    for _ in range(3):
        for _ in range(4):
            await method.send(wrong)
        await method.log_in()


@every_method
async def test_rate_limits_may_name_the_role_of_a_login_where_logins_have_one(
    method: Method,
) -> None:
    await method.write()
    quota = {"path": method.mount, "role": method.login_role or "any", "rate": 2, "interval": "1h"}
    response = await method.node.write("sys/quotas/rate-limit/role", quota)
    if not method.login_role:
        assert "does not support role-based quotas" in errors(response)[0]
        return
    other = {**quota, "role": f"not-{method.login_role}", "rate": 1}
    assert (await method.node.write("sys/quotas/rate-limit/other", other)).status == 204
    statuses = [(await method.try_to_log_in()).status for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    method.node.clock.advance(3600)
    await method.log_in()


@of_each_method()
def test_audit_records_hold_no_secret(kind: type[Method], tmp_path: Path) -> None:
    log = tmp_path / "audit.log"

    async def run() -> None:
        async with running(kind, await audited_node(log)) as method:
            await method.write(token_policies="own")
            login = await method.login()
            auth = await method.log_in()
            for wrong in await method.wrong_logins():
                await method.send(wrong)
            text = written(log)
            for secret in (*method.secrets(), auth["client_token"]):
                assert secret not in text
            request, response = of_path(log, f"{method.mount}/{login.path}")[:2]
            assert request["type"] == "request"
            assert set(request["request"]["data"]) == set(login.body)
            assert response["auth"]["policies"] == ["default", "own"]
            assert response["auth"]["entity_id"] == auth["entity_id"]
            identity = await method.identity()
            assert response["auth"]["display_name"] == identity.display_name
            assert response["response"]["auth"]["client_token"].startswith("hmac-sha256:")

    asyncio.run(run())


@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
@of_each_method()
def test_a_fault_at_any_storage_call_of_a_login_leaves_nothing(
    kind: type[Method], again: bool
) -> None:
    @with_method(kind)
    async def test(method: Method) -> None:
        store = method.node.store
        assert isinstance(store, FailingStore)
        await method.write()
        if again:
            await method.log_in()
        login = await method.login()
        before = store.content()
        for fatal in range(1, MOST_CALLS):
            store.arm(fatal)
            response = await method.send(login)
            failed = store.failed
            store.arm(0)
            if not failed:
                break
            assert (response.status, response.auth) == (503, None), f"storage call {fatal}"
            assert store.content() == before, f"storage call {fatal} left something"
        else:
            pytest.fail("a login makes more storage calls than expected")
        assert response.status == 200
        assert store.content() != before

    test()


@every_method
async def test_a_login_is_one_commit(method: Method) -> None:
    await method.write()
    await method.log_in()
    login = await method.login()
    before = await method.node.store.revision()
    assert (await method.send(login)).status == 200
    assert await method.node.store.revision() == before + 1
