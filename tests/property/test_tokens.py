"""Token trees against a simple model: a token lives while it and all of its ancestors do."""

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
    precondition,
    rule,
)

from tests.node import NodeUnderTest
from wardgate.core.ids import TIME_LENGTH
from wardgate.core.operation import Operation

T = TypeVar("T")
MAX_TTL = 32 * 86_400


@dataclass(eq=False)
class Model:
    """What is known of a token."""

    id: str
    parent: "Model | None"
    expires: float
    batch: bool = False
    revoked: bool = False
    uses: int = 0

    def lives(self, now: float) -> bool:
        if self.revoked or now >= self.expires:
            return False
        return self.parent is None or self.parent.lives(now)


class TokenTrees(RuleBasedStateMachine):
    """Any order of making, renewing, using, revoking, waiting and sweeping."""

    tokens = Bundle("tokens")

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
            ("wardgate.core.bootstrap.new_salt", lambda: bytes(32)),
        ):
            self.patches.enter_context(patch(place, stand_in))
        self.node = self._run(NodeUnderTest.start())
        self._run(self.node.ok("auth/token/create", {"id": "top", "policies": ["root"]}))
        self.untouched = set(self._run(self.node.keys_below("")))
        self.known: list[Model] = []
        self.ids = 0

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    @property
    def now(self) -> float:
        return self.node.clock.now()

    def _create(self, by: str, parent: Model | None, ttl: int, **fields: Any) -> Model:
        made = self._run(
            self.node.token(by=by, policies=["root"], ttl=ttl, no_parent=parent is None, **fields)
        )
        model = Model(made["client_token"], parent, self.now + ttl)
        self.known.append(model)
        return model

    def _batch(self, parent: Model, ttl: int) -> Model:
        made = self._run(self.node.token(by=parent.id, policies=["default"], ttl=ttl, type="batch"))
        model = Model(made["client_token"], parent, self.now + ttl, batch=True)
        self.known.append(model)
        return model

    @initialize(target=tokens)
    def grow(self) -> Any:
        """A family to begin with, so that few steps lead to something worth seeing."""
        oldest = self._create("top", None, 70)
        child = self._create(oldest.id, oldest, 100)
        chosen = self._create(child.id, child, 90, id="chosen1")
        grandchild = self._create(chosen.id, chosen, 100)
        batches = [self._batch(parent, 100) for parent in (oldest, child, chosen)]
        return multiple(oldest, child, chosen, grandchild, *batches)

    @rule(target=tokens, ttl=st.integers(1, 100))
    def create_orphan(self, ttl: int) -> Model:
        return self._create("top", None, ttl)

    @rule(target=tokens, parent=tokens, ttl=st.integers(1, 100))
    def create_child(self, parent: Model, ttl: int) -> Any:
        if parent.uses:
            return multiple()
        if parent.batch or not parent.lives(self.now):
            body = {"policies": ["root"], "ttl": ttl}
            response = self._run(self.node.write("auth/token/create", body, token=parent.id))
            assert response.auth is None
            return multiple()
        return self._create(parent.id, parent, ttl)

    @rule(target=tokens, parent=tokens, ttl=st.integers(1, 100))
    def create_batch_child(self, parent: Model, ttl: int) -> Any:
        if parent.batch or parent.uses or not parent.lives(self.now):
            return multiple()
        return self._batch(parent, ttl)

    @rule(target=tokens, ttl=st.integers(1, 100))
    def create_with_the_chosen_id(self, ttl: int) -> Any:
        body = {"policies": ["root"], "ttl": ttl, "id": "chosen1", "no_parent": True}
        response = self._run(self.node.write("auth/token/create", body, token="top"))
        taken = [each for each in self.known if each.id == "chosen1"]
        if response.auth is None:
            assert taken
            return multiple()
        assert not any(each.lives(self.now) for each in taken)
        self.known = [each for each in self.known if each not in taken]
        for each in taken:
            each.revoked = True
            each.id = "replaced"
        model = Model("chosen1", None, self.now + ttl)
        self.known.append(model)
        return model

    @rule(target=tokens, uses=st.integers(1, 3))
    def create_with_limited_uses(self, uses: int) -> Model:
        model = self._create("top", None, 50, num_uses=uses)
        model.uses = uses
        return model

    @rule(token=tokens)
    def use(self, token: Model) -> None:
        if not token.uses:
            return
        lived = token.lives(self.now)
        response = self._run(self.node.read("auth/token/lookup-self", token=token.id))
        assert (response.status == 200) == lived
        if lived:
            token.uses -= 1
            assert response.data["num_uses"] == (token.uses or -1)  # as OpenBao shows it
            token.revoked = token.uses == 0

    @rule(token=tokens)
    def store_in_the_cubbyhole(self, token: Model) -> None:
        if not token.uses:
            lived = token.lives(self.now)
            response = self._run(
                self.node.call(Operation.UPDATE, "cubbyhole/a/b", {"c": "d"}, token=token.id)
            )
            assert (response.status == 204) == (lived and not token.batch)

    @rule(token=tokens, increment=st.integers(1, 100))
    def renew(self, token: Model, increment: int) -> None:
        lived = token.lives(self.now)
        body = {"token": token.id, "increment": increment}
        response = self._run(self.node.write("auth/token/renew", body))
        assert (response.status == 200) == (lived and not token.batch)
        if response.auth is not None:
            assert 0 < response.auth["lease_duration"] <= increment
            token.expires = self.now + increment

    @rule(token=tokens)
    def revoke(self, token: Model) -> None:
        response = self._run(self.node.write("auth/token/revoke", {"token": token.id}))
        assert response.status == (400 if token.batch else 204)
        token.revoked = token.revoked or not token.batch

    @rule(token=tokens)
    def revoke_self(self, token: Model) -> None:
        lived = token.lives(self.now)
        response = self._run(self.node.write("auth/token/revoke-self", {}, token=token.id))
        if token.batch:
            assert response.status == (400 if lived else 403)
        else:
            assert response.status == (204 if lived else 403)
            token.revoked = token.revoked or lived

    @rule(token=tokens)
    def revoke_as_orphan(self, token: Model) -> None:
        lived = token.lives(self.now)
        response = self._run(self.node.write("auth/token/revoke-orphan", {"token": token.id}))
        assert (response.status == 204) == (lived and not token.batch)
        if response.status == 204:
            token.revoked = True
            for child in self.known:
                if child.parent is token and not child.batch:
                    child.parent = None

    @rule(seconds=st.sampled_from([0.0005, 1, 10, 60]))
    def wait(self, seconds: float) -> None:
        self.node.clock.advance(seconds)

    @rule()
    def sweep_a_little(self) -> None:
        self._run(self.node.core.sweeper.round())

    @rule()
    def start_again(self) -> None:
        self.node = self._run(self.node.another())

    @precondition(lambda self: self.known)
    @invariant()
    def exactly_those_live_that_the_model_says(self) -> None:
        for token in self.known:
            if not token.uses:
                lives = self._run(self.node.write("auth/token/lookup", {"token": token.id}))
                assert (lives.status == 200) == token.lives(self.now)

    def teardown(self) -> None:
        try:
            self.node.clock.advance(0.001)  # what expired within this millisecond is due after it
            self._run(self.node.sweep())
            self.exactly_those_live_that_the_model_says()
            alive = sum(each.lives(self.now) and not each.batch for each in self.known)
            records = self._run(self.node.keys_below("token/id/"))
            assert len(records) == alive + 2  # and the two that are always there
            self.node.clock.advance(MAX_TTL)
            self._run(self.node.sweep())
            left = set(self._run(self.node.keys_below(""))) - self.untouched
            assert left == set()
        finally:
            self.patches.close()
            self.loop.close()


TokenTrees.TestCase.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)
test_token_trees = pytest.mark.filterwarnings("default")(TokenTrees.TestCase)
