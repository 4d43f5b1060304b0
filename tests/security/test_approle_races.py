"""Attacks on AppRole by many at once."""

import asyncio
from collections import Counter

import msgspec
import pytest

from tests.node import NodeUnderTest, with_node
from tests.roles import MOUNT, log_in, role, secret_id, stored_secret_ids
from wardgate.core.request import Response

PARALLEL = 200


def _granted(answers: list[Response]) -> list[Response]:
    return [answer for answer in answers if answer.status == 200]


@pytest.mark.parametrize("kind", ["service", "batch"])
@pytest.mark.parametrize("uses", [1, 3])
def test_of_many_logins_at_once_as_many_succeed_as_there_are_uses(uses: int, kind: str) -> None:
    """At two processes, and for tokens that are stored and that are not."""

    @with_node
    async def test(node: NodeUnderTest) -> None:
        role_id = await role(node, token_type=kind)
        secret = await secret_id(node, num_uses=uses, ttl="1h")
        nodes = (node, await node.another())
        answers = await asyncio.gather(
            *(log_in(nodes[number % 2], role_id, secret) for number in range(PARALLEL))
        )
        granted = _granted(answers)
        assert len(granted) == uses
        assert all(answer.auth is None for answer in answers if answer not in granted)
        statuses = Counter(answer.status for answer in answers)
        assert set(statuses) <= {200, 400, 403}
        assert await stored_secret_ids(node) == []
        node.clock.advance(900)
        assert (await log_in(node, role_id, secret)).status == 400
        body = {"secret_id_accessor": secret.accessor}
        path = f"{MOUNT}/role/ci/secret-id-accessor/lookup"
        assert (await node.write(path, body)).status == 404

    test()


@with_node
async def test_of_many_wrapped_logins_at_once_one_is_wrapped(node: NodeUnderTest) -> None:
    role_id = await role(node)
    secret = await secret_id(node, num_uses=1)
    answers = await asyncio.gather(
        *(log_in(node, role_id, secret, wrap_ttl=60) for _ in range(PARALLEL))
    )
    granted = _granted(answers)
    assert len(granted) == 1
    assert granted[0].auth is None
    assert granted[0].wrap_info is not None
    token = granted[0].wrap_info["token"]
    unwrapped = await asyncio.gather(
        *(node.write("sys/wrapping/unwrap", token=token) for _ in range(PARALLEL))
    )
    given = _granted(unwrapped)
    assert len(given) == 1
    assert given[0].auth is not None
    assert await node.lives(given[0].auth["client_token"])


@with_node
async def test_a_wrapped_secret_id_reaches_one_reader_who_logs_in_once(node: NodeUnderTest) -> None:
    role_id = await role(node, secret_id_num_uses=1)
    wrapped = await node.write(f"{MOUNT}/role/ci/secret-id", {}, wrap_ttl=60)
    assert wrapped.wrap_info is not None
    assert wrapped.data is None
    token = wrapped.wrap_info["token"]
    answers = await asyncio.gather(
        *(node.write("sys/wrapping/unwrap", token=token) for _ in range(PARALLEL))
    )
    (given,) = _granted(answers)
    assert await node.lives(token) is False
    (listed,) = (await node.listing(f"{MOUNT}/role/ci/secret-id")).data["keys"]
    assert wrapped.wrap_info["wrapped_accessor"] == listed
    made = msgspec.json.decode(bytes(given.data))
    assert made["secret_id_accessor"] == listed
    logins = [await log_in(node, role_id, made["secret_id"]) for _ in range(2)]
    assert [login.status for login in logins] == [200, 400]
    looked = await node.write("sys/wrapping/lookup", {"token": token}, token="")
    assert looked.status in (400, 403), "whoever comes later sees that it was opened"


@with_node
async def test_of_many_who_choose_a_role_id_at_once_one_gets_it(node: NodeUnderTest) -> None:
    await role(node, "first")
    names = [f"role-{number}" for number in range(40)]
    second = await node.another()
    answers = await asyncio.gather(
        *(
            (node, second)[number % 2].write(f"{MOUNT}/role/{name}", {"role_id": "chosen"})
            for number, name in enumerate(names)
        )
    )
    made = [name for name, answer in zip(names, answers, strict=True) if answer.status == 204]
    assert len(made) == 1
    assert (await node.listing(f"{MOUNT}/role")).data["keys"] == sorted(["first", *made])
    granted = await log_in(node, "chosen", await secret_id(node, made[0]))
    assert granted.auth is not None
    assert granted.auth["metadata"] == {"role_name": made[0]}


@with_node
async def test_a_custom_secret_id_is_taken_once_by_many_at_once(node: NodeUnderTest) -> None:
    await role(node)
    body = {"secret_id": "chosen", "num_uses": 1}
    answers = await asyncio.gather(
        *(node.write(f"{MOUNT}/role/ci/custom-secret-id", body) for _ in range(40))
    )
    assert Counter(answer.status for answer in answers) == {200: 1, 400: 39}
    assert len((await node.listing(f"{MOUNT}/role/ci/secret-id")).data["keys"]) == 1


@with_node
async def test_tidy_and_the_sweeper_take_nothing_from_logins(node: NodeUnderTest) -> None:
    role_id = await role(node)
    lasting = [await secret_id(node) for _ in range(10)]
    ending = [await secret_id(node, ttl="1m") for _ in range(150)]
    node.clock.advance(60)
    results = await asyncio.gather(
        *(log_in(node, role_id, secret) for secret in lasting for _ in range(3)),
        *(node.write(f"{MOUNT}/tidy/secret-id") for _ in range(5)),
        *(node.core.sweeper.round() for _ in range(3)),
    )
    assert [answer.status for answer in results[:30] if isinstance(answer, Response)] == [200] * 30
    await node.sweep()
    listed = (await node.listing(f"{MOUNT}/role/ci/secret-id")).data["keys"]
    assert sorted(listed) == sorted(secret.accessor for secret in lasting)
    assert len(await stored_secret_ids(node)) == 2 * len(lasting)
    assert (await log_in(node, role_id, ending[0])).status == 400


@with_node
async def test_a_secret_id_that_was_chosen_again_is_not_swept_with_the_old_one(
    node: NodeUnderTest,
) -> None:
    role_id = await role(node)
    path = f"{MOUNT}/role/ci/custom-secret-id"
    await node.ok(path, {"secret_id": "chosen", "ttl": "1m"})
    await node.ok(f"{MOUNT}/role/ci/secret-id/destroy", {"secret_id": "chosen"})
    await node.ok(path, {"secret_id": "chosen", "ttl": "1h"})
    node.clock.advance(61)
    await node.sweep()
    assert (await log_in(node, role_id, "chosen")).status == 200
    node.clock.advance(3600)
    again = await node.write(path, {"secret_id": "chosen"})
    assert again.status == 200, "what has ended is not in the way"
    await node.sweep()
    assert (await log_in(node, role_id, "chosen")).status == 200


@pytest.mark.parametrize("kind", ["service", "batch"])
@pytest.mark.parametrize("end", ["destroy", "delete", "disable"])
def test_no_login_that_begins_after_the_end_succeeds(end: str, kind: str) -> None:
    """Also among others that began before it."""

    @with_node
    async def test(node: NodeUnderTest) -> None:
        role_id = await role(node, token_type=kind)
        secret = await secret_id(node)
        over = False

        async def attempt() -> None:
            late = over
            answer = await log_in(node, role_id, secret)
            assert not (late and answer.status == 200)

        async def ends() -> None:
            nonlocal over
            match end:
                case "destroy":
                    body = {"secret_id": secret.value}
                    await node.ok(f"{MOUNT}/role/ci/secret-id/destroy", body)
                case "delete":
                    await node.delete(f"{MOUNT}/role/ci")
                case _:
                    await node.delete(f"sys/{MOUNT}")
            over = True
            await asyncio.gather(*(attempt() for _ in range(20)))

        await asyncio.gather(
            *(attempt() for _ in range(20)), ends(), *(attempt() for _ in range(20))
        )
        assert over

    test()


@with_node
async def test_secret_ids_made_while_their_role_is_deleted_do_not_outlive_it(
    node: NodeUnderTest,
) -> None:
    await role(node)
    path = f"{MOUNT}/role/ci"
    await asyncio.gather(
        *(node.write(f"{path}/secret-id", {"ttl": "1h"}) for _ in range(20)),
        node.delete(path),
        *(node.write(f"{path}/secret-id", {}) for _ in range(20)),
    )
    assert (await node.read(path)).status == 404
    await node.sweep()
    assert await stored_secret_ids(node) == []
