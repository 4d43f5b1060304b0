"""Processes that have worked for a while against one that has only just been unsealed.

Whatever is kept in memory must not be seen: a process that knows nothing answers the same. Two
processes change tokens, policies, entities, groups and mounts over one storage, in any order and
with a small cache, and after each change every token is tried at both and at a third, new one.
"""

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.node import NodeUnderTest

T = TypeVar("T")
NODES = st.integers(0, 1)
POLICIES = ("one", "two")
PATHS = ("secret/a", "secret/b", "auth/token/lookup-self")
CAPABILITIES = st.sampled_from(['"read"', '"deny"', '"list"', '"create", "read"'])
PEERS = ("127.0.0.1:1", "10.0.0.1:1")


class Processes(RuleBasedStateMachine):
    """Any order of changes, at either of two processes."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.nodes = [self._run(NodeUnderTest.start())]
        self.nodes.append(self._run(self.nodes[0].another()))
        for node in self.nodes:
            # so small that records have to make room for others
            node.core.storage._room = 12_000
        self.tokens: list[str] = []
        self.entity = ""
        self.mounted = True

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def _ok(self, node: int, path: str, body: dict[str, Any]) -> None:
        self._run(self.nodes[node].ok(path, body))

    @initialize()
    def furnish(self) -> None:
        self._ok(0, "sys/mounts/secret", {"type": "kv"})
        self._ok(0, "secret/a", {"value": "a"})
        self._ok(0, "secret/b", {"value": "b"})
        for name in POLICIES:
            self.write_policy(1, name, "secret/*", '"read"', 0)
        self._run(self.nodes[0].user(token_policies=["one"]))
        self.log_in(0)
        self.create(1, 0, ttl=50, kind="service", bound=False)

    @rule(node=NODES)
    def log_in(self, node: int) -> None:
        response = self._run(self.nodes[node].login())
        if response.auth is not None:
            self.tokens.append(response.auth["client_token"])
            self.entity = response.auth["entity_id"]

    @rule(
        node=NODES,
        parent=st.integers(0, 9),
        ttl=st.sampled_from([20, 50, 200]),
        kind=st.sampled_from(["service", "batch"]),
        bound=st.booleans(),
    )
    def create(self, node: int, parent: int, ttl: int, kind: str, *, bound: bool) -> None:
        """A child of the root token, or of another one that lives and may have children."""

        async def made() -> str:
            where = self.nodes[node]
            wanted: dict[str, Any] = {"policies": ["one", "two"], "ttl": ttl, "type": kind}
            if bound:
                role = {"token_bound_cidrs": ["127.0.0.0/8"], "allowed_policies": ["one", "two"]}
                await where.ok("auth/token/roles/bound", role)
                return str((await where.token(path="create/bound", **wanted))["client_token"])
            by = self.tokens[parent % len(self.tokens)] if parent and self.tokens else ""
            child = await where.write("auth/token/create", wanted, token=by) if by else None
            if child is not None and child.auth is not None:
                return str(child.auth["client_token"])
            return str((await where.token(**wanted))["client_token"])

        self.tokens.append(self._run(made()))

    @rule(
        node=NODES,
        name=st.sampled_from(POLICIES),
        path=st.sampled_from(["secret/a", "secret/*", "auth/token/create"]),
        capabilities=CAPABILITIES,
        ttl=st.sampled_from([0, 0, 30]),
    )
    def write_policy(self, node: int, name: str, path: str, capabilities: str, ttl: int) -> None:
        text = (
            f'path "{path}" {{ capabilities = [{capabilities}] }}\n'
            'path "auth/token/create" { capabilities = ["update"] }\n'
            'path "secret/{{identity.entity.name}}" { capabilities = ["read"] }'
        )
        body = {"policy": text} | ({"ttl": ttl} if ttl else {})
        self._ok(node, f"sys/policies/acl/{name}", body)

    @rule(node=NODES, name=st.sampled_from(POLICIES))
    def delete_policy(self, node: int, name: str) -> None:
        self._run(self.nodes[node].delete(f"sys/policies/acl/{name}"))

    @rule(node=NODES, number=st.integers(0, 9), how=st.sampled_from(["revoke", "revoke-orphan"]))
    def revoke(self, node: int, number: int, how: str) -> None:
        token = self.tokens[number % len(self.tokens)] if self.tokens else "none"
        self._run(self.nodes[node].write(f"auth/token/{how}", {"token": token}))

    @rule(node=NODES, number=st.integers(0, 9))
    def renew(self, node: int, number: int) -> None:
        token = self.tokens[number % len(self.tokens)] if self.tokens else "none"
        self._run(self.nodes[node].write("auth/token/renew", {"token": token, "increment": 60}))

    @rule(
        node=NODES,
        disabled=st.booleans(),
        name=st.sampled_from(["a", "b", "c"]),
        policies=st.lists(st.sampled_from(POLICIES), max_size=2),
    )
    def change_entity(self, node: int, *, disabled: bool, name: str, policies: list[str]) -> None:
        body = {"disabled": disabled, "name": name, "policies": policies}
        self._run(self.nodes[node].write(f"identity/entity/id/{self.entity}", body))

    @rule(node=NODES, member=st.booleans(), policies=st.lists(st.sampled_from(POLICIES)))
    def change_group(self, node: int, *, member: bool, policies: list[str]) -> None:
        members = [self.entity] if member else []
        body = {"member_entity_ids": members, "policies": policies}
        self._run(self.nodes[node].write("identity/group/name/team", body))

    @rule(node=NODES)
    def switch_mount(self, node: int) -> None:
        """Disabling an auth method ends its tokens."""
        if self.mounted:
            self._run(self.nodes[node].delete("sys/auth/userpass"))
        else:
            self._run(self.nodes[node].user(token_policies=["one"]))
        self.mounted = not self.mounted

    @rule(seconds=st.sampled_from([1, 19, 30, 60]))
    def wait(self, seconds: int) -> None:
        self.nodes[0].clock.advance(seconds)  # all of them have this clock

    @rule(node=NODES)
    def sweep(self, node: int) -> None:
        self._run(self.nodes[node].sweep())

    @invariant()
    def nobody_remembers_what_is_not_true(self) -> None:
        self._run(self._compare())

    async def _compare(self) -> None:
        for peer in PEERS:
            new = await self.nodes[0].another()
            for token, path in itertools.product(self.tokens[-6:], PATHS):
                expected = (await new.read(path, token=token, peer=peer)).status
                for node in self.nodes:
                    for _ in range(2):  # the second time, more is known
                        found = (await node.read(path, token=token, peer=peer)).status
                        assert found == expected, (path, peer)

    def teardown(self) -> None:
        self._run(self.nodes[0].node.stop())
        self.loop.close()


TestProcesses = Processes.TestCase
TestProcesses.settings = settings(max_examples=25, stateful_step_count=14, deadline=None)
