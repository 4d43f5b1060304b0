"""A renewal asks the method again."""

from tests.auth_methods.method import Method
from tests.auth_methods.running import every_method, stored


@every_method
async def test_a_token_is_renewed_by_itself_and_by_its_accessor(method: Method) -> None:
    await method.write(token_ttl="10m", token_policies="own")
    auth = await method.log_in()
    renewed = await method.renewed(auth)
    for name in ("client_token", "accessor", "policies", "metadata", "entity_id", "token_type"):
        assert renewed[name] == auth[name]
    body = {"accessor": auth["accessor"]}
    assert (await method.node.ok("auth/token/renew-accessor", body)).auth is not None
    asked = await method.node.ok(
        "auth/token/renew-self", {"increment": "5m"}, token=auth["client_token"]
    )
    assert asked.auth is not None
    assert asked.auth["lease_duration"] == 300


@every_method
async def test_a_renewal_takes_the_times_of_the_entry_as_they_are_now(method: Method) -> None:
    await method.write(token_ttl="10m")
    auth = await method.log_in()
    await method.write(token_ttl="20m", token_max_ttl="25m")
    assert (await method.renewed(auth))["lease_duration"] == 1200
    method.node.clock.advance(1000)
    assert (await method.renewed(auth))["lease_duration"] == 500
    await method.write(token_ttl=0, token_max_ttl=0, token_period="1h")
    assert (await method.renewed(auth))["lease_duration"] == 3600


@every_method
async def test_after_other_policies_a_token_is_renewed_with_its_own_or_not_at_all(
    method: Method,
) -> None:
    await method.write(token_policies="dev", token_ttl="10m")
    auth = await method.log_in()
    await method.write(token_policies="ops")
    if method.renewed_with_other_policies:
        assert (await method.renewed(auth))["policies"] == ["default", "dev"]
    else:
        assert "policies" in await method.not_renewed(auth)
    assert (await method.lookup(auth))["policies"] == ["default", "dev"]
    await method.write(token_policies="dev")
    await method.renewed(auth)


@every_method
async def test_after_the_entry_is_gone_a_token_lives_to_its_end(method: Method) -> None:
    await method.write(token_ttl="10m")
    auth = await method.log_in()
    await method.delete()
    before = stored(method)
    assert "no longer exists" in await method.not_renewed(auth)
    assert stored(method) == before
    assert await method.node.lives(auth["client_token"])
    method.node.clock.advance(600)
    assert not await method.node.lives(auth["client_token"])


@every_method
async def test_a_token_is_not_renewed_after_its_end(method: Method) -> None:
    await method.write(token_ttl="10m")
    auth = await method.log_in()
    method.node.clock.advance(600)
    assert await method.not_renewed(auth) == "permission denied"


@every_method
async def test_whose_entity_is_disabled_does_not_renew(method: Method) -> None:
    await method.write(token_ttl="10m")
    auth = await method.log_in()
    await method.node.ok(f"identity/entity/id/{auth['entity_id']}", {"disabled": True})
    assert await method.not_renewed(auth) == "permission denied"


@every_method
async def test_tokens_end_with_the_mount(method: Method) -> None:
    await method.write()
    auth = await method.log_in()
    assert (await method.node.delete(f"sys/{method.mount}")).status == 204
    assert not await method.node.lives(auth["client_token"])
    await method.node.sweep()
    assert await method.node.keys_below("mount/") == [
        key for key in await method.node.keys_below("mount/") if method.kind not in key
    ]
