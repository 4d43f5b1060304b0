"""Recovery keys of a server that unseals by itself: replaced by their holders, who have a say."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

from tests.clock import ManualClock
from tests.node import ROOT_TOKEN, NodeUnderTest, errors
from tests.unit.barrier.keeper import Keeper
from tests.unit.system.test_pgp import ADA, BOB, public, read_by
from wardgate.barrier.auto_seal import AutoSeal
from wardgate.core.bootstrap import first_writes
from wardgate.core.settings import Settings
from wardgate.server.node import Node
from wardgate.store.interface import Store
from wardgate.store.memory import MemoryStore


class Machine:
    """Servers over one storage, and the seal that they share."""

    def __init__(self) -> None:
        self.store: Store = MemoryStore()
        self.keeper = Keeper()
        self.clock = ManualClock()

    def sealed(self) -> NodeUnderTest:
        node = Node(self.store, Settings(), self.clock, wrapper=self.keeper)
        return NodeUnderTest(node, self.store, self.clock, [])

    async def new(self, shares: int, threshold: int) -> tuple[NodeUnderTest, list[str]]:
        """A server whose root token is `ROOT_TOKEN`, and its recovery keys."""
        server = self.sealed()
        _, writes = await first_writes(server.core, ROOT_TOKEN)
        made = await server.node.seal.initialize(shares, threshold, writes)
        return server, [key.hex() for key in made.recovery_keys]

    async def another(self) -> NodeUnderTest:
        server = self.sealed()
        assert await seal_of(server).open()
        return server


def seal_of(server: NodeUnderTest) -> AutoSeal:
    assert isinstance(server.node.seal, AutoSeal)
    return server.node.seal


def on_a_machine(test: Callable[[Machine], Awaitable[None]]) -> Callable[[], None]:
    def run() -> None:
        async def whole() -> None:
            await test(Machine())

        asyncio.run(whole())

    return run


async def give(server: NodeUnderTest, path: str, nonce: str, *keys: str) -> dict[str, Any]:
    """The answer to the last of `keys`."""
    for key in keys:
        answer = await server.write(path, {"key": key, "nonce": nonce})
        assert answer.status == 200, answer.data
    found: dict[str, Any] = answer.data
    return found


async def proves(server: NodeUnderTest, *keys: str) -> bool:
    """Whether these keys open the server after it was sealed by hand. Then it is open."""
    server.node.barrier.seal()
    answers = [await server.write("sys/unseal", {"key": key}, token="") for key in keys]
    opened = answers[-1].status == 200 and answers[-1].data["sealed"] is False
    if not opened:
        await seal_of(server).open()
    return opened


@on_a_machine
async def test_new_ones_are_in_force_for_every_process(machine: Machine) -> None:
    server, old = await machine.new(3, 2)
    other = await machine.another()
    begun = await server.write(
        "sys/rotate/recovery/init", {"secret_shares": 2, "secret_threshold": 2}
    )
    await give(server, "sys/rotate/recovery/update", begun.data["nonce"], old[0])
    made = await give(other, "sys/rotate/recovery/update", begun.data["nonce"], old[2])
    new = made["keys"]
    for process in (server, other, await machine.another()):
        assert await proves(process, *new)
        assert not await proves(process, *old[:2])
    begun = await server.write("sys/generate-root-token/attempt", {})
    body = {"nonce": begun.data["nonce"]}
    refused = await server.write("sys/generate-root-token/update", {**body, "key": old[0]})
    assert refused.status == 400
    done = await give(server, "sys/generate-root-token/update", begun.data["nonce"], *new)
    assert done["complete"]


@on_a_machine
async def test_what_waits_for_its_verification_outlives_a_new_root_key(machine: Machine) -> None:
    """Recovery keys hang on no root key, so neither change is in the way of the other."""
    server, old = await machine.new(3, 2)
    asked = {"secret_shares": 1, "secret_threshold": 1, "require_verification": True}
    begun = await server.write("sys/rotate/recovery/init", asked)
    made = await give(server, "sys/rotate/recovery/update", begun.data["nonce"], *old[:2])
    assert await proves(server, *old[:2])
    assert (await server.write("sys/rotate/root")).status == 204
    (new,) = made["keys"]
    await give(server, "sys/rotate/recovery/verify", str(made["verification_nonce"]), new)
    assert await proves(server, new)
    assert not await proves(server, *old[:2])


@on_a_machine
async def test_holders_replace_the_root_key_and_get_no_keys(machine: Machine) -> None:
    server, keys = await machine.new(3, 2)
    other = await machine.another()
    before = await machine.store.get("barrier/seal")
    begun = await server.write("sys/rotate/root/init", {})
    done = await give(server, "sys/rotate/root/update", begun.data["nonce"], *keys[:2])
    assert done["keys"] == []
    assert await machine.store.get("barrier/seal") != before
    for process in (server, other, await machine.another()):
        assert (await process.read("auth/token/lookup-self")).status == 200
        assert await proves(process, *keys[1:])


@on_a_machine
async def test_while_the_seal_is_away_the_root_key_stays(machine: Machine) -> None:
    server, keys = await machine.new(1, 1)
    begun = await server.write("sys/rotate/root/init", {})
    machine.keeper.away = True
    body = {"key": keys[0], "nonce": begun.data["nonce"]}
    assert (await server.write("sys/rotate/root/update", body)).status == 503
    machine.keeper.away = False
    assert (await server.write("sys/rotate/root/update", body)).status == 200
    assert await proves(await machine.another(), *keys)


@on_a_machine
async def test_without_recovery_keys_the_first_ones_are_made_at_once(machine: Machine) -> None:
    server, _ = await machine.new(0, 0)
    begun = await server.write("sys/generate-root-token/attempt", {})
    body = {"nonce": begun.data["nonce"], "key": "00" * 32}
    assert (await server.write("sys/generate-root-token/update", body)).status == 400
    asked = {"secret_shares": 2, "secret_threshold": 2}
    made = await server.write("sys/rotate/recovery/init", asked)
    assert await proves(await machine.another(), *made.data["keys"])
    again = await server.write("sys/rotate/recovery/init", asked)
    assert "keys" not in again.data


@on_a_machine
async def test_the_first_ones_may_be_verified(machine: Machine) -> None:
    server, _ = await machine.new(0, 0)
    asked = {"secret_shares": 1, "secret_threshold": 1, "require_verification": True}
    made = (await server.write("sys/rotate/recovery/init", asked)).data
    assert not await proves(server, *made["keys"])
    await give(server, "sys/rotate/recovery/verify", made["verification_nonce"], *made["keys"])
    assert await proves(server, *made["keys"])


@on_a_machine
async def test_they_are_encrypted_to_pgp_keys(machine: Machine) -> None:
    server = machine.sealed()
    body = {"recovery_shares": 2, "recovery_threshold": 2, "recovery_pgp_keys": [public(ADA)]}
    refused = await server.write("sys/init", body, token="")
    assert errors(refused) == ["recovery_pgp_keys: give one key for each share"]
    body["recovery_pgp_keys"] = [public(ADA), public(BOB)]
    body["root_token_pgp_key"] = public(ADA)
    made = (await server.write("sys/init", body, token="")).data
    messages = [base64.b64decode(message) for message in made["recovery_keys_base64"]]
    assert [message.hex() for message in messages] == made["recovery_keys"]
    assert await proves(server, read_by(ADA, messages[0]), read_by(BOB, messages[1]))
    token = read_by(ADA, base64.b64decode(made["root_token"]))
    assert (await server.read("auth/token/lookup-self", token=token)).status == 200
