"""Leases against a simple model: a credential is good while its lease and its token go on, and gone
outside soon after."""

import asyncio
import itertools
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeVar
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from tests.leased import Outside
from tests.node import NodeUnderTest
from wardgate.core.ids import TIME_LENGTH
from wardgate.core.request import Response

T = TypeVar("T")
MAX_TTL = 32 * 86_400
ROLES = ("short", "long")
TTL = {"short": 20, "long": 90}
MOST = {"short": 60, "long": 120}
RULES = {"leased/*": "read", "auth/token/create": "update"}


@dataclass(eq=False)
class Owner:
    """What is known of a token."""

    id: str
    parent: "Owner | None"
    expires: float
    revoked: bool = False
    batch: bool = False

    def lives(self, now: float) -> bool:
        if self.revoked or now >= self.expires:
            return False
        return self.parent is None or self.parent.lives(now)


@dataclass(eq=False)
class Credential:
    """What is known of a lease."""

    id: str
    user: str
    role: str
    owner: Owner
    began: float
    expires: float
    over: bool = False

    def lives(self, now: float) -> bool:
        return not self.over and now < self.expires and self.owner.lives(now)


class Leases(RuleBasedStateMachine):
    """Any order of giving out, renewing, revoking, waiting, failing and sweeping, on any node."""

    owners = Bundle("owners")
    credentials = Bundle("credentials")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        # the order of the sweeper's work follows from ids and salt: what fails must fail again
        numbers = itertools.count()
        self.patches = ExitStack()
        for place, stand_in in (
            (
                "wardgate.core.tokens.store.ordered_base62",
                lambda time, length: f"{next(numbers):0{length + TIME_LENGTH}}",
            ),
            (
                "wardgate.core.leases.store.random_base62",
                lambda length: f"{next(numbers):0{length}}",
            ),
        ):
            self.patches.enter_context(patch(place, stand_in))
        self.patches.enter_context(patch("wardgate.core.bootstrap.new_salt", lambda: bytes(32)))
        self.patches.enter_context(
            patch("wardgate.core.leases.prefixes.new_uuid", lambda: f"{next(numbers):036}")
        )
        self.outside = Outside()
        engines = {"leased": self.outside.engine}
        self.nodes = [self._run(NodeUnderTest.start(more_engines=engines))]
        self.nodes.append(self._run(self.nodes[0].another()))
        self._run(self._prepare())
        self.untouched = set(self._run(self.nodes[0].keys_below("")))
        self.tokens: list[Owner] = []
        self.known: list[Credential] = []

    async def _prepare(self) -> None:
        await self.nodes[0].ok("sys/mounts/leased", {"type": "leased"})
        for role in ROLES:
            await self.nodes[0].ok(
                f"leased/roles/{role}", {"ttl": TTL[role], "max_ttl": MOST[role]}
            )
        await self.nodes[0].policy("reader", RULES)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    @property
    def node(self) -> NodeUnderTest:
        """The two nodes in turn: each knows only what the storage tells it."""
        self.nodes.reverse()
        return self.nodes[0]

    @property
    def now(self) -> float:
        return self.nodes[0].clock.now()

    def _write(self, path: str, **body: Any) -> Response:
        return self._run(self.node.write(path, body))

    @initialize(target=owners)
    def grow(self) -> Any:
        first = self._token(None, 100)
        return multiple(first, self._token(first, 80))

    def _token(self, parent: Owner | None, ttl: int, **fields: Any) -> Owner:
        by = parent.id if parent else "root"
        made = self._run(self.node.token(by=by, policies=["reader"], ttl=ttl, **fields))
        owner = Owner(made["client_token"], parent, self.now + ttl)
        self.tokens.append(owner)
        return owner

    @rule(target=owners, ttl=st.integers(1, 150))
    def create_token(self, ttl: int) -> Owner:
        return self._token(None, ttl)

    @rule(target=owners, parent=owners, ttl=st.integers(1, 150))
    def create_child(self, parent: Owner, ttl: int) -> Any:
        return self._token(parent, ttl) if parent.lives(self.now) else multiple()

    @rule(target=credentials, owner=owners, role=st.sampled_from(ROLES), deep=st.booleans())
    def give(self, owner: Owner, role: str, deep: bool) -> Any:
        path = f"leased/creds/{role}/deep" if deep else f"leased/creds/{role}"
        answer = self._run(self.node.read(path, token=owner.id))
        assert (answer.status == 200) == owner.lives(self.now)
        if answer.status != 200:
            return multiple()
        assert answer.lease_duration == TTL[role]
        credential = Credential(
            answer.lease_id, answer.data["user"], role, owner, self.now, self.now + TTL[role]
        )
        self.known.append(credential)
        return credential

    @rule(target=credentials, parent=owners, role=st.sampled_from(ROLES), ttl=st.integers(1, 30))
    def give_to_a_batch_token(self, parent: Owner, role: str, ttl: int) -> Any:
        if not parent.lives(self.now):
            return multiple()
        made = self._run(self.node.token(by=parent.id, policies=["reader"], ttl=ttl, type="batch"))
        batch = Owner(made["client_token"], parent, int(self.now) + ttl, batch=True)
        answer = self._run(self.node.read(f"leased/creds/{role}", token=batch.id))
        if not batch.lives(self.now):
            assert answer.status == 403
            return multiple()
        ends = min(batch.expires, self.now + TTL[role])
        credential = Credential(answer.lease_id, answer.data["user"], role, batch, self.now, ends)
        self.known.append(credential)
        return credential

    @rule(role=st.sampled_from(ROLES))
    def give_with_the_last_use(self, role: str) -> None:
        token = self._run(self.node.token(policies=["reader"], num_uses=1))["client_token"]
        answer = self._run(self.node.read(f"leased/creds/{role}", token=token))
        assert answer.status == 400

    @rule(credential=credentials, increment=st.integers(0, 200))
    def renew(self, credential: Credential, increment: int) -> None:
        lived = credential.lives(self.now)
        failing = self.outside.failing
        answer = self._write("sys/leases/renew", lease_id=credential.id, increment=increment)
        assert (answer.status == 200) == (lived and not failing)
        if answer.status == 200:
            wanted = self.now + (increment or TTL[credential.role])
            latest = credential.began + MOST[credential.role]
            credential.expires = min(wanted, latest)
            if credential.owner.batch:
                credential.expires = min(credential.expires, credential.owner.expires)
            assert answer.lease_duration >= 1

    @rule(credential=credentials, sync=st.booleans())
    def revoke(self, credential: Credential, sync: bool) -> None:
        there = self._write("sys/leases/lookup", lease_id=credential.id).status == 200
        answer = self._write("sys/leases/revoke", lease_id=credential.id, sync=sync)
        if sync and there and self.outside.failing:
            assert answer.status == 400  # and nothing has changed
        else:
            assert answer.status == (204 if sync else 202)
            credential.over = True

    @rule(prefix=st.sampled_from([*ROLES, "short/deep"]), sync=st.booleans())
    def revoke_prefix(self, prefix: str, sync: bool) -> None:
        answer = self._write(f"sys/leases/revoke-prefix/leased/creds/{prefix}", sync=sync)
        assert answer.status in ((204, 400) if sync else (202,))
        assert sync or answer.status == 202
        if not sync:
            self._run(self.node.sweep())  # else it would end what begins later in this instant
        for credential in self.known:
            if credential.id.startswith(f"leased/creds/{prefix}/"):
                credential.over = True

    @rule(owner=owners)
    def revoke_token(self, owner: Owner) -> None:
        assert self._write("auth/token/revoke", token=owner.id).status == 204
        owner.revoked = True

    @rule(seconds=st.sampled_from([0.0005, 1, 10, 45, 400]))
    def wait(self, seconds: float) -> None:
        self.nodes[0].clock.advance(seconds)

    @rule(failing=st.booleans())
    def fail(self, failing: bool) -> None:
        self.outside.failing = failing

    @rule()
    def sweep_a_little(self) -> None:
        self._run(self.node.core.sweeper.round())

    @rule()
    def sweep_on_both(self) -> None:
        self._run(self._both())

    async def _both(self) -> None:
        await asyncio.gather(*(node.sweep() for node in self.nodes))

    @rule()
    def start_again(self) -> None:
        self.nodes[0] = self._run(self.node.another())

    @invariant()
    def what_lives_is_good_and_nothing_else_is_renewed(self) -> None:
        for credential in self.known:
            shown = self._write("sys/leases/lookup", lease_id=credential.id)
            if credential.lives(self.now):
                assert credential.user in self.outside.alive
                assert shown.status == 200
                assert shown.data["renewable"]
                assert (
                    credential.expires - 1 < self.now + shown.data["ttl"] < credential.expires + 1
                )
            else:
                answer = self._write("sys/leases/renew", lease_id=credential.id)
                assert answer.status == 400

    def teardown(self) -> None:
        try:
            self.outside.failing = False
            # what a worker was about when it failed is anybody's again after a while
            self.nodes[0].clock.advance(1000)
            self._run(self.node.sweep())
            self.what_lives_is_good_and_nothing_else_is_renewed()
            given_up = self._run(
                self.node.read("sys/leases", query={"type": "irrevocable", "limit": "none"})
            ).data["lease_count"]
            living = sum(each.lives(self.now) for each in self.known)
            assert len(self.outside.alive) == living + given_up
            self._write("sys/leases/revoke-prefix/leased")
            assert not self.outside.alive
            self.nodes[0].clock.advance(MAX_TTL)
            self._run(self.node.sweep())
            assert set(self._run(self.node.keys_below(""))) - self.untouched == set()
        finally:
            self.patches.close()
            self.loop.close()


Leases.TestCase.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
test_leases = pytest.mark.filterwarnings("default")(Leases.TestCase)
