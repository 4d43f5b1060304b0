"""identity/prune removes entities that nobody needs, in the background."""

from collections.abc import Iterable

import pytest

from tests.node import NodeUnderTest, errors, with_node
from tests.odd import mount_odd
from tests.people import alias, entity, external_group, group, log_in
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, TokenGrant

DAY = 86_400
GRANT = TokenGrant(display_name="a", alias="ada")


async def _left(node: NodeUnderTest) -> list[str]:
    return sorted((await node.listing("identity/entity/name")).data["keys"])


async def _prune(node: NodeUnderTest, **body: object) -> JsonMap:
    begun = await node.ok("identity/prune", dict(body))
    assert begun.status == 202
    await node.sweep()
    report: JsonMap = (await node.read("identity/prune")).data
    return report


async def _without_alias(node: NodeUnderTest, entity_id: str) -> None:
    shown = (await node.read(f"identity/entity/id/{entity_id}")).data
    for each in shown["aliases"]:
        await node.delete(f"identity/entity-alias/id/{each['id']}")


@with_node
async def test_what_has_no_alias_no_group_and_no_token_goes(node: NodeUnderTest) -> None:
    await mount_odd(node, GRANT)
    for name in ("unused", "disabled", "named"):
        await entity(node, name, policies="p", disabled=name == "disabled")
    await alias(node, "x", await entity(node, "with-alias"))
    await group(node, "team", member_entity_ids=[await entity(node, "in-group")])
    _, ada = await log_in(node)
    await node.ok(f"identity/entity/id/{ada}", {"name": "with-token"})
    await _without_alias(node, ada)
    node.clock.advance(31 * DAY)
    await entity(node, "young")
    everybody = await _left(node)
    dry = await _prune(node, dry_run=True, min_age="720h")
    assert await _left(node) == everybody
    report = await _prune(node, min_age="720h")
    assert await _left(node) == ["in-group", "with-alias", "with-token", "young"]
    assert (report["removed"], report["entities_looked_at"]) == (3, 7)
    assert dry["entity_ids"] == report["entity_ids"]
    assert (dry["dry_run"], report["dry_run"]) == (True, False)
    assert await node.keys_below("job/") == await node.keys_below("identity/unused/") == []
    node.clock.advance(31 * DAY)
    await node.sweep()
    await _prune(node)
    assert await _left(node) == ["in-group", "with-alias", "young"]


@with_node
async def test_a_token_spares_the_entity_that_its_own_was_merged_into(node: NodeUnderTest) -> None:
    await mount_odd(node, GRANT)
    token, ada = await log_in(node)
    target = await entity(node, "target")
    await node.ok("identity/entity/merge", {"to_entity_id": target, "from_entity_ids": [ada]})
    await _without_alias(node, target)
    node.clock.advance(DAY)
    await _prune(node, min_age=60)
    assert await node.lives(token)
    await node.ok("auth/token/revoke", {"token": token})
    await _prune(node, min_age=60)
    assert (await node.listing("identity/entity/name")).status == 404
    for kind in ("entity", "entity-name", "merged", "unused"):
        assert await node.keys_below(f"identity/{kind}/") == []


@with_node
async def test_memberships_by_an_alias_that_is_gone_do_not_count(node: NodeUnderTest) -> None:
    await mount_odd(node, TokenGrant(display_name="a", alias="ada", group_aliases=("staff",)))
    staff = await external_group(node, "staff")
    token, ada = await log_in(node)
    await _without_alias(node, ada)
    await node.ok("auth/token/revoke", {"token": token})
    await node.delete(f"identity/group/id/{staff}")
    node.clock.advance(DAY)
    assert (await _prune(node, min_age=60))["removed"] == 1


@with_node
async def test_what_changes_while_it_runs_is_spared(node: NodeUnderTest) -> None:
    made = [await entity(node, f"e{number:03}") for number in range(250)]
    node.clock.advance(DAY)
    await node.ok("identity/prune", {"min_age": "1h"})
    for _ in range(4):  # all are noted, and all tokens looked at
        await node.core.sweeper.round()
    assert len(await node.keys_below("identity/unused/")) == 250
    await node.ok(f"identity/entity/id/{made[0]}", {"metadata": {"now": "used"}})
    await group(node, "team", member_entity_ids=[made[1]])
    refused = await node.write("identity/prune", {})
    assert "already" in errors(refused)[0]
    other = await node.another()  # the first process dies
    await other.sweep()
    assert (await other.read("identity/prune")).data["removed"] == 248
    assert await _left(other) == sorted(
        [(await other.read(f"identity/entity/id/{each}")).data["name"] for each in made[:2]]
    )


@pytest.mark.parametrize("rounds_before_the_crash", range(8))
def test_it_survives_a_crash(rounds_before_the_crash: int) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        for number in range(150):
            await entity(node, f"e{number}")
        node.clock.advance(DAY)
        await node.ok("identity/prune", {"min_age": 60})
        for _ in range(rounds_before_the_crash):
            await node.core.sweeper.round()
        other = await node.another()
        await other.sweep()
        report = (await other.read("identity/prune")).data
        assert (report["removed"], report["entities_looked_at"]) == (150, 150)
        assert await node.keys_below("identity/entity/") == await node.keys_below("job/") == []

    body()


@with_node
async def test_only_sudo_prunes_and_reads_the_reports(node: NodeUnderTest) -> None:
    await node.policy("p", {"identity/*": "read,update"})
    token = (await node.token(policies=["p"]))["client_token"]
    paths: Iterable[tuple[Operation, str]] = (
        (Operation.UPDATE, "identity/prune"),
        (Operation.READ, "identity/prune"),
        (Operation.READ, "identity/duplicates"),
    )
    for operation, path in paths:
        assert (await node.call(operation, path, token=token)).status == 403
    assert (await node.read("identity/prune")).status == 404
