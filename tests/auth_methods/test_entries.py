"""An entry shows what was written, takes deprecated names, and refuses what cannot be."""

from typing import Any

import pytest

from tests.auth_methods.method import JsonMap, Method
from tests.auth_methods.running import every_method, of_each_method, stored, with_method
from tests.node import errors

SENT = "hunter2"

WRITTEN: list[tuple[JsonMap, JsonMap]] = [
    # what is written, what is read
    (
        {
            "token_bound_cidrs": ["127.0.0.1/32", "10.1.2.3/8", "::1"],
            "token_explicit_max_ttl": "3h",
            "token_max_ttl": "2h",
            "token_no_default_policy": True,
            "token_num_uses": 9,
            "token_period": "30m",
            "token_policies": ["Web", "db", "web"],
            "token_ttl": "1h",
            "token_type": "service",
        },
        {
            "token_bound_cidrs": ["127.0.0.1", "10.0.0.0/8", "::1"],
            "token_explicit_max_ttl": 10800,
            "token_max_ttl": 7200,
            "token_no_default_policy": True,
            "token_num_uses": 9,
            "token_period": 1800,
            "token_ttl": 3600,
            "token_type": "service",
        },
    ),
    (
        {
            "token_bound_cidrs": "127.0.0.1,10.0.0.0/8",
            "token_explicit_max_ttl": "90",
            "token_no_default_policy": "true",
            "token_num_uses": "7",
            "token_policies": "web, db",
            "token_ttl": 60,
            "token_type": "",
        },
        {
            "token_bound_cidrs": ["127.0.0.1", "10.0.0.0/8"],
            "token_explicit_max_ttl": 90,
            "token_no_default_policy": True,
            "token_num_uses": 7,
            "token_ttl": 60,
            "token_type": "default",
        },
    ),
    ({"token_strictly_bind_ip": True}, {"token_strictly_bind_ip": True}),
    ({"token_type": "batch"}, {"token_type": "batch"}),
]


@of_each_method()
@pytest.mark.parametrize(("written", "shown"), WRITTEN, ids=lambda settings: str(len(settings)))
def test_an_entry_shows_what_was_written(
    kind: type[Method], written: JsonMap, shown: JsonMap
) -> None:
    @with_method(kind)
    async def test(method: Method) -> None:
        await method.write(**written)
        entry = await method.read()
        assert {name: entry[name] for name in shown} == shown
        if "token_policies" in written:
            assert sorted(entry["token_policies"]) == ["db", "web"]
        assert not {name for name in entry if SENT in name}
        for secret in method.secrets():
            assert secret not in str(entry)

    test()


@every_method
async def test_an_entry_begins_with_the_settings_that_mean_nothing(method: Method) -> None:
    await method.write()
    entry = await method.read()
    expected = {
        "token_bound_cidrs": [],
        "token_explicit_max_ttl": 0,
        "token_max_ttl": 0,
        "token_no_default_policy": False,
        "token_num_uses": 0,
        "token_period": 0,
        "token_policies": [],
        "token_strictly_bind_ip": False,
        "token_ttl": 0,
        "token_type": "default",
    }
    assert {name: entry[name] for name in expected} == expected
    assert not set(method.old_names) & set(entry)


@every_method
async def test_a_write_keeps_what_it_does_not_name(method: Method) -> None:
    await method.write(token_ttl="1h", token_policies=["web"], token_num_uses=3)
    await method.write(token_num_uses=4)
    entry = await method.read()
    assert (entry["token_ttl"], entry["token_policies"]) == (3600, ["web"])
    assert entry["token_num_uses"] == 4
    await method.write(token_ttl=0, token_policies=[], token_num_uses=None)
    entry = await method.read()
    assert (entry["token_ttl"], entry["token_policies"]) == (0, [])
    assert entry["token_num_uses"] == 4


OLD_VALUES: dict[str, tuple[Any, Any]] = {
    # what is written, what is read
    "bound_cidrs": ("127.0.0.1,10.0.0.0/8", ["127.0.0.1", "10.0.0.0/8"]),
    "max_ttl": ("2h", 7200),
    "num_uses": (9, 9),
    "period": ("30m", 1800),
    "policies": ("web", ["web"]),
    "ttl": ("1h", 3600),
}


@every_method
async def test_old_names_set_the_same_and_are_shown_while_they_were_the_last(
    method: Method,
) -> None:
    for old, new in method.old_names.items():
        written, shown = OLD_VALUES[old]
        await method.write(**{old: written})
        entry = await method.read()
        assert (entry[old], entry[new]) == (shown, shown)
        await method.write(**{new: written})
        entry = await method.read()
        assert old not in entry
        assert entry[new] == shown


@every_method
async def test_old_names_without_a_value_are_not_shown(method: Method) -> None:
    for old, new in method.old_names.items():
        written, _ = OLD_VALUES[old]
        await method.write(**{old: written})
        nothing: Any = [] if isinstance(OLD_VALUES[old][1], list) else 0
        await method.write(**{old: nothing})
        entry = await method.read()
        assert old not in entry
        assert entry[new] == nothing


@every_method
async def test_the_new_name_counts_where_both_are_given(method: Method) -> None:
    if "ttl" in method.old_names:
        await method.write(ttl="1h", token_ttl="10m")
        assert (await method.log_in())["lease_duration"] == 600
    if "policies" in method.old_names:
        await method.write(policies="old", token_policies="new")
        assert (await method.log_in())["policies"] == ["default", "new"]


@every_method
async def test_what_is_set_by_old_names_holds(method: Method) -> None:
    old = {"policies": "old", "ttl": "10m", "max_ttl": "15m", "bound_cidrs": "10.0.0.0/8"}
    given = {name: value for name, value in old.items() if name in method.old_names}
    await method.write(**given)
    auth = await method.log_in(peer="10.1.1.1:5")
    if "policies" in given:
        assert auth["policies"] == ["default", "old"]
    if "ttl" in given:
        assert auth["lease_duration"] == 600
    if "bound_cidrs" in given:
        assert (await method.try_to_log_in()).status == 403


IMPOSSIBLE: list[tuple[JsonMap, str]] = [
    # the settings, and what a message about them names
    ({"token_type": SENT}, "token_type"),
    ({"token_type": ["batch", SENT]}, "token_type"),
    ({"token_type": "batch", "token_num_uses": 1}, "token_num_uses"),
    ({"token_type": "default-batch", "token_num_uses": 1}, "token_num_uses"),
    ({"token_type": "batch", "token_period": "1h"}, "token_period"),
    ({"token_num_uses": -1}, "token_num_uses"),
    ({"token_num_uses": SENT}, "token_num_uses"),
    ({"token_num_uses": [SENT]}, "token_num_uses"),
    ({"token_ttl": "2h", "token_max_ttl": "1h"}, "token_max_ttl"),
    ({"token_ttl": "-5m"}, "token_ttl"),
    ({"token_ttl": SENT}, "token_ttl"),
    ({"token_ttl": {"a": SENT}}, "token_ttl"),
    ({"token_max_ttl": -1}, "token_max_ttl"),
    ({"token_explicit_max_ttl": SENT}, "token_explicit_max_ttl"),
    ({"token_period": SENT}, "token_period"),
    ({"token_bound_cidrs": SENT}, "token_bound_cidrs"),
    ({"token_bound_cidrs": ["10.0.0.0/8", "10.0.0.0/33"]}, "token_bound_cidrs"),
    ({"token_bound_cidrs": {"a": SENT}}, "token_bound_cidrs"),
    ({"token_bound_cidrs": "10.0.0.0/8", "token_strictly_bind_ip": True}, "token_strictly_bind_ip"),
    ({"token_policies": "response-wrapping"}, "response-wrapping"),
    ({"token_policies": {"a": SENT}}, "token_policies"),
    ({"token_no_default_policy": SENT}, "token_no_default_policy"),
    ({"token_strictly_bind_ip": SENT}, "token_strictly_bind_ip"),
]


@of_each_method()
@pytest.mark.parametrize(("settings", "named"), IMPOSSIBLE, ids=str)
def test_what_cannot_be_is_refused_and_changes_nothing(
    kind: type[Method], settings: JsonMap, named: str
) -> None:
    @with_method(kind)
    async def test(method: Method) -> None:
        for exists in (False, True):
            if exists:
                await method.write(token_ttl="30m")
            before = stored(method)
            response = await method.try_to_write(**settings)
            assert response.status == 400
            message = errors(response)[0]
            assert named in message
            assert SENT not in message
            assert stored(method) == before

    test()


@every_method
async def test_settings_are_weighed_with_those_that_are_there(method: Method) -> None:
    for first, then in (
        ({"token_ttl": "2h"}, {"token_max_ttl": "1h"}),
        ({"token_type": "batch"}, {"token_num_uses": 1}),
        ({"token_type": "default", "token_num_uses": 1}, {"token_type": "batch"}),
        ({"token_strictly_bind_ip": True}, {"token_bound_cidrs": "10.0.0.0/8"}),
    ):
        await method.write(**first)
        assert (await method.try_to_write(**then)).status == 400


@every_method
async def test_an_entry_that_is_gone_is_not_shown_and_not_logged_in(method: Method) -> None:
    await method.write()
    login = await method.login()
    assert (await method.send(login)).status == 200
    await method.delete()
    assert await method.read() == {}
    await method.delete()
    before = stored(method)
    assert (await method.send(login)).status in (400, 403)
    assert stored(method) == before
