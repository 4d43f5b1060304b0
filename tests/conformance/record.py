"""Writes down what the real OpenBao answers: `python -m tests.conformance.record DIR [TOPIC...]`.

For each topic DIR/TOPIC.txt holds every request of its scenarios with the whole answer, to be
looked up while writing the server. With `--statuses` as first argument the statuses are written
into the scenario files instead (after `->`), for steps that have none yet.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

from tests.conformance.exchange import Answer, Client
from tests.conformance.given import Given
from tests.conformance.player import Player
from tests.conformance.scenario import (
    UNINITIALISED,
    Scenario,
    Step,
    configuration,
    read_topic,
    topic_files,
)
from tests.servers import Server, openbao_dev, openbao_uninitialised

Start: TypeAlias = Callable[[], AbstractContextManager[Server]]


class Played(NamedTuple):
    """A step with the path that it was sent to, and the answer."""

    scenario: Scenario
    step: Step
    path: str
    answer: Answer


def main(arguments: list[str]) -> None:
    """Record the topics named after the directory, or all of them."""
    target, *topics = arguments
    with ExitStack() as running:
        servers: dict[str, Server] = {}
        for path in topic_files():
            if not topics or path.stem in topics:
                version = read_topic(path)[0].openbao
                if version not in servers:
                    servers[version] = running.enter_context(openbao_dev(version))
                _record(path, target, partial(_running, servers[version]))
    for path in topic_files(UNINITIALISED):
        if not topics or path.stem in topics:
            _record(path, target, partial(openbao_uninitialised, configuration(path.stem)))


def _running(server: Server) -> AbstractContextManager[Server]:
    return nullcontext(server)


def _record(path: Path, target: str, start: Start) -> None:
    with ExitStack() as running:
        played = list(_play(start, read_topic(path), Given(running)))
    if target == "--statuses":
        _write_statuses(path, played)
    else:
        Path(target, path.name).write_text(_transcript(played), encoding="utf-8")


def _play(start: Start, scenarios: Iterable[Scenario], given: Given) -> Iterator[Played]:
    for number, scenario in enumerate(scenarios):
        with start() as server, closing(Client(server)) as client:
            name = f"{scenario.topic.replace('_', '-')}-{number}"
            player = Player(client, name, given.variables(scenario.given))
            for step in scenario.steps:
                answer = player.play(step)
                path = step.path.replace("$id", player.variables["id"])
                yield Played(scenario, step, path, answer)


def _transcript(played: Iterable[Played]) -> str:
    lines: list[str] = []
    current = None
    for scenario, step, path, answer in played:
        if scenario is not current:
            current = scenario
            lines += ["", f"=== {scenario.name}"]
        lines += ["", f"{step.method} {path} {step.body or ''}".rstrip()]
        lines += [f"    {name}: {value}" for name, value in step.headers]
        lines += [f"    field {name}: {text}" for name, text in step.fields.items()]
        if step.token != "root":
            lines.append(f"    token: {step.token}")
        headers = ", ".join(f"{name}: {value}" for name, value in answer.headers.items())
        lines.append(f"-> {answer.status:03}  [{headers}]")
        if isinstance(answer.body, str):
            lines.append(f"   text: {answer.body!r}")
        elif answer.body is not None:
            lines.append("   " + json.dumps(answer.body, ensure_ascii=False))
    return "\n".join(lines).lstrip() + "\n"


def _write_statuses(path: Path, played: Iterable[Played]) -> None:
    statuses = {step.line: answer.status for _, step, _, answer in played if step.status is None}
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, status in statuses.items():
        last = number  # a body may continue on lines that are indented further than options
        while last < len(lines) and re.match(" {5,}", lines[last]):
            last += 1
        lines[last - 1] += f" -> {status:03}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
