"""Wardgate answers every request of every scenario as OpenBao does."""

import secrets
import time

import pytest

from tests.conformance.comparison import Mismatch, compare
from tests.conformance.conftest import Pair, Pairs
from tests.conformance.exchange import Answer
from tests.conformance.given import Given
from tests.conformance.opaque import Correspondence
from tests.conformance.player import Player
from tests.conformance.report import table
from tests.conformance.rewordings import Rewordings
from tests.conformance.scenario import UNINITIALISED, Scenario, Step, read_topic, topic_files

SCENARIOS = [scenario for path in topic_files() for scenario in read_topic(path)]
OF_A_NEW_SERVER = [scenario for path in topic_files(UNINITIALISED) for scenario in read_topic(path)]
RUN = secrets.token_hex(3)  # so that a server that runs already may be compared again
played: list[Scenario] = []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_answers_are_those_of_openbao(pairs: Pairs, given: Given, scenario: Scenario) -> None:
    play_side_by_side(pairs.beside(scenario.openbao), given, scenario)


@pytest.mark.parametrize("scenario", OF_A_NEW_SERVER, ids=str)
def test_a_new_server_answers_as_openbao(
    uninitialised_pair: Pair, given: Given, scenario: Scenario
) -> None:
    play_side_by_side(uninitialised_pair, given, scenario)


def test_every_rewording_is_still_needed(rewordings: Rewordings | None) -> None:
    if rewordings is None:
        pytest.skip("OpenBao is compared with itself: nothing is reworded")
    if len(played) < len(SCENARIOS) + len(OF_A_NEW_SERVER):
        pytest.skip("only some of the scenarios were run")
    assert rewordings.unused() == []


def play_side_by_side(pair: Pair, given: Given, scenario: Scenario) -> None:
    """Send every step to both servers in turn; fail with a table of all that differs."""
    played.append(scenario)
    scenario_id = f"{scenario.topic.replace('_', '-')}-{RUN}-{len(played)}"
    variables = given.variables(scenario.given)
    us = Player(pair.ours, scenario_id, variables)
    them = Player(pair.theirs, scenario_id, variables)
    ids, began = Correspondence(), time.monotonic()
    found: list[tuple[Step, list[Mismatch]]] = []
    for step in scenario.steps:
        theirs = them.play(step)
        ours = us.play(step)
        ids.passed = time.monotonic() - began
        mismatches = compare(step, ours, theirs, ids, pair.rewordings)
        found.append((step, [*_not_as_written(step, theirs), *mismatches]))
    if any(mismatches for _, mismatches in found):
        pytest.fail(table(scenario, found), pytrace=False)


def _not_as_written(step: Step, theirs: Answer) -> list[Mismatch]:
    if step.status == theirs.status:
        return []
    return [Mismatch("the scenario's own status", str(step.status), str(theirs.status))]
