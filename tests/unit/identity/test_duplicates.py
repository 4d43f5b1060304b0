"""identity/duplicates shows what may be there twice by mistake."""

import pytest

from tests.node import NodeUnderTest, with_node
from tests.odd import mount_odd
from tests.people import alias, entity, group
from wardgate.core.identity.likeness import Repeats, alike
from wardgate.core.request import TokenGrant
from wardgate.identity import duplicates

GRANT = TokenGrant(display_name="a", alias="ada")


@with_node
async def test_a_new_server_has_no_duplicates(node: NodeUnderTest) -> None:
    assert (await node.read("identity/duplicates")).data == {
        "entities": [],
        "aliases": [],
        "people": [],
        "groups": [],
        "complete": True,
    }


@with_node
async def test_names_that_look_alike_are_shown_together(node: NodeUnderTest) -> None:
    await mount_odd(node, GRANT)
    alikes = ["Ann Lee", "ann  lee ", "\uff21\uff2e\uff2e LEE"]
    entities = [await entity(node, name) for name in alikes]
    groups = [await group(node, name) for name in alikes]
    aliases = [await alias(node, name, made) for name, made in zip(alikes, entities, strict=True)]
    for number in range(300):
        await entity(node, f"other {number}")
        await group(node, f"other {number}")
    found = (await node.read("identity/duplicates")).data
    for kind, made in (("entities", entities), ("groups", groups), ("aliases", aliases)):
        (case,) = found[kind]
        assert case["name"] == "ann lee"
        assert sorted(shown["id"] for shown in case[kind]) == sorted(made)
    assert found["people"] == []
    assert found["complete"]


@with_node
async def test_somebody_with_two_entities_is_shown(node: NodeUnderTest) -> None:
    await mount_odd(node, GRANT)
    await mount_odd(node, GRANT, "auth/else/")
    here, there, both = [await entity(node, name) for name in ("here", "there", "both")]
    first = await alias(node, "ann", here)
    second = await alias(node, "Ann", there, "auth/else/")
    await alias(node, "bea", both)
    await alias(node, "bea", both, "auth/else/")
    found = (await node.read("identity/duplicates")).data
    assert found["aliases"] == found["entities"] == []
    (case,) = found["people"]
    assert {shown["id"]: shown["canonical_id"] for shown in case["aliases"]} == {
        first: here,
        second: there,
    }
    assert {shown["mount_path"] for shown in case["aliases"]} == {"auth/odd/", "auth/else/"}
    await node.ok("identity/entity/merge", {"to_entity_id": here, "from_entity_ids": [there]})
    assert (await node.read("identity/duplicates")).data["people"] == []


def test_repeats_are_found_among_many() -> None:
    repeats = Repeats(20_000)
    for number in range(20_000):
        repeats.note("name", str(number))
    for number in range(0, 20_000, 1000):
        repeats.note("name", str(number))
    found = [number for number in range(20_000) if repeats.repeated("name", str(number))]
    assert set(range(0, 20_000, 1000)) <= set(found)
    assert len(found) < 200


def test_what_looks_alike() -> None:
    assert alike(" Stra\u00dfe\t1 ") == alike("STRASSE 1")
    assert alike("e\u0301") == alike("\u00e9") == alike("\u00c9")
    assert alike("a b") != alike("ab")


@with_node
async def test_of_very_many_cases_only_some_are_kept(node: NodeUnderTest) -> None:
    for number in range(30):
        await entity(node, f"ann {number}")
        await entity(node, f"ann  {number}")
    whole = (await node.read("identity/duplicates")).data
    assert (len(whole["entities"]), whole["complete"]) == (30, True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "MOST_KEPT", 7)
        some = (await node.read("identity/duplicates")).data
    assert (len(some["entities"]), some["complete"]) == (7, False)
    assert all(len(case["entities"]) == 2 for case in some["entities"])
