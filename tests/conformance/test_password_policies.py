"""Password policies are accepted and refused as by a real OpenBao, but for a list of differences."""

from collections.abc import Iterator

import pytest

from tests.conformance.policy_oracle import Oracle, running_oracle
from wardgate.core.passwords import check_password, generate_password, parse_password_policy
from wardgate.errors import InvalidRequest


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with running_oracle() as running:
        yield running


def rule(keys: str) -> str:
    return f'length = 20 rule "charset" {{ {keys} }}'


ABC = 'rule "charset" { charset = "abc" min-chars = 2 }'

SAME = [
    " ", "# x", "{}", "[]", "3", "length = 20", ABC, "length = 20 " + ABC, ABC + "length = 20 " + ABC,
    *(f"length = {length} {ABC}" for length in [
        "0", "3", "4", "100", "101", "-20", "+20", "0x10", "010", "2e1", "20.9", '"20"', "true",
        "[20]", "{}", "null", "99999999999999999999", "1e400", "x", "08",
    ]),
    'length = 20 rule charset { charset = "abc" }', 'length = 20 rule "other" { charset = "abc" }',
    f'length = 20 {ABC} rule "other" {{}}', 'length = 20 RULE "charset" { charset = "abc" }',
    'length = 20 rule "CHARSET" { charset = "abc" }', 'length = 20 rule "charset"',
    'length = 20 rule { charset = "abc" }', 'length = 20 rule = "charset"', "length = 20 rule {}",
    f"length = 20 {ABC} rule {{}}", 'length = 20 rule "charset" "x" { charset = "abc" }',
    'length = 20 rule { "charset" { charset = "abc" } }',
    'length = 20 rule = { charset = { charset = "abc" } }',
    'length = 20 rule = [{ "charset" = { charset = "abc" } }]',
    'length = 20 rule "charset" = { charset = "abc" }',
    'length = 20, rule "charset" { "charset" = "abc", "min-chars"\n=\n1, }',
    *map(rule, [
        "", "min-chars = 1", 'charset = ""', "charset = 3", "charset = true", 'charset = ["a"]',
        'charset = "a"', 'charset = "aaab"', 'charset = "a b"', 'charset = "\\n"', 'charset = "é🔑"',
        'charset = "\\u0000"', 'charset = "\u00a0"', 'charset = "\u200b"', 'charset = "${a"',
        'charset = "${a}%{b}"', 'charset = "~!@#^&*()|\\\\\\""', "charset = <<E\nabc\nE\n",
        'charset = "abc" min-chars = 20', 'charset = "abc" min-chars = 21',
        'charset = "abc" min-chars = "1"', 'charset = "abc" min-chars = 1.9',
        'charset = "abc" min-chars = true', 'charset = "abc" min-chars = 0x14',
        'charset = "\\xc3\\xa9"', 'charset = "\\xff"',
    ]),
    f'length = 4 {ABC} rule "charset" {{ charset = "01" min-chars = 2 }}',
    f'length = 4 {ABC} rule "charset" {{ charset = "01" min-chars = 3 }}',
    '{"length": 20, "rule": {"charset": {"charset": "abc"}}}',
    '{"length": 20, "rule": {"charset": {"charset": "abc", "min-chars": 3}}}',
    '{"length": 20, "rule": [{"charset": {"charset": "abc"}}]}',
    '{"length": 20, "rule": [{"charset": [{"charset": "abc", "min-chars": 1}]},'
    ' {"charset": [{"charset": "def", "min-chars": 1}]}]}',
    '{"length": 20, "rule": {"charset": {"charset": "abc"}, "charset": {"charset": "def"}}}',
    '{"length": 20, "rule": {"charset": {"charset": "abc"}}, "rule": {"charset": {"charset": "d"}}}',
    '{"length": 20, "rule": {"charset": {"charset": "abc"}, "other": {}}}',
    '{"length": 20, "rule": {"other": {"charset": "abc"}}}', '{"length": 20, "rule": []}',
    '{"length": 20, "rule": {}}', '{"length": 20, "rule": "charset"}', '{"length": 20}',
    '{"length": 20, "rule": {"charset": null}}', '{"length": 20, "rule": {"charset": "abc"}}',
    '{"length": 2e1, "rule": {"charset": {"charset": "abc"}}}',
    '{"length": "20", "rule": {"charset": {"charset": "abc"}}}',
    '{"length": null, "rule": {"charset": {"charset": "abc"}}}',
    '{"length": 20, "rule": {"charset": {"charset": "abc", "min-chars": null}}}',
    '{"length": 20, "rule": {"charset": {"charset": "${a"}}}',
    '{"length": 20', "{length = 20}",
]  # fmt: skip

# Refused here, each with a clear error; docs/policies.md tells why.
ONLY_THERE = [
    f"length = 20 length = 30 {ABC}", f"length = 20{ABC}",
    f"LENGTH = 20 {ABC}", f"length = 20 foo = 1 {ABC}",
    *map(rule, [
        'charset = "abc" charset = "def"', 'CHARSET = "abc"', 'charset = "abc" min_chars = 1',
        'charset = "abc" min-chars = -1', 'charset = "abc" min-chars = 1 min-chars = 2',
    ]),
    '{"length": 20, "rule": {"charset": {"charset": "abc"}},}',
]  # fmt: skip


def write(oracle: Oracle, text: str) -> int:
    return oracle.send("PUT", "sys/policies/password/tried", {"policy": text})[0]


@pytest.mark.parametrize("text", SAME)
def test_same_answer_and_passwords_that_fit(oracle: Oracle, text: str) -> None:
    status = write(oracle, text)
    assert status in (204, 400)
    if status == 400:
        with pytest.raises(InvalidRequest):
            parse_password_policy(text)
        return
    policy = parse_password_policy(text)
    charset = {char for rule in policy.rules for char in rule.charset}
    _, answer = oracle.send("GET", "sys/policies/password/tried/generate")
    for password in (answer["data"]["password"], generate_password(policy)):
        check_password(policy, password)
        assert len(password) == policy.length
        assert set(password) <= charset


@pytest.mark.parametrize("text", ONLY_THERE)
def test_accepted_only_there(oracle: Oracle, text: str) -> None:
    assert write(oracle, text) == 204
    with pytest.raises(InvalidRequest):
        parse_password_policy(text)


def test_a_list_of_charsets_counts_whole(oracle: Oracle) -> None:
    """OpenBao takes the first of the list and drops the others without a word."""
    text = (
        '{"length": 20, "rule": {"charset": [{"charset": "abc"},'
        ' {"charset": "0", "min-chars": 9}]}}'
    )
    assert write(oracle, text) == 204
    _, answer = oracle.send("GET", "sys/policies/password/tried/generate")
    assert "0" not in answer["data"]["password"]
    assert generate_password(parse_password_policy(text)).count("0") >= 9
