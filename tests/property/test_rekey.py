"""Replacing the unseal keys against a model: whatever holders and strangers do in whatever order,
some threshold of the newest keys in force opens the server, and strangers get nowhere."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.ceremony import keys_of, opened, opens
from tests.node import ROOT_TOKEN, NodeUnderTest
from wardgate.core.operation import Operation
from wardgate.system.quorum import LIFETIME, STRANGERS_LIFETIME

T = TypeVar("T")
INIT, UPDATE, VERIFY = "sys/rekey/init", "sys/rekey/update", "sys/rekey/verify"
COUNTS = st.sampled_from([(1, 1), (2, 2), (3, 2), (5, 3)])
JUNK = st.sampled_from(["5a" * 33, "00" * 33, "5a" * 32, "zz", "", "5a"])


class Rekeys(RuleBasedStateMachine):
    """Any order of calls by holders with a token, holders without one, and strangers."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.node: NodeUnderTest | None = None

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    @initialize(counts=COUNTS)
    def start(self, counts: tuple[int, int]) -> None:
        self.node = self._run(NodeUnderTest.start(shares=counts[0], threshold=counts[1]))
        self.keys, self.threshold = self.node.keys, counts[1]
        self._forget()

    def teardown(self) -> None:
        if self.node is not None:
            self._run(self.node.node.stop())
        self.loop.close()

    # the model

    def _forget(self) -> None:
        self.nonce = ""
        self.strangers = False
        self.given: set[bytes] = set()
        self.new: list[bytes] = []
        self.wanted = (0, 0)
        self.verifies = False
        self.verification = ""
        self.returned: set[bytes] = set()
        self.expires = 0.0

    @property
    def running(self) -> bool:
        assert self.node is not None
        if self.nonce and self.node.clock.now() >= self.expires:
            self._forget()
        return bool(self.nonce)

    def _call(
        self, operation: Operation, path: str, body: Any = None, token: str = "", **query: str
    ) -> Any:
        assert self.node is not None
        return self._run(opened(self.node, operation, path, body, token, **query))

    def _lives_on(self, seconds: float) -> None:
        assert self.node is not None
        self.expires = self.node.clock.now() + seconds

    # those who have a token, or a key

    @rule(counts=COUNTS, verify=st.booleans(), by=st.sampled_from(["token", "key", "nothing"]))
    def begin(self, counts: tuple[int, int], verify: bool, by: str) -> None:
        body: dict[str, Any] = {
            "secret_shares": counts[0],
            "secret_threshold": counts[1],
            "require_verification": verify,
        }
        if by == "key":
            body["key"] = self.keys[0].hex()
        free = not self.running or (self.strangers and by != "nothing")
        answer = self._call(Operation.UPDATE, INIT, body, token=ROOT_TOKEN if by == "token" else "")
        assert (answer.status == 200) == free, answer.data
        if free:
            self._forget()
            self.nonce, self.wanted, self.verifies = answer.data["nonce"], counts, verify
            self.strangers = by == "nothing"
            self._lives_on(STRANGERS_LIFETIME if self.strangers else LIFETIME)

    @rule(which=st.integers(0, 4), token=st.sampled_from(["", ROOT_TOKEN]))
    def give_a_key(self, which: int, token: str) -> None:
        key = self.keys[which % len(self.keys)]
        fits = self.running and not self.new and key not in self.given
        answer = self._call(
            Operation.UPDATE, UPDATE, {"key": key.hex(), "nonce": self.nonce or "x"}, token
        )
        assert (answer.status == 200) == fits, answer.data
        if not fits:
            return
        self.given.add(key)
        self.strangers = False
        self._lives_on(LIFETIME)
        if len(self.given) < self.threshold:
            assert answer.data["progress"] == len(self.given)
            return
        self.new = keys_of(answer.data)
        if self.verifies:
            self.verification = answer.data["verification_nonce"]
        else:
            self._put_in_force()

    @precondition(lambda self: self.new)
    @rule(which=st.integers(0, 4))
    def give_a_new_key_back(self, which: int) -> None:
        if not self.running:
            return
        key = self.new[which % len(self.new)]
        body = {"key": key.hex(), "nonce": self.verification}
        answer = self._call(Operation.UPDATE, VERIFY, body)
        assert (answer.status == 200) == (key not in self.returned)
        self.returned.add(key)
        if answer.status == 200:
            self._lives_on(LIFETIME)
            if answer.data.get("complete"):
                assert len(self.returned) == self.wanted[1]
                self._put_in_force()

    def _put_in_force(self) -> None:
        self.keys, self.threshold = self.new, self.wanted[1]
        assert len(self.keys) == self.wanted[0]
        self._forget()

    @precondition(lambda self: self.new)
    @rule(token=st.sampled_from(["", ROOT_TOKEN]))
    def verify_from_the_start(self, token: str) -> None:
        if self.running:
            nonce = "" if token else self.nonce
            self.verification = self._call(Operation.DELETE, VERIFY, token=token, nonce=nonce).data[
                "nonce"
            ]
            self.returned = set()

    @rule(token=st.sampled_from(["", ROOT_TOKEN]))
    def cancel(self, token: str) -> None:
        running = self.running
        answer = self._call(Operation.DELETE, INIT, token=token, nonce="" if token else self.nonce)
        assert answer.status == 204, running
        self._forget()

    @rule(seconds=st.sampled_from([1.0, STRANGERS_LIFETIME, LIFETIME - 1, LIFETIME]))
    def wait(self, seconds: float) -> None:
        assert self.node is not None
        self.node.clock.advance(seconds)

    @rule()
    def rotate(self) -> None:
        """Another encryption key, and another root key where no new keys hang on this one."""
        assert self.node is not None
        self._run(self.node.ok("sys/rotate"))
        answer = self._run(self.node.write("sys/rotate/root"))
        assert answer.status == (400 if self.running and self.new else 204)

    # strangers

    @rule(key=JUNK, nonce=st.sampled_from(["right", "", "x"]))
    def a_stranger_tries_everything(self, key: str, nonce: str) -> None:
        assert self.node is not None
        running = self.running
        given = self.nonce if nonce == "right" else nonce
        before = self._run(self.node.node.barrier.get("core/rekey"))
        told = self._call(Operation.READ, INIT).data
        assert told["started"] == running
        assert told["nonce"] == ""
        assert "verification_nonce" not in told or told["verification_nonce"] == ""
        for path in (UPDATE, VERIFY):
            body = {"key": key, "nonce": given}
            assert self._call(Operation.UPDATE, path, body).status == 400
        if running:
            assert self._call(Operation.DELETE, INIT, nonce="x").status == 400
            assert self._call(Operation.DELETE, VERIFY, nonce="").status == 400
            wanted = {"secret_shares": 1, "secret_threshold": 1}
            assert self._call(Operation.UPDATE, INIT, wanted).status == 400
        assert self._run(self.node.node.barrier.get("core/rekey")) == before

    # what always holds

    @invariant()
    def the_newest_keys_open_it(self) -> None:
        if self.node is not None:
            assert self._run(opens(self.node, self.keys[-self.threshold :]))

    @invariant()
    def fewer_do_not(self) -> None:
        if self.node is not None:
            assert not self._run(opens(self.node, self.keys[: self.threshold - 1]))


TestRekeys = Rekeys.TestCase
TestRekeys.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
