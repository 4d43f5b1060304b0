"""Entities, groups and logins, for tests about who somebody is."""

from typing import Any

from tests.node import NodeUnderTest


async def entity(node: NodeUnderTest, name: str, **fields: Any) -> str:
    """Make an entity; its id."""
    made: str = (await node.ok("identity/entity", {"name": name, **fields})).data["id"]
    return made


async def group(node: NodeUnderTest, name: str, **fields: Any) -> str:
    """Make a group; its id."""
    made: str = (await node.ok("identity/group", {"name": name, **fields})).data["id"]
    return made


async def external_group(
    node: NodeUnderTest, name: str, *, at: str = "auth/odd/", **fields: Any
) -> str:
    """Make an external group that is called `name` at a mount too; its id."""
    made = await group(node, name, type="external", **fields)
    body = {"name": name, "mount_accessor": await accessor(node, at), "canonical_id": made}
    await node.ok("identity/group-alias", body)
    return made


async def accessor(node: NodeUnderTest, path: str) -> str:
    """The accessor of a mount."""
    found: str = (await node.read(f"sys/{path.rstrip('/')}")).data["accessor"]
    return found


async def alias(node: NodeUnderTest, name: str, entity_id: str, at: str = "auth/odd/") -> str:
    """Make an alias of an entity; its id."""
    body = {"name": name, "mount_accessor": await accessor(node, at), "canonical_id": entity_id}
    made: str = (await node.ok("identity/entity-alias", body)).data["id"]
    return made


async def log_in(node: NodeUnderTest, path: str = "auth/odd/") -> tuple[str, str]:
    """Log in at an `Odd`; the token and the entity's id."""
    response = await node.ok(f"{path}login", token="")
    assert response.auth is not None
    return response.auth["client_token"], response.auth["entity_id"]


async def opens(node: NodeUnderTest, token: str, *names: str) -> list[str]:
    """Those of `names` of which the token may read the policy of that name."""
    answers = {name: await node.read(f"sys/policies/acl/{name}", token=token) for name in names}
    return [name for name, answer in answers.items() if answer.status == 200]


async def keys(node: NodeUnderTest, *names: str) -> None:
    """Policies that each let nothing but themselves be read, so that `opens` shows who has them."""
    for name in names:
        await node.policy(name, {f"sys/policies/acl/{name}": "read"})


async def groups_of(node: NodeUnderTest, entity_id: str) -> list[str]:
    """The ids of all groups that an entity is in."""
    found: list[str] = (await node.read(f"identity/entity/id/{entity_id}")).data["group_ids"]
    return found


async def members_of(node: NodeUnderTest, group_id: str) -> list[str]:
    """The ids of the entities in a group."""
    shown = (await node.read(f"identity/group/id/{group_id}")).data
    return list(shown["member_entity_ids"] or ())
