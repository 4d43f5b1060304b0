"""A service that scenarios are given starts once, when it is needed, and stops in the end."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.conformance.given import SERVICES, Given, Variables
from tests.conformance.scenario import UNINITIALISED, read_topic, topic_files


def test_a_service_starts_once_when_it_is_needed_and_stops_in_the_end() -> None:
    events = []

    @contextmanager
    def clock() -> Iterator[Variables]:
        events.append("starts")
        yield {"hour": "12"}
        events.append("stops")

    with ExitStack() as running:
        given = Given(running, {"clock": clock})
        assert given.variables([]) == {}
        assert events == []
        assert given.variables(["clock"]) == {"clock_hour": "12"}
        assert given.variables(["clock"]) == {"clock_hour": "12"}
        assert events == ["starts"]
    assert events == ["starts", "stops"]


def test_a_service_that_nobody_knows_is_an_error() -> None:
    with ExitStack() as running, pytest.raises(KeyError):
        Given(running, {}).variables(["moon"])


def test_topics_name_services_that_are_known() -> None:
    for path in [*topic_files(), *topic_files(UNINITIALISED)]:
        for scenario in read_topic(path):
            assert set(scenario.given) <= set(SERVICES), str(scenario)
