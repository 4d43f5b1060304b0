"""Scenario files are read as their description says, and mistakes in them are found."""

from pathlib import Path

import pytest

from tests.conformance.scenario import Difference, ScenarioError, Signing, read_topic

EXAMPLE = """
# A comment.
given kubernetes
given keys
openbao 2.6.2
before
  POST sys/mounts/kv-$id {"type": "kv"} -> 204

scenario One thing happens
  POST kv-$id/a {"x": -> 1,
        "y": 2} -> 400
    as token
    header X-One: a: b
    header X-Empty:
    field policy path "a" {
        capabilities = ["read"] }
    save token /auth/client_token
    spoil wrong /keys/1
    until
    only /body/data
    ignore /body/version because each product has its own
    unordered /body/keys because a map has no order
    differs entry-one /status /body/errors
  GET /v1/sys/health
    sign jwt rsa {"sub": "$id", "team": {"name": "a"}}
    sign odd hmac {"iat": "now-10"} with {"kid": "x"}

scenario Another thing happens
  HANG up -> 000
    until /data/state done
"""


def topic(folder: Path, text: str) -> Path:
    path = folder / "topic.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_scenario_starts_with_the_steps_of_before(tmp_path: Path) -> None:
    one, another = read_topic(topic(tmp_path, EXAMPLE))
    assert (one.topic, one.name, len(one.steps)) == ("topic", "One thing happens", 3)
    assert (another.name, len(another.steps)) == ("Another thing happens", 2)
    assert one.steps[0] is another.steps[0]
    assert (one.steps[0].method, one.steps[0].status) == ("POST", 204)


def test_a_step_has_all_its_options(tmp_path: Path) -> None:
    step = read_topic(topic(tmp_path, EXAMPLE))[0].steps[1]
    assert (step.line, str(step), step.status) == (10, "POST kv-$id/a", 400)
    assert step.body == '{"x": -> 1, "y": 2}'
    assert step.token == "token"
    assert step.headers == [("X-One", "a: b"), ("X-Empty", "")]
    assert step.fields == {"policy": 'path "a" { capabilities = ["read"] }'}
    assert step.save == {"token": "/auth/client_token"}
    assert step.spoil == {"wrong": "/keys/1"}
    assert step.until == ("", "")
    assert step.only == ["/body/data"]
    assert step.ignore == ["/body/version"]
    assert step.unordered == ["/body/keys"]
    assert step.differences == [Difference("entry-one", ("/status", "/body/errors"))]


def test_a_step_without_options_sends_the_root_token_and_no_body(tmp_path: Path) -> None:
    step = read_topic(topic(tmp_path, EXAMPLE))[0].steps[2]
    assert (step.token, step.body, step.status) == ("root", None, None)


def test_a_step_may_need_signed_tokens(tmp_path: Path) -> None:
    step = read_topic(topic(tmp_path, EXAMPLE))[0].steps[2]
    assert step.sign == {
        "jwt": Signing("rsa", '{"sub": "$id", "team": {"name": "a"}}', ""),
        "odd": Signing("hmac", '{"iat": "now-10"}', '{"kid": "x"}'),
    }


def test_a_server_may_hang_up_and_a_value_may_be_awaited(tmp_path: Path) -> None:
    step = read_topic(topic(tmp_path, EXAMPLE))[1].steps[1]
    assert (step.status, step.until) == (0, ("/data/state", "done"))


def test_every_scenario_of_a_topic_is_given_its_services(tmp_path: Path) -> None:
    scenarios = read_topic(topic(tmp_path, EXAMPLE))
    assert [scenario.given for scenario in scenarios] == [("kubernetes", "keys")] * 2


def test_every_scenario_of_a_topic_may_be_compared_with_an_older_openbao(tmp_path: Path) -> None:
    scenarios = read_topic(topic(tmp_path, EXAMPLE))
    assert [scenario.openbao for scenario in scenarios] == ["2.6.2"] * 2
    assert read_topic(topic(tmp_path, "scenario a\n  GET a"))[0].openbao == ""


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("  GET a", "topic.txt:1: a step before the first scenario"),
        ("scenario", "topic.txt:1: expected"),
        ("scenario a\n  GET", "topic.txt:2: expected"),
        ("scenario a\nbefore\n  GET a", "topic.txt:2: expected"),
        ("scenario a\ngiven b", "topic.txt:2: expected"),
        ("before\n  GET a\ngiven b", "topic.txt:3: expected"),
        ("given", "topic.txt:1: expected"),
        ("openbao", "topic.txt:1: expected"),
        ("openbao 1\nopenbao 2", "topic.txt:2: expected"),
        ("scenario a\n    as token", "topic.txt:2: an option without a step"),
        ("scenario a\n  GET a\n    ignore /body/a", "topic.txt:3: `ignore`"),
        ("scenario a\n  GET a\n    ignore a because b", "topic.txt:3: `ignore`"),
        ("scenario a\n  GET a\n    differs entry", "topic.txt:3: `differs`"),
        ("scenario a\n  GET a\n    frobnicate", "topic.txt:3: `frobnicate`"),
        ("scenario a\n  GET a\nscenario a\n  GET a", "two scenarios are called `a`"),
    ],
)
def test_mistakes_are_found(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        read_topic(topic(tmp_path, text))
    assert where in str(raised.value)
