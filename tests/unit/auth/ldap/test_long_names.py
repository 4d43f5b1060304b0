"""Policies for people and groups with long names, and with names in any script."""

import pytest

from tests.people_of_directory import People, with_people
from tests.services.directory_entries import PASSWORDS

BEGINNING = "\u6f22" * 150
LONG = [f"{BEGINNING}{end}" for end in ("a", "b", "%/" * 40 + "c")]


async def part_of_list(people: People, where: str, before: list[str]) -> list[str]:
    query = {"limit": "2", "after": before[-1] if before else ""}
    response = await people.node.listing(where, query=query)
    found: list[str] = (response.data or {}).get("keys", [])
    return found


@pytest.mark.parametrize("folder", ["users", "groups"])
def test_names_of_any_length_are_written_listed_read_and_deleted(folder: str) -> None:
    @with_people
    async def test(people: People) -> None:
        node, where = people.node, f"auth/ldap/{folder}"
        most = 256 if folder == "users" else 1024
        names = [
            "\u6f22" * 64, "\U00020000" * 64, "%" * 64, "\u6f22" * most, "x" * most, "%" * most, *LONG
        ]  # fmt: skip
        for number, name in enumerate(names):
            await node.ok(f"{where}/{name}", {"policies": [f"p{number}"]})
        for number, name in enumerate(names):
            assert (await node.read(f"{where}/{name}")).data["policies"] == (f"p{number}",)
        keys = (await node.listing(where)).data["keys"]
        assert sorted(keys) == sorted(names)
        pieces: list[str] = []
        while part := await part_of_list(people, where, pieces):
            pieces += part
        assert pieces == keys
        await node.delete(f"{where}/{LONG[0]}")
        assert sorted((await node.listing(where)).data["keys"]) == sorted({*names} - {LONG[0]})
        assert (await node.write(f"{where}/{'x' * (most + 1)}", {})).status == 400

    test()


@with_people
async def test_the_members_of_a_group_with_a_long_name_get_its_policies(people: People) -> None:
    for number, name in enumerate(LONG):
        await people.node.ok(f"auth/ldap/groups/{name}", {"policies": [f"p{number}"]})
    await people.node.ok("auth/ldap/users/ada", {"groups": LONG[1:]})
    auth = await people.logged_in("ada", PASSWORDS["ada"])
    assert {"p1", "p2"} <= {*auth["policies"]}
    assert "p0" not in auth["policies"]


@with_people
async def test_somebody_with_a_long_name_is_just_somebody(people: People) -> None:
    answer = await people.login("\u6f22" * 256, "wrong")
    assert answer.status == 400
    assert answer.data["errors"] == ["ldap operation failed: failed to bind as user"]
