"""Password policies: what is one, what fits one, and what they make."""

import pytest

from wardgate.core.passwords import check_password, generate_password, parse_password_policy
from wardgate.errors import InvalidRequest

HCL = """
length = 12
rule "charset" {
  charset = "abcdefghij"
  min-chars = 2
}
rule "charset" {
  charset = "0123456789"
  min-chars = 3
}
"""
JSON = (
    '{"length": 12, "rule": {"charset": ['
    '{"charset": "abcdefghij", "min-chars": 2}, {"charset": "0123456789", "min-chars": 3}]}}'
)


@pytest.mark.parametrize("text", [HCL, JSON])
def test_a_policy_is_hcl_or_json(text: str) -> None:
    policy = parse_password_policy(text)
    assert policy.length == 12
    assert [(rule.charset, rule.least) for rule in policy.rules] == [
        ("abcdefghij", 2),
        ("0123456789", 3),
    ]
    assert policy.text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "length = 12",
        'length = 3\nrule "charset" { charset = "ab" }',
        'length = 101\nrule "charset" { charset = "ab" }',
        'length = "12"\nrule "charset" { charset = "ab" }',
        'length = 12\nrule "charset" { charset = "" }',
        'length = 12\nrule "charset" { charset = "ab"\nmin-chars = -1 }',
        'length = 12\nrule "charset" { charset = "ab"\nmin-chars = 13 }',
        'length = 12\nrule "charset" { charset = "ab"\nmax-chars = 1 }',
        'length = 12\nrule "words" { charset = "ab" }',
        'length = 12\nwidth = 1\nrule "charset" { charset = "ab" }',
        '{"length": 12, "rule": 5}',
        '{"length": true, "rule": {"charset": {"charset": "ab"}}}',
        "[]",
        "[" * 60_000,
        '{"rule":' * 8_000,
        "x" * 70_000,
    ],
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_password_policy(text)
    assert refused.value.messages[0].startswith("policy: ")


def test_a_password_made_by_a_policy_fits_it() -> None:
    policy = parse_password_policy(HCL)
    made = {generate_password(policy) for _ in range(50)}
    assert len(made) == 50
    for password in made:
        assert len(password) == 12
        check_password(policy, password)


@pytest.mark.parametrize("password", ["abc123", "abcdefghij12", "0123456789a1", ""])
def test_a_password_that_does_not_fit_is_refused_without_being_repeated(password: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_password(parse_password_policy(HCL), password)
    assert not password or password not in refused.value.messages[0]


def test_a_password_may_have_characters_that_no_rule_speaks_of() -> None:
    check_password(parse_password_policy(HCL), "ab012 EFGÄÖÜ!")
