"""Every engine against a dictionary, with sequences of operations made up by hypothesis."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.unit.store.engines import ENGINES
from wardgate.store.interface import ABSENT, Conflict, Delete, Entry, Put, Store, Write

# Few segments, so that keys meet: with bytes just below and above "/" (0x2F), beginnings of one
# another, and characters of every length in UTF-8.
SEGMENTS = st.sampled_from(["a", "a!", "a0", "a\x01", "aa", ".", "b", "é", "漢", "\U0001f600"])
KEYS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)
PREFIXES = st.lists(SEGMENTS, max_size=3).map(lambda segments: "".join(f"{s}/" for s in segments))
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
AFTER = st.one_of(st.just(""), SEGMENTS, SEGMENTS.map(lambda s: s + "/"), KEYS, ANY_TEXT)
VALUES = st.binary(max_size=20) | st.integers(1, 20_000).map(bytes)
WRITES = st.lists(st.builds(Put, KEYS, VALUES) | st.builds(Delete, KEYS), max_size=6)
COMMITS = st.tuples(st.lists(KEYS, max_size=3), st.integers(0, 4), WRITES)
"""Keys to expect, how many versions to get wrong in one of them (0: none), writes."""


class Model:
    """What a store is, as a dictionary."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.revision = 0
        self.written: dict[int, set[str]] = {}
        """The keys that each revision wrote or removed."""

    def version(self, key: str) -> int:
        return self.entries[key].version if key in self.entries else ABSENT

    def commit(self, expect: dict[str, int], writes: list[Write], revision: int) -> None:
        assert all(self.version(key) == version for key, version in expect.items())
        assert revision > self.revision
        self.revision = revision
        self.written[revision] = {write.key for write in writes}
        for write in writes:
            if isinstance(write, Put):
                self.entries[write.key] = Entry(write.value, revision)
            else:
                self.entries.pop(write.key, None)

    def list(self, prefix: str, after: str, limit: int | None) -> list[str]:
        names = set()
        for key in self.entries:
            if key.startswith(prefix):
                name, slash, _ = key.removeprefix(prefix).partition("/")
                names.add(name + slash)
        greater = [name for name in names if name.encode() > after.encode()]
        return sorted(greater, key=str.encode)[:limit]


class StoreMachine(RuleBasedStateMachine):
    engine: str

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.store = self.open()
        self.model = Model()

    def open(self) -> Store:
        return ENGINES[self.engine](Path(self.directory.name))

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        self.directory.cleanup()

    def expectation(self, keys: list[str], wrong: int) -> dict[str, int]:
        expect = {key: self.model.version(key) for key in keys}
        if wrong and keys:
            expect[keys[-1]] += wrong
        return expect

    @rule(commit=COMMITS)
    def commit(self, commit: tuple[list[str], int, list[Write]]) -> None:
        keys, wrong, writes = commit
        expect = self.expectation(keys, wrong)
        if wrong and keys:
            with pytest.raises(Conflict) as conflict:
                self.runner.run(self.store.commit(expect, writes))
            assert conflict.value.key == keys[-1]
        else:
            revision = self.runner.run(self.store.commit(expect, writes))
            self.model.commit(expect, writes, revision)

    @rule(commits=st.lists(COMMITS, min_size=2, max_size=8))
    def commit_together(self, commits: list[tuple[list[str], int, list[Write]]]) -> None:
        """Commits that were made up from the same state: each that succeeds must have been right
        when its turn, which its revision tells, had come."""
        prepared = [(self.expectation(keys, wrong), writes) for keys, wrong, writes in commits]

        async def together() -> list[int | BaseException]:
            commits = [self.store.commit(expect, writes) for expect, writes in prepared]
            return [*await asyncio.gather(*commits, return_exceptions=True)]

        before = {key: self.model.version(key) for expect, _ in prepared for key in expect}
        written = set()
        outcomes = list(zip(self.runner.run(together()), prepared, strict=True))
        turns = [(outcome, *commit) for outcome, commit in outcomes if isinstance(outcome, int)]
        for revision, expect, writes in sorted(turns, key=lambda turn: turn[0]):
            self.model.commit(expect, writes, revision)
            written |= {write.key for write in writes}
        for outcome, (expect, _) in outcomes:
            if not isinstance(outcome, int):
                assert isinstance(outcome, Conflict)
                assert outcome.key in written or before[outcome.key] != expect[outcome.key]

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        assert self.runner.run(self.store.get(key)) == self.model.entries.get(key)

    @rule(prefix=PREFIXES, after=AFTER, limit=st.none() | st.integers(0, 5))
    def list(self, prefix: str, after: str, limit: int | None) -> None:
        names = self.runner.run(self.store.list(prefix, after, limit))
        assert names == self.model.list(prefix, after, limit)

    @rule(back=st.integers(0, 12))
    def changes(self, back: int) -> None:
        since = max(0, self.model.revision - back)
        changed = self.runner.run(self.store.changes(since))
        newer = [keys for revision, keys in self.model.written.items() if revision > since]
        assert changed is not None
        # a group of commits is told as one, so there may be some from before
        assert set().union(*newer) <= set(changed) <= set().union(*self.model.written.values())
        assert self.runner.run(self.store.changes(self.model.revision)) == set()

    @invariant()
    def revision(self) -> None:
        assert self.runner.run(self.store.revision()) == self.model.revision
        assert self.store.known_revision() == self.model.revision


class DurableStoreMachine(StoreMachine):
    """The same, for engines that keep what they were given."""

    @rule()
    def reopen(self) -> None:
        self.runner.run(self.store.close())
        self.store = self.open()


MACHINES = {"memory": StoreMachine, "lmdb": DurableStoreMachine}


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_behaves_as_a_dictionary(engine: str) -> None:
    machine = type(f"{engine}Machine", (MACHINES[engine],), {"engine": engine})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
