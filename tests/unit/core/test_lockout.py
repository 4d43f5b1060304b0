"""User lockout: who gives wrong credentials too often is refused for a while."""

import asyncio
from typing import Any

import pytest

from tests.node import NodeUnderTest, errors, with_node
from wardgate.auth import userpass
from wardgate.core import lockout
from wardgate.core.lockout_config import LockoutTuning, UserLockout
from wardgate.core.request import Response
from wardgate.core.settings import Settings

WRONG = (400, ["invalid username or password"])
LOCKED = (403, ["permission denied"])


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(userpass, "_COST", 4)
    monkeypatch.setattr(userpass, "_UNKNOWN", [])


def refusal(response: Response) -> tuple[int, list[str]]:
    return response.status, errors(response)


async def fail(node: NodeUnderTest, times: int, name: str = "ada") -> list[tuple[int, list[str]]]:
    return [refusal(await node.login(name, "wrong")) for _ in range(times)]


async def tune(node: NodeUnderTest, path: str = "userpass", **config: Any) -> None:
    await node.ok(f"sys/auth/{path}/tune", {"user_lockout_config": config})


async def locked(node: NodeUnderTest) -> list[str]:
    """All who are locked out."""
    data = (await node.read("sys/locked-users")).data
    names = [
        name
        for mount in data["by_namespace"][0]["mount_accessors"]
        for name in mount["alias_identifiers"]
    ]
    assert data["total"] == data["by_namespace"][0]["counts"] == len(names)
    return names


async def accessor(node: NodeUnderTest, path: str = "userpass") -> str:
    found: str = (await node.read(f"sys/auth/{path}")).data["accessor"]
    return found


@with_node
async def test_after_five_wrong_passwords_even_the_right_one_is_refused_for_a_while(
    node: NodeUnderTest,
) -> None:
    await node.user()
    assert await fail(node, 7) == [WRONG] * 5 + [LOCKED] * 2
    assert refusal(await node.login()) == LOCKED
    node.clock.advance(899)
    assert refusal(await node.login()) == LOCKED
    node.clock.advance(1)
    assert (await node.login()).status == 200
    assert await fail(node, 6) == [WRONG] * 5 + [LOCKED]


@with_node
async def test_a_right_password_begins_a_new_count(node: NodeUnderTest) -> None:
    await node.user()
    for _ in range(3):
        assert await fail(node, 4) == [WRONG] * 4
        assert (await node.login()).status == 200
    assert await node.keys_below("mount/") == [
        key for key in await node.keys_below("mount/") if "lockout" not in key
    ]


@with_node
async def test_failures_far_apart_are_not_counted_together(node: NodeUnderTest) -> None:
    await node.user()
    for _ in range(3):
        assert await fail(node, 4) == [WRONG] * 4
        node.clock.advance(900)
    assert await fail(node, 4) == [WRONG] * 4
    node.clock.advance(899)
    assert await fail(node, 2) == [WRONG, LOCKED]


@with_node
async def test_trying_while_locked_out_does_not_lengthen_it(node: NodeUnderTest) -> None:
    await node.user()
    await fail(node, 5)
    node.clock.advance(600)
    assert await fail(node, 10) == [LOCKED] * 10
    node.clock.advance(300)
    assert (await node.login()).status == 200


@with_node
async def test_a_name_that_nobody_has_is_locked_out_just_the_same(node: NodeUnderTest) -> None:
    await node.user("ada")
    assert await fail(node, 6, "ada") == await fail(node, 6, "bob")
    assert await locked(node) == ["ada", "bob"]


@with_node
async def test_only_wrong_credentials_count(node: NodeUnderTest) -> None:
    await node.user("ada", token_bound_cidrs="10.0.0.0/8")
    for _ in range(6):
        assert (await node.login("ada", "")).status == 400
        assert refusal(await node.login("ada")) == LOCKED  # from a wrong address
    assert (await node.login("ada", peer="10.1.1.1:1")).status == 200


@with_node
async def test_mounts_are_tuned_one_by_one(node: NodeUnderTest) -> None:
    await node.user()
    await tune(node, lockout_threshold="2", lockout_duration="1m")
    assert await fail(node, 3) == [WRONG, WRONG, LOCKED]
    node.clock.advance(60)
    await tune(node, lockout_counter_reset_duration=10)
    assert (await node.read("sys/auth/userpass/tune")).data == {
        **(await node.read("sys/auth/userpass/tune")).data,
        "user_lockout_threshold": 2,
        "user_lockout_duration": 60,
        "user_lockout_counter_reset_duration": 10,
        "user_lockout_disable": False,
    }
    for _ in range(3):
        assert await fail(node, 1) == [WRONG]
        node.clock.advance(10)
    await tune(node, lockout_disable=True)
    assert await fail(node, 10) == [WRONG] * 10
    assert (await node.login()).status == 200


@with_node
async def test_a_mount_can_be_made_with_its_own_rules(node: NodeUnderTest) -> None:
    config = {"user_lockout_config": {"lockout_threshold": "1", "lockout_duration": "2m"}}
    await node.ok("sys/auth/userpass", {"type": "userpass", "config": config})
    assert (await node.read("sys/auth/userpass")).data["config"]["user_lockout_config"] == {
        "user_lockout_threshold": 1,
        "user_lockout_duration": 120,
        "user_lockout_counter_reset_duration": 0,
        "user_lockout_disable": False,
    }
    await node.user()
    assert await fail(node, 2) == [WRONG, LOCKED]


@pytest.mark.parametrize(
    "config",
    [
        {"lockout_threshold": -1},
        {"lockout_threshold": "x"},
        {"lockout_threshold": 1.5},
        {"lockout_threshold": True},
        {"lockout_threshold": "9" * 30},
        {"lockout_threshold": [1]},
        {"lockout_duration": "x"},
        {"lockout_duration": -1},
        {"lockout_duration": {}},
        {"lockout_counter_reset_duration": "-1s"},
        {"lockout_disable": "true"},
        {"lockout_disable": 1},
    ],
)
def test_rules_that_make_no_sense_are_refused(config: dict[str, Any]) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.user()
        body = {"user_lockout_config": config}
        response = await node.write("sys/auth/userpass/tune", body)
        assert response.status == 400
        assert errors(response)[0].startswith(f"user_lockout_config: {next(iter(config))} must be")
        response = await node.write("sys/auth/other", {"type": "userpass", "config": body})
        assert response.status == 400

    body()


@with_node
async def test_only_methods_with_passwords_are_tuned(node: NodeUnderTest) -> None:
    await node.ok("sys/mounts/kv", {"type": "kv"})
    body = {"user_lockout_config": {"lockout_threshold": 3}}
    for path, kind in {"sys/mounts/kv": "kv", "sys/auth/token": "token"}.items():
        assert errors(await node.write(f"{path}/tune", body)) == [
            f'tuning of user lockout configuration for auth type "{kind}" not allowed'
        ]


@with_node
async def test_whoever_may_lets_somebody_in_again(node: NodeUnderTest) -> None:
    await node.user()
    await fail(node, 5)
    assert await locked(node) == ["ada"]
    unlock = f"sys/locked-users/{await accessor(node)}/unlock"
    assert (await node.write(f"{unlock}/bob")).status == 204
    assert (await node.write("sys/locked-users/nothing/unlock/ada")).status == 204
    assert refusal(await node.login()) == LOCKED
    assert (await node.write(f"{unlock}/ADA")).status == 204
    assert await locked(node) == []
    assert (await node.login()).status == 200
    await fail(node, 4)
    assert (await node.write(f"{unlock}/ada")).status == 204
    assert await fail(node, 5) == [WRONG] * 5


@with_node
async def test_the_locked_are_listed_by_mount(node: NodeUnderTest) -> None:
    await node.user()
    await node.ok("sys/auth/two", {"type": "userpass"})
    await fail(node, 5)
    for name in ("zoe", "bob"):
        for _ in range(5):
            await node.write(f"auth/two/login/{name}", {"password": "x"}, token="")
    two = await accessor(node, "two")
    query = {"mount_accessor": two}
    assert (await node.read("sys/locked-users", query=query)).data == {
        "by_namespace": [
            {
                "namespace_id": "root",
                "namespace_path": "",
                "counts": 2,
                "mount_accessors": [
                    {"mount_accessor": two, "counts": 2, "alias_identifiers": ["bob", "zoe"]}
                ],
            }
        ],
        "total": 2,
    }
    assert (await node.read("sys/locked-users")).data["total"] == 3
    node.clock.advance(900)
    assert (await node.read("sys/locked-users")).data["total"] == 0
    nobody = (await node.read("sys/locked-users", query=query)).data["by_namespace"][0]
    assert nobody["mount_accessors"] == [
        {"mount_accessor": two, "counts": 0, "alias_identifiers": None}
    ]


@with_node
async def test_a_lockout_moves_and_goes_with_its_mount(node: NodeUnderTest) -> None:
    await node.user()
    await fail(node, 5)
    await node.ok("sys/remount", {"from": "auth/userpass", "to": "auth/moved"})
    body = {"password": "correct horse"}
    assert (await node.write("auth/moved/login/ada", body, token="")).status == 403
    await node.delete("sys/auth/moved")
    await node.sweep()
    assert [key for key in await node.keys_below("mount/") if "lockout" in key] == []
    await node.user()
    assert (await node.login()).status == 200


@with_node
async def test_it_survives_a_restart_and_holds_at_every_node(node: NodeUnderTest) -> None:
    await node.user()
    await fail(node, 3)
    other = await node.another()
    assert await fail(other, 3) == [WRONG, WRONG, LOCKED]
    assert refusal(await node.login()) == LOCKED
    third = await node.another()
    assert refusal(await third.login()) == LOCKED
    for each in (other, third):
        await each.node.stop()


@pytest.mark.parametrize("token_type", ["service", "batch"])
def test_two_hundred_attempts_at_once_get_no_more_answers_than_the_threshold(
    token_type: str,
) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.user(token_type=token_type)
        await node.ok("sys/auth/userpass/tune", {"token_type": token_type})
        other = await node.another()
        nodes = (node, other)
        attempts = [nodes[number % 2].login("ada", f"guess {number}") for number in range(200)]
        answers = [refusal(response) for response in await asyncio.gather(*attempts)]
        assert answers.count(WRONG) == 5
        assert answers.count(LOCKED) == 195
        assert refusal(await node.login()) == LOCKED
        await other.node.stop()

    body()


@pytest.mark.parametrize("token_type", ["service", "batch"])
def test_a_right_password_among_many_wrong_ones_is_refused_when_it_comes_too_late(
    token_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All begin before anybody is locked out; the right one is checked last."""

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.user()
        await node.ok("sys/auth/userpass/tune", {"token_type": token_type})
        assert (await node.login()).status == 200  # so that its entity is there
        wrong_ones_done = asyncio.Event()
        loop = asyncio.get_running_loop()
        verify = userpass._verify

        def slow(password: str, hashed: bytes) -> bool:
            if password == "correct horse":
                asyncio.run_coroutine_threadsafe(wrong_ones_done.wait(), loop).result()
            return verify(password, hashed)

        monkeypatch.setattr(userpass, "_verify", slow)
        right = asyncio.create_task(node.login())
        await asyncio.sleep(0)
        assert await fail(node, 5) == [WRONG] * 5
        wrong_ones_done.set()
        assert refusal(await right) == LOCKED

    body()


@with_node
async def test_a_flood_of_names_fills_a_bounded_table(node: NodeUnderTest) -> None:
    slots, per_slot = lockout.SLOTS, lockout.PER_SLOT
    lockout.SLOTS, lockout.PER_SLOT = 4, 3
    try:
        await node.user()
        await fail(node, 5)
        for number in range(200):
            await node.login(f"made-up-{number}", "x")
        keys = [key for key in await node.keys_below("mount/") if "lockout" in key]
        assert len(keys) <= 4
        assert refusal(await node.login()) == LOCKED, "who is locked out makes no room"
        for number in range(200):
            await fail(node, 5, f"locked-{number}")
        assert len(await locked(node)) <= 12
    finally:
        lockout.SLOTS, lockout.PER_SLOT = slots, per_slot


def test_the_configuration_holds_for_all_methods_or_one_kind() -> None:
    settings = UserLockout(
        kinds={
            "all": LockoutTuning(threshold=3, duration=60),
            "userpass": LockoutTuning(threshold=2),
            "ldap": LockoutTuning(disabled=True),
        }
    )
    rules = settings.rules("userpass", None)
    assert rules is not None
    assert (rules.threshold, rules.duration, rules.counter_reset) == (2, 60, 900)
    rules = settings.rules("approle", LockoutTuning(duration=5))
    assert rules is not None
    assert (rules.threshold, rules.duration, rules.counter_reset) == (3, 5, 900)
    assert settings.rules("ldap", None) is None
    assert settings.rules("ldap", LockoutTuning(threshold=9)) is not None
    assert settings.rules("jwt", LockoutTuning()) is None
    assert UserLockout(off=True).rules("userpass", LockoutTuning(threshold=1)) is None


def test_a_server_without_lockout_locks_nobody_out() -> None:
    async def run() -> None:
        node = await NodeUnderTest.start(settings=Settings(user_lockout=UserLockout(off=True)))
        await node.user()
        assert await fail(node, 8) == [WRONG] * 8
        assert (await node.login()).status == 200
        await node.node.stop()

    asyncio.run(run())
