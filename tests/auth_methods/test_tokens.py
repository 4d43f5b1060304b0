"""Each `token_…` setting of an entry shows in the tokens of its logins."""

import pytest

from tests.auth_methods.method import JsonMap, Method
from tests.auth_methods.running import every_method, of_each_method, with_method
from tests.node import PEER

FAR = "10.1.2.3:40000"
SYSTEM_TTL = 32 * 24 * 3600


@every_method
async def test_without_settings_the_servers_own_hold(method: Method) -> None:
    await method.write()
    auth = await method.log_in()
    assert auth["policies"] == auth["token_policies"] == ["default"]
    assert auth["lease_duration"] == SYSTEM_TTL
    assert (auth["token_type"], auth["renewable"], auth["orphan"]) == ("service", True, True)
    assert auth["num_uses"] == 0
    known = await method.lookup(auth)
    assert known["path"] == f"{method.mount}/{(await method.login()).path}{method.path_suffix}"
    assert known["explicit_max_ttl"] == 0
    assert "period" not in known
    assert "bound_cidrs" not in known


@every_method
async def test_ttl_is_the_life_until_the_first_renewal_and_that_of_each(method: Method) -> None:
    await method.write(token_ttl="10m")
    auth = await method.log_in()
    assert auth["lease_duration"] == 600
    method.node.clock.advance(400)
    assert (await method.renewed(auth))["lease_duration"] == 600
    await method.write(token_ttl="20m")
    assert (await method.renewed(auth))["lease_duration"] == 1200
    method.node.clock.advance(1200)
    assert not await method.node.lives(auth["client_token"])


@every_method
async def test_max_ttl_ends_all_renewals(method: Method) -> None:
    await method.write(token_ttl="10m", token_max_ttl="15m")
    auth = await method.log_in()
    method.node.clock.advance(500)
    assert (await method.renewed(auth))["lease_duration"] == 400
    method.node.clock.advance(399)
    assert await method.node.lives(auth["client_token"])
    method.node.clock.advance(1)
    assert not await method.node.lives(auth["client_token"])


@every_method
async def test_max_ttl_bounds_the_first_life_too(method: Method) -> None:
    await method.write(token_max_ttl="15m")
    assert (await method.log_in())["lease_duration"] == 900


@every_method
async def test_explicit_max_ttl_holds_whatever_the_entry_says_later(method: Method) -> None:
    await method.write(token_ttl="10m", token_explicit_max_ttl="15m")
    auth = await method.log_in()
    assert (await method.lookup(auth))["explicit_max_ttl"] == 900
    await method.write(token_ttl="1h", token_explicit_max_ttl=0)
    method.node.clock.advance(500)
    assert (await method.renewed(auth))["lease_duration"] == 400
    method.node.clock.advance(400)
    assert not await method.node.lives(auth["client_token"])


@every_method
async def test_a_period_renews_for_ever_as_long_as_the_entry_says(method: Method) -> None:
    await method.write(token_period="10m", token_ttl="5m", token_max_ttl="15m")
    auth = await method.log_in()
    assert auth["lease_duration"] == 600
    assert (await method.lookup(auth))["period"] == 600
    for _ in range(4):
        method.node.clock.advance(599)
        assert (await method.renewed(auth))["lease_duration"] == 600
    await method.write(token_period="3m")
    assert (await method.renewed(auth))["lease_duration"] == 180


@every_method
async def test_a_limited_token_is_used_so_many_times(method: Method) -> None:
    await method.write(token_num_uses=2)
    auth = await method.log_in()
    assert auth["num_uses"] == 2
    uses = [await method.node.lives(auth["client_token"]) for _ in range(3)]
    assert uses == [True, True, False]


@every_method
async def test_policies_are_folded_sorted_and_joined_by_default(method: Method) -> None:
    await method.write(token_policies="Ops, dev,ops")
    assert (await method.log_in())["policies"] == ["default", "dev", "ops"]
    await method.write(token_policies=["new"], token_no_default_policy=True)
    assert (await method.log_in())["policies"] == ["new"]
    await method.write(token_policies=[])
    assert (await method.log_in())["policies"] == []
    await method.write(token_policies=["default"])
    assert (await method.log_in())["policies"] == ["default"]


@every_method
async def test_addresses_bind_the_login_and_its_token(method: Method) -> None:
    await method.write(token_bound_cidrs=["10.0.0.0/8", "fd00::/8"])
    assert (await method.try_to_log_in()).status == 403
    for peer in (FAR, "[fd00::1]:5", "[::ffff:10.1.2.3]:5"):
        token = (await method.log_in(peer=peer))["client_token"]
        for other, status in ((FAR, 200), ("[fd00::2]:5", 200), (PEER, 403), ("", 403)):
            looked = await method.node.read("auth/token/lookup-self", token=token, peer=other)
            assert looked.status == status, other


@every_method
async def test_a_token_is_bound_to_the_address_that_logged_in(method: Method) -> None:
    await method.write(token_strictly_bind_ip=True)
    auth = await method.log_in(peer=FAR)
    assert (await method.lookup(auth))["bound_cidrs"] == [FAR.partition(":")[0]]
    for peer, status in (("10.1.2.3:77", 200), ("10.1.2.4:40000", 403), (PEER, 403), ("", 403)):
        token = auth["client_token"]
        looked = await method.node.read("auth/token/lookup-self", token=token, peer=peer)
        assert looked.status == status, peer
    assert (await method.try_to_log_in(peer="")).status == 400


KINDS = [
    # of the entry, of the mount, of the token
    ("default", "default-service", "service"),
    ("default", "default-batch", "batch"),
    ("default", "service", "service"),
    ("default", "batch", "batch"),
    ("", "default-batch", "batch"),
    ("service", "default-batch", "service"),
    ("service", "batch", "batch"),
    ("batch", "default-service", "batch"),
    ("batch", "default-batch", "batch"),
    ("batch", "service", "service"),
    ("default-service", "default-service", "service"),
    ("default-service", "default-batch", "service"),
    ("default-batch", "default-service", "batch"),
    ("default-batch", "service", "service"),
]


@of_each_method()
@pytest.mark.parametrize(("asked", "tuned", "expected"), KINDS)
def test_the_mount_decides_on_the_kind_of_token_unless_it_leaves_that_to_the_entry(
    kind: type[Method], asked: str, tuned: str, expected: str
) -> None:
    @with_method(kind)
    async def test(method: Method) -> None:
        await method.tune(token_type=tuned)
        await method.write(token_type=asked, token_ttl="10m")
        auth = await method.log_in()
        batch = expected == "batch"
        assert (auth["token_type"], auth["renewable"]) == (expected, not batch)
        assert auth["client_token"].startswith("b." if batch else "s.")
        assert auth["lease_duration"] == 600
        assert await method.node.lives(auth["client_token"])
        if batch:
            assert await method.not_renewed(auth)
        method.node.clock.advance(600)
        assert not await method.node.lives(auth["client_token"])

    test()


@every_method
async def test_no_limited_or_periodic_batch_token_is_forced_by_the_mount(method: Method) -> None:
    await method.tune(token_type="batch")
    for settings in ({"token_num_uses": 3}, {"token_num_uses": 0, "token_period": "1h"}):
        await method.write(**settings)
        assert (await method.try_to_log_in()).status == 400


@every_method
async def test_a_batch_token_ends_with_the_mount(method: Method) -> None:
    await method.write(token_type="batch")
    token = (await method.log_in())["client_token"]
    assert await method.node.lives(token)
    assert (await method.node.delete(f"sys/{method.mount}")).status == 204
    assert not await method.node.lives(token)


TUNED: list[tuple[JsonMap, JsonMap, int]] = [
    # of the mount, of the entry, seconds of the token
    ({"default_lease_ttl": "5m"}, {}, 300),
    ({"default_lease_ttl": "5m"}, {"token_ttl": "10m"}, 600),
    ({"default_lease_ttl": "5m"}, {"token_max_ttl": "4m"}, 240),
    ({"default_lease_ttl": "5m", "max_lease_ttl": "8m"}, {"token_ttl": "10m"}, 480),
    ({"max_lease_ttl": "8m", "default_lease_ttl": "8m"}, {"token_max_ttl": "1h"}, 480),
    ({"default_lease_ttl": "5m", "max_lease_ttl": "8m"}, {"token_explicit_max_ttl": "3m"}, 180),
    ({"default_lease_ttl": "5m", "max_lease_ttl": "8m"}, {"token_period": "10m"}, 480),
]


@of_each_method()
@pytest.mark.parametrize(("tuned", "settings", "seconds"), TUNED, ids=str)
def test_the_mounts_times_hold_where_the_entry_says_nothing_or_too_much(
    kind: type[Method], tuned: JsonMap, settings: JsonMap, seconds: int
) -> None:
    @with_method(kind)
    async def test(method: Method) -> None:
        await method.write(**settings)
        await method.tune(**tuned)
        auth = await method.log_in()
        assert auth["lease_duration"] == seconds
        method.node.clock.advance(seconds)
        assert not await method.node.lives(auth["client_token"])

    test()


@every_method
async def test_a_ttl_that_is_cut_is_warned_of(method: Method) -> None:
    await method.write(token_ttl="10m")
    await method.tune(default_lease_ttl="5m", max_lease_ttl="8m")
    warnings = (await method.try_to_log_in()).warnings
    assert warnings is not None
    assert 'TTL of "10m" exceeded the effective max_ttl of "8m"' in warnings[-1]
