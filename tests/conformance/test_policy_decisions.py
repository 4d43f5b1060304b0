"""Policies decide as they do in a real OpenBao: what may be done on a path, rule against rule."""

import random
from collections.abc import Iterator

import pytest

from tests.conformance.policy_oracle import Oracle, running_oracle
from wardgate.core.operation import Operation
from wardgate.core.policy import Acl, parse_policy

SEED = 20_260
POLICIES = 60
TOKENS = 60
PATHS = 600
SEGMENTS = ("a", "b", "ab", "abc", "c*d")
WORDS = ("create", "read", "update", "patch", "delete", "list", "scan", "sudo")

ON_THE_PATH = set(Operation) - {Operation.LIST, Operation.SCAN, Operation.HELP}


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with running_oracle() as running:
        yield running


def a_path(choose: random.Random) -> str:
    segments = [choose.choice(SEGMENTS) for _ in range(choose.randint(1, 4))]
    if choose.random() < 0.1:
        segments.insert(choose.randint(1, len(segments)), "")
    return "/".join(segments) + choose.choice(("", "", "/"))


def a_pattern(choose: random.Random) -> str:
    path = a_path(choose)
    segments = path.split("/")
    if choose.random() < 0.6:
        for place in range(len(segments)):
            if choose.random() < 0.35:
                segments[place] = "+"
    pattern = "/".join(segments)
    if choose.random() < 0.4:
        pattern = pattern[: choose.randint(1, len(pattern))]
        pattern = pattern + "*" if not pattern.endswith("+") else pattern + "/*"
    return choose.choice(("", "", "", "/")) + pattern


def a_policy(choose: random.Random) -> str:
    rules = []
    for _ in range(choose.randint(1, 8)):
        words = choose.sample(WORDS, choose.randint(0, 3))
        if choose.random() < 0.2:
            words.append("deny")
        capabilities = ", ".join(f'"{word}"' for word in words)
        rules.append(f'path "{a_pattern(choose)}" {{ capabilities = [{capabilities}] }}')
    return "\n".join(rules)


def test_capabilities_of_random_policies(oracle: Oracle) -> None:
    choose = random.Random(SEED)
    texts = [a_policy(choose) for _ in range(POLICIES)]
    for number, text in enumerate(texts):
        assert oracle.write_policy(f"random-{number}", text) == 204, text
    paths = sorted({a_path(choose) for _ in range(PATHS)})
    rules = [parse_policy(text) for text in texts]
    stricter = 0
    for _ in range(TOKENS):
        held = choose.sample(range(POLICIES), choose.randint(1, 4))
        acl = Acl.compile([rules[number] for number in held])
        token = oracle.token(*(f"random-{number}" for number in held))
        for path, theirs in oracle.capabilities(token, paths).items():
            ours = acl.capabilities(path)
            if ours != theirs and path.endswith("/") and ours == ["deny"]:
                # A rule with + that denies the folder without its slash: see docs/policies.md.
                assert not any(acl.allows(operation, path[:-1]) for operation in ON_THE_PATH)
                stricter += 1
                continue
            told = "\n".join(texts[number] for number in held)
            assert ours == theirs, f"{path}\n{told}"
    assert 0 < stricter < 200


def test_a_plus_inside_a_segment_is_a_plain_character(oracle: Oracle) -> None:
    """OpenBao takes it for the first wildcard when it compares patterns."""
    text = """
        path "a+b/+/c" { capabilities = ["read"] }
        path "a+b/*" { capabilities = ["list"] }
    """
    assert oracle.write_policy("plus", text) == 204
    theirs = oracle.capabilities(oracle.token("plus"), ["a+b/x/c"])
    assert theirs == {"a+b/x/c": ["list"]}
    assert Acl.compile([parse_policy(text)]).capabilities("a+b/x/c") == ["read"]
