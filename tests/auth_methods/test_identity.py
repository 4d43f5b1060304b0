"""Who somebody is: names, metadata, entity, alias and groups of a login."""

import asyncio

from tests.auth_methods.adapters import METHODS
from tests.auth_methods.method import JsonMap, Method, plain
from tests.auth_methods.running import every_method, of_each_method, stored, with_method
from tests.node import errors
from tests.people import external_group, groups_of, keys, members_of, opens


async def entity_of(method: Method, auth: JsonMap) -> JsonMap:
    response = await method.node.read(f"identity/entity/id/{auth['entity_id']}")
    assert response.status == 200
    found: JsonMap = plain(response.data)
    return found


@every_method
async def test_a_login_tells_who_it_is_for(method: Method) -> None:
    await method.write()
    auth = await method.log_in()
    identity = await method.identity()
    assert auth["metadata"] == identity.metadata
    known = await method.lookup(auth)
    assert known["display_name"] == identity.display_name
    assert known["meta"] == identity.metadata
    entity = await entity_of(method, auth)
    (alias,) = entity["aliases"]
    assert alias["name"] == identity.alias
    assert (alias["mount_type"], alias["mount_path"]) == (method.kind, f"{method.mount}/")


@every_method
async def test_entity_and_alias_are_made_once(method: Method) -> None:
    await method.write()
    first = await method.log_in()
    entity = await entity_of(method, first)
    method.node.clock.advance(60)
    second = await method.log_in()
    assert second["client_token"] != first["client_token"]
    assert second["entity_id"] == first["entity_id"]
    again = await entity_of(method, second)
    assert [alias["id"] for alias in again["aliases"]] == [
        alias["id"] for alias in entity["aliases"]
    ]


@every_method
async def test_entity_and_alias_are_made_once_by_logins_at_once(method: Method) -> None:
    await method.write()
    logins = [await method.login() for _ in range(8)]
    answers = await asyncio.gather(*map(method.send, logins))
    granted = [answer.auth for answer in answers if answer.auth is not None]
    assert len(granted) == 8
    assert len({auth["entity_id"] for auth in granted}) == 1
    assert len({auth["client_token"] for auth in granted}) == 8
    assert len((await method.node.listing("identity/entity/id")).data["keys"]) == 1
    assert len((await method.node.listing("identity/entity-alias/id")).data["keys"]) == 1


@every_method
async def test_an_alias_that_is_there_already_decides_on_the_entity(method: Method) -> None:
    await method.write()
    accessor = (await method.node.read(f"sys/{method.mount}")).data["accessor"]
    await keys(method.node, "own")
    body = {"name": "chosen", "policies": ["own"]}
    chosen = (await method.node.ok("identity/entity", body)).data["id"]
    alias = {
        "name": (await method.identity()).alias,
        "mount_accessor": accessor,
        "canonical_id": chosen,
    }
    await method.node.ok("identity/entity-alias", alias)
    auth = await method.log_in()
    assert auth["entity_id"] == chosen
    assert auth["identity_policies"] == ["own"]
    assert await opens(method.node, auth["client_token"], "own") == ["own"]


@every_method
async def test_two_mounts_of_a_method_have_people_of_their_own(method: Method) -> None:
    await method.write()
    login = await method.login()
    await method.node.ok("sys/auth/other", {"type": method.kind})
    refused = await method.node.write(f"auth/other/{login.path}", login.body, token="")
    assert refused.status in (400, 403)
    entry = await method.node.read(f"auth/other/{method.entry_path}")
    assert entry.status == (200 if method.entry_is_always_there else 404)
    assert (await method.log_in())["entity_id"]


@every_method
async def test_whose_entity_is_disabled_does_not_log_in(method: Method) -> None:
    await method.write()
    auth = await method.log_in()
    path = f"identity/entity/id/{auth['entity_id']}"
    await method.node.ok(path, {"disabled": True})
    assert not await method.node.lives(auth["client_token"])
    login = await method.login()
    before = stored(method)
    response = await method.send(login)
    assert (response.status, response.auth) == (403, None)
    assert "disabled" in errors(response)[0]
    assert stored(method) == before
    await method.node.ok(path, {"disabled": False})
    await method.log_in()


@every_method
async def test_a_deleted_entity_is_made_anew(method: Method) -> None:
    await method.write()
    first = await method.log_in()
    await method.node.delete(f"identity/entity/id/{first['entity_id']}")
    second = await method.log_in()
    assert second["entity_id"] != first["entity_id"]
    assert not await method.node.lives(first["client_token"])


@every_method
async def test_another_spelling_is_the_same_person_or_nobody(method: Method) -> None:
    await method.write(token_policies="own")
    auth = await method.log_in()
    for login in await method.other_spellings():
        response = await method.send(login)
        if response.status == 200:
            assert response.auth is not None
            again: JsonMap = plain(response.auth)
            assert again["entity_id"] == auth["entity_id"]
            assert again["policies"] == auth["policies"]
            assert method.metadata_keep_spelling or again["metadata"] == auth["metadata"]
        else:
            assert response.status in (400, 403, 404), login
    assert len((await method.node.listing("identity/entity/id")).data["keys"]) == 1


@of_each_method(kind for kind in METHODS if kind.has_groups)
def test_a_login_is_in_just_the_groups_that_it_tells(kind: type[Method]) -> None:
    @with_method(kind)
    async def test(method: Method) -> None:
        await method.write()
        await keys(method.node, "staff", "admins")
        at = f"{method.mount}/"
        staff = await external_group(method.node, "staff", at=at, policies="staff")
        admins = await external_group(method.node, "admins", at=at, policies="admins")
        method.join("staff", "admins", "unknown")
        auth = await method.log_in()
        assert auth["identity_policies"] == ["admins", "staff"]
        assert await opens(method.node, auth["client_token"], "staff", "admins") == [
            "staff",
            "admins",
        ]
        assert sorted(await groups_of(method.node, auth["entity_id"])) == sorted([staff, admins])
        method.join("admins")
        await method.log_in()
        assert await opens(method.node, auth["client_token"], "staff", "admins") == ["admins"]
        assert await members_of(method.node, staff) == []
        method.join()
        await method.log_in()
        assert await opens(method.node, auth["client_token"], "staff", "admins") == []

    test()
