"""A new server sets itself up: all of it, or nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tests.node import NodeUnderTest
from tests.unit.barrier.keeper import Keeper
from wardgate.barrier.auto_seal import AutoSeal
from wardgate.barrier.errors import SealFailed
from wardgate.core import json
from wardgate.core.settings import Settings
from wardgate.server.config import load_config
from wardgate.server.node import Node
from wardgate.server.self_init.run import SelfInitFailed, initialise
from wardgate.store.interface import Store
from wardgate.store.memory import MemoryStore

HEAD = (
    'storage "inmem" {}\nlistener "tcp" { tls_disable = 1 }\n'
    'seal "static" { current_key_id = "a" current_key = "b" }\n'
)
USERPASS = """
    request "mount" {
      operation = "update"
      path      = "sys/auth/userpass"
      data      = { type = "userpass" }
    }
"""
ADMIN = """
    request "admin" {
      operation = "update"
      path      = "auth/token/create"
      data      = { id = "root" no_parent = true policies = ["root"] }
    }
"""
MOUNT = 'request "kv" { operation = "update" path = "sys/mounts/kv" data = { type = "kv" } }'


class Machine:
    """Storage and seal that servers come and go over."""

    def __init__(self, folder: Path) -> None:
        self.store: Store = MemoryStore()
        self.keeper = Keeper()
        self.clock = ManualClock()
        self._folder = folder

    def node(self, store: Store) -> Node:
        settings = Settings(initialises_itself=True)
        return Node(store, settings, self.clock, wrapper=self.keeper)

    async def initialise(self, *requests: str, environ: Mapping[str, str] | None = None) -> None:
        file = self._folder / "w.hcl"
        file.write_text(HEAD + 'initialize "a" {\n' + "\n".join(requests) + "\n}")
        config, _ = load_config([file], environ={})
        await initialise(self.store, self.node, config.initialize, environ or {})

    async def server(self) -> NodeUnderTest:
        """A server over what is there now, unsealed by itself."""
        node = self.node(self.store)
        assert isinstance(node.seal, AutoSeal)
        assert await node.seal.open(), "nothing was initialised"
        return NodeUnderTest(node, self.store, self.clock, [])

    async def untouched(self) -> bool:
        return await self.store.list("") == [] and await self.store.revision() == 0


def on_a_machine(body: Callable[[Machine], Awaitable[None]]) -> Callable[[Path], None]:
    def test(tmp_path: Path) -> None:
        async def run() -> None:
            await body(Machine(tmp_path))

        asyncio.run(run())

    test.__doc__ = body.__doc__
    return test


@on_a_machine
async def test_what_the_requests_made_is_there(machine: Machine) -> None:
    await machine.initialise(
        USERPASS,
        ADMIN,
        'request "ada" { operation = "create" path = "auth/userpass/users/ada" data = {'
        ' password = { eval_source = "env" eval_type = "string" env_var = "PW" } } }',
        environ={"PW": "correct horse"},
    )
    server = await machine.server()
    assert (await server.login()).status == 200
    assert (await server.read("auth/token/lookup-self")).data["path"] == "auth/token/create"
    assert await server.store.revision() == 2  # one commit, and the login


@on_a_machine
async def test_the_root_token_ends_and_with_it_its_children(machine: Machine) -> None:
    await machine.initialise(
        ADMIN,
        'request "child" { operation = "update" path = "auth/token/create" data = { id = "child" } }',
    )
    server = await machine.server()
    await server.sweep()
    assert not await server.lives("child")
    listed = (await server.listing("auth/token/accessors")).data["keys"]
    assert len(listed) == 1  # that of ADMIN


@on_a_machine
async def test_nobody_else_initialises_such_a_server(machine: Machine) -> None:
    node = machine.node(machine.store)
    server = NodeUnderTest(node, machine.store, machine.clock, [])
    refused = await server.write("sys/init", {"recovery_shares": 1}, token="")
    assert refused.status == 400
    assert await machine.untouched()


@pytest.mark.parametrize(
    ("request_text", "problem"),
    [
        ('operation = "update" path = "no/where"', "was refused: 404"),
        (
            'operation = "update" path = "sys/mounts/kv" data = { type = "frob" }',
            "was refused: 400",
        ),
        ('operation = "read" path = "auth/token/lookup-self" token = "no"', "was refused: 403"),
        ('operation = "read" path = "sys/../sys/mounts"', "the path must not contain"),
        ('operation = "read" path = "/sys/mounts"', "the path must not contain"),
        (
            'operation = "read" path = { eval_source = "env" eval_type = "string" env_var = "V"'
            " require_present = true }",
            "the variable V is not set",
        ),
        (
            'operation = "read" path = { eval_source = "env" eval_type = "string" env_var = "V" }',
            "path: must be the path of a request",
        ),
        (
            'operation = { eval_source = "env" eval_type = "any" env_var = "V" } path = "sys/mounts"',
            "operation: must be one of",
        ),
        (
            'operation = "read" path = { eval_source = "file" eval_type = "string" path = "/no" }',
            "the file cannot be read: No such file or directory",
        ),
        (
            'operation = "read" path = "p" data = { eval_source = "env" eval_type = "map"'
            ' env_var = "V" }',
            "the value is no map",
        ),
        (
            'operation = "update" path = "sys/seal"',
            "Vault is sealed",
        ),
    ],
)
def test_a_request_that_fails_leaves_nothing(
    tmp_path: Path, request_text: str, problem: str
) -> None:
    async def run() -> None:
        machine = Machine(tmp_path)
        failing = f'request "bad" {{ {request_text} }}'
        with pytest.raises(SelfInitFailed) as failure:
            await machine.initialise(USERPASS, ADMIN, failing, MOUNT)
        assert problem in str(failure.value)
        assert await machine.untouched()
        await machine.initialise(USERPASS, ADMIN, MOUNT)
        assert (await (await machine.server()).read("sys/mounts/kv")).status == 200

    asyncio.run(run())


@on_a_machine
async def test_a_failure_names_the_request_and_no_value(machine: Machine) -> None:
    with pytest.raises(SelfInitFailed) as failure:
        await machine.initialise(
            USERPASS,
            'request "bad" { operation = "update" path = "auth/userpass/users/ada" data = {'
            ' password = { eval_source = "env" eval_type = "string" env_var = "PW" }'
            ' token_ttl = "hunter2" } }',
            environ={"PW": "hunter2"},
        )
    said = str(failure.value)
    assert 'initialize "a": request "bad": was refused: 400' in said
    assert "hunter2" not in said


@on_a_machine
async def test_a_request_may_be_allowed_to_fail(machine: Machine) -> None:
    await machine.initialise(
        ADMIN,
        'request "bad" { operation = "update" path = "no/where" allow_failure = true }',
        'request "worse" { operation = "update" path = "no/where" allow_failure = {'
        ' eval_source = "env" eval_type = "bool" env_var = "LENIENT" } }',
        environ={"LENIENT": "true"},
    )
    assert await (await machine.server()).lives("root")


@on_a_machine
async def test_to_find_nothing_is_no_failure(machine: Machine) -> None:
    await machine.initialise(
        MOUNT,
        'request "read" { operation = "read" path = "kv/nothing" }',
        'request "list" { operation = "list" path = "kv/" }',
    )


@on_a_machine
async def test_earlier_requests_and_responses_can_be_used(machine: Machine) -> None:
    reference = 'eval_type = "any" initialize_name = "a"'
    await machine.initialise(
        ADMIN,
        MOUNT,
        'request "new" { operation = "update" path = "auth/token/create" data = {'
        ' policies = ["root"] ttl = 60 } }',
        'request "write" { operation = "update" path = "kv/a" data = {'
        f' path = {{ eval_source = "request" request_name = "kv" {reference}'
        ' field_selector = "path" }'
        f' type = {{ eval_source = "request" request_name = "kv" {reference}'
        ' field_selector = ["data", "type"] } }'
        f' token = {{ eval_source = "response" response_name = "new" {reference}'
        ' field_selector = ["auth", "client_token"] } }',
    )
    read = await (await machine.server()).read("kv/a")
    assert json.decode(read.data) == {"path": "sys/mounts/kv", "type": "kv"}


@on_a_machine
async def test_a_field_that_a_response_lacks_is_a_failure(machine: Machine) -> None:
    with pytest.raises(SelfInitFailed, match="has no field nope"):
        await machine.initialise(
            MOUNT,
            'request "write" { operation = "update" path = "kv/a" data = { x = {'
            ' eval_source = "response" eval_type = "any" initialize_name = "a"'
            ' response_name = "kv" field_selector = ["data", "nope"] } } }',
        )
    assert await machine.untouched()


@on_a_machine
async def test_of_two_processes_one_makes_the_server(machine: Machine) -> None:
    await asyncio.gather(machine.initialise(ADMIN, MOUNT), machine.initialise(ADMIN, MOUNT))
    server = await machine.server()
    assert await server.lives("root")
    assert await server.store.revision() == 1


@on_a_machine
async def test_without_its_seal_nothing_happens(machine: Machine) -> None:
    machine.keeper.away = True
    with pytest.raises(SealFailed):
        await machine.initialise(ADMIN)
    assert await machine.untouched()
    machine.keeper.away = False
    await machine.initialise(ADMIN)
    assert await (await machine.server()).lives("root")
