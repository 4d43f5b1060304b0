"""User lockout against a simple model, on two nodes over one storage."""

import asyncio
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeVar
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.node import NodeUnderTest
from wardgate.auth import userpass

T = TypeVar("T")
USERS = ("ada", "bob")
NAMES = (*USERS, "nobody", "ADA", "NoBody")
PASSWORD = "right"
TIMES = (10, 25)


@dataclass
class Failures:
    """What the model knows of a name."""

    count: int = 0
    last: float = 0.0


class Lockout(RuleBasedStateMachine):
    """Any order of logins, waiting, tuning and unlocking."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.patches = ExitStack()
        self.patches.enter_context(patch.object(userpass, "_COST", 4))
        self.patches.enter_context(patch.object(userpass, "_UNKNOWN", []))
        self.node = self._run(NodeUnderTest.start())
        self.other = self._run(self.node.another())
        self.failures: dict[str, Failures] = {}
        self.threshold, self.duration, self.reset, self.disabled = 5, 900, 900, False
        self.accessor = ""

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    @property
    def now(self) -> float:
        return self.node.clock.now()

    @initialize()
    def users(self) -> None:
        for name in USERS:
            self._run(self.node.user(name, PASSWORD))
        self.accessor = self._run(self.node.read("sys/auth/userpass")).data["accessor"]
        self.tune(threshold=3, duration=25, reset=10, disabled=False)

    @rule(
        threshold=st.integers(1, 4),
        duration=st.sampled_from(TIMES),
        reset=st.sampled_from(TIMES),
        disabled=st.sampled_from((False, False, False, True)),
    )
    def tune(self, threshold: int, duration: int, reset: int, disabled: bool) -> None:
        config = {
            "lockout_threshold": threshold,
            "lockout_duration": duration,
            "lockout_counter_reset_duration": f"{reset}s",
            "lockout_disable": disabled,
        }
        self._run(self.node.ok("sys/auth/userpass/tune", {"user_lockout_config": config}))
        self.threshold, self.duration = threshold, duration
        self.reset, self.disabled = reset, disabled

    def _locked(self, name: str) -> bool:
        failures = self.failures.get(name, Failures())
        if self.disabled or failures.count < self.threshold:
            return False
        return self.now < failures.last + self.duration

    @rule(
        waiting=st.sampled_from((0, 1, *TIMES)),
        name=st.sampled_from(NAMES),
        right=st.booleans(),
        at_the_other=st.booleans(),
        times=st.integers(1, 3),
    )
    def log_in(
        self, waiting: float, name: str, right: bool, at_the_other: bool, times: int
    ) -> None:
        self.node.clock.advance(waiting)
        node = self.other if at_the_other else self.node
        for _ in range(times):
            response = self._run(node.login(name, PASSWORD if right else "wrong"))
            assert response.status == self._expected(name.lower(), right)

    def _expected(self, name: str, right: bool) -> int:
        if self._locked(name):
            return 403
        if right and name in USERS:
            if not self.disabled:
                self.failures.pop(name, None)
            return 200
        if not self.disabled:
            failures = self.failures.setdefault(name, Failures())
            window = self.duration if failures.count >= self.threshold else self.reset
            if self.now >= failures.last + window:
                failures.count = 0
            failures.count += 1
            failures.last = self.now
        return 400

    @rule(name=st.sampled_from(NAMES))
    def unlock(self, name: str) -> None:
        self._run(self.node.ok(f"sys/locked-users/{self.accessor}/unlock/{name}"))
        self.failures.pop(name.lower(), None)

    @invariant()
    def exactly_those_are_locked_out_that_the_model_says(self) -> None:
        if not self.accessor:
            return
        for node in (self.node, self.other):
            data = self._run(node.read("sys/locked-users")).data
            mounts = data["by_namespace"][0]["mount_accessors"]
            shown = [name for mount in mounts for name in mount["alias_identifiers"]]
            assert shown == sorted(name for name in self.failures if self._locked(name))

    def teardown(self) -> None:
        for node in (self.other, self.node):
            self._run(node.node.stop())
        self.patches.close()
        self.loop.close()


Lockout.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
test_lockout = Lockout.TestCase
