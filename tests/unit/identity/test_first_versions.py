"""A data directory that was made before there was an identity mount."""

import hashlib
from base64 import urlsafe_b64encode
from typing import Any

from tests.node import NodeUnderTest, with_node
from tests.odd import mount_odd
from tests.people import accessor, group, keys, log_in, opens
from wardgate.core.identity import ENTITIES
from wardgate.core.identity.indexing import INDEXED
from wardgate.core.mounts import TABLE_KEY, Mount
from wardgate.core.records import Codec
from wardgate.core.request import TokenGrant
from wardgate.core.storage import Transaction

_TABLE: Codec[tuple[Mount, ...]] = Codec(tuple[Mount, ...])
_RECORD: Codec[dict[str, Any]] = Codec(dict[str, Any])
_ID: Codec[str] = Codec(str)
GRANT = TokenGrant(display_name="a", alias="user0")


async def _as_it_was(node: NodeUnderTest, people: int) -> None:
    """What the first version would have stored: no identity mount, entities and aliases only."""
    at = await accessor(node, "auth/odd/")

    async def work(transaction: Transaction) -> None:
        mounts = (await node.core.mounts.table(transaction)).mounts
        kept = tuple(mount for mount in mounts if mount.path != "identity/")
        transaction.put(TABLE_KEY, kept, _TABLE)
        transaction.delete(INDEXED)
        for number in range(people):
            name, entity_id = f"user{number}", f"00000000-0000-4000-a000-{number:012}"
            digest = hashlib.sha256(name.encode()).digest()[:24]
            key = f"identity/alias/{at}/{urlsafe_b64encode(digest).decode()}"
            entity = {
                "id": entity_id,
                "name": f"entity_{number:08x}",
                "created": node.clock.now(),
                "aliases": [{"id": f"alias{number}", "name": name, "mount_accessor": at}],
                "policies": [],
                "metadata": {},
                "disabled": False,
            }
            transaction.put(ENTITIES + entity_id, entity, _RECORD)
            transaction.put(key, entity_id, _ID)

    await node.core.storage.transact(work)


@with_node
async def test_it_has_the_mount_from_the_first_request_on(node: NodeUnderTest) -> None:
    await mount_odd(node, GRANT)
    await _as_it_was(node, 1)
    nodes = [await node.another(), await node.another()]
    shown = [(await each.read("sys/mounts/identity")).data for each in nodes]
    assert shown[0] == shown[1]
    assert shown[0]["type"] == "identity"
    made = await nodes[0].ok("identity/entity", {"name": "ann"})
    assert (await nodes[1].read("identity/entity/name/ann")).data["id"] == made.data["id"]
    await nodes[1].ok("sys/mounts/kv", {"type": "kv"})  # now it is stored
    assert (await nodes[0].read("sys/mounts/identity")).data == shown[0]


@with_node
async def test_its_entities_are_found_by_name_and_alias_id_after_a_while(
    node: NodeUnderTest,
) -> None:
    await mount_odd(node, GRANT)
    await keys(node, "team")
    await _as_it_was(node, 250)
    token, first = await log_in(node)
    await group(node, "team", policies="team", member_entity_ids=[first])
    assert await opens(node, token, "team") == ["team"]
    await node.core.sweeper.round()
    other = await node.another()
    await other.sweep()
    assert (await other.read("identity/entity/name/ENTITY_000000F9")).status == 200
    alias = (await other.read("identity/entity-alias/id/alias249")).data
    assert (alias["name"], alias["canonical_id"][-3:]) == ("user249", "249")
    assert alias["creation_time"].startswith("2023-11-14")
    assert len((await other.listing("identity/entity-alias/id")).data["keys"]) == 250
    assert await opens(node, token, "team") == ["team"]
    assert await node.keys_below("job/") == []


@with_node
async def test_a_new_server_has_nothing_to_bring_up_to_date(node: NodeUnderTest) -> None:
    assert await node.sweep() == 0
