"""Password policies as people write them, and the passwords that fit them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.core.passwords import (
    LIMITS,
    LONGEST,
    SHORTEST,
    CharsetRule,
    PasswordPolicy,
    check_password,
    generate_password,
    parse_password_policy,
)
from wardgate.errors import InvalidRequest

DIGITS = 'rule "charset" { charset = "0123" }'


def refusal(text: str) -> str:
    with pytest.raises(InvalidRequest) as refused:
        parse_password_policy(text)
    return str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        'length = 20\nrule "charset" {\n  charset = "abc"\n  min-chars = 1\n}\n' + DIGITS,
        'length = 0x14 rule charset { "charset" = "aabc", "min-chars"\n=\n1.0, }' + DIGITS,
        'rule { "charset" { charset = "abc" min-chars = 1 } charset { charset = "0123" } }\n'
        "length = 20.5 # and no half characters",
        '{"length": 20, "rule": [{"charset": {"charset": "abc", "min-chars": 1}},'
        ' {"charset": {"charset": "0123"}}]}',
        '{"length": 2e1, "rule": {"charset": [{"charset": "abc", "min-chars": 1},'
        ' {"charset": "0123"}]}}',
        '{"length": 20, "rule": [{"charset": [{"charset": "abc", "min-chars": 1}]}],'
        ' "rule": {"charset": {"charset": "0123"}}}',
        '{"length": 20, "rule": {"charset": {"charset": "abc", "min-chars": 1},'
        ' "charset": {"charset": "0123"}}}',
    ],
)
def test_the_ways_to_write_a_policy(text: str) -> None:
    rules = (CharsetRule("abc", 1), CharsetRule("0123"))
    assert parse_password_policy(text) == PasswordPolicy(text, 20, rules)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DIGITS, "policy: length must be from 4 to 100"),
        ("length = 3 " + DIGITS, "policy: length must be from 4 to 100"),
        ("length = 101 " + DIGITS, "policy: length must be from 4 to 100"),
        ("length = 20", "policy: at least one 'rule \"charset\"' with a charset is needed"),
        ('\nlength = "20" ' + DIGITS, "policy: line 2: length must be a number, not negative"),
        ("length = -20 " + DIGITS, "policy: line 1: length must be a number, not negative"),
        ('{"length": null}', "policy: line 1: length must be a number, not negative"),
        ("length = 20\nlength = 20", "policy: line 2: length is given twice"),
        ("length = 20\nlenght = 20", "policy: line 2: only length and rule are known here"),
        ('\nrule "other" { charset = "abc" }', "policy: line 2: rule must be written as rule "
         '"charset" { charset = "..." }; there is no other kind'),
        ("rule = 3", "policy: line 1: rule must be written as"),
        ("rule {}", "policy: line 1: rule must be written as"),
        ('rule { charset = "abc" }', "policy: line 1: charset must be written as"),
        ('{"rule": {"charset": null}}', "policy: line 1: charset must be written as"),
        ('\nrule "charset" { min-chars = 1 }', "policy: line 2: a rule needs a charset"),
        ('rule "charset" {\n charset = "" }', "policy: line 2: charset must have from 1 to 1024"),
        ('rule "charset" { charset = 3 }', "policy: line 1: charset must be text of printable"),
        ('rule "charset" { charset = "a\\n" }', "policy: line 1: charset must be text of printable"),
        ('rule "charset" { charset = "\u00a0" }', "policy: line 1: charset must be text of print"),
        ('rule "charset" { charset = "a" charset = "b" }', "policy: line 1: charset is given twice"),
        ('rule "charset" { charset = "a" min_chars = 1 }', "policy: line 1: only charset and "
         "min-chars are known here"),
        ('rule "charset" { charset = "a" min-chars = -1 }', "policy: line 1: min-chars must be a "
         "number, not negative"),
        ('rule "charset" { charset = "a" min-chars = true }', "policy: line 1: min-chars must be"),
        ('length = 4 rule "charset" { charset = "a" min-chars = 5 }', "policy: the rules' min-chars "
         "add up to more than the length"),
        ("length = 20\nrule [", 'policy: line 2: expected "= value" or a block in { } after a key'),
        ('{"length": 20', "policy: line 1: is no valid JSON"),
        ("#" * (LIMITS.size + 1), "policy: longer than 65536 bytes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_line(text: str, message: str) -> None:
    assert refusal(text).startswith(message)


@pytest.mark.parametrize("text", ["hunter2 = 1", "length = hunter2", 'rule "hunter2" {}'])
def test_nothing_of_the_text_is_repeated(text: str) -> None:
    assert "hunter2" not in refusal(text)


@st.composite
def policies(draw: st.DrawFn) -> PasswordPolicy:
    rules, rest = [], draw(st.integers(SHORTEST, LONGEST))
    length = rest
    for charset in draw(st.lists(st.text("abcdé01🔑 ", min_size=1), min_size=1, max_size=4)):
        least = draw(st.integers(0, rest))
        rules.append(CharsetRule("".join(dict.fromkeys(charset)), least))
        rest -= least
    return PasswordPolicy("", length, tuple(rules))


@given(policies())
def test_a_generated_password_fits_its_policy(policy: PasswordPolicy) -> None:
    password = generate_password(policy)
    assert len(password) == policy.length
    assert set(password) <= {char for rule in policy.rules for char in rule.charset}
    for rule in policy.rules:
        assert sum(char in rule.charset for char in password) >= rule.least
    check_password(policy, password)


@given(policies())
def test_a_policy_is_the_same_in_hcl_and_json(policy: PasswordPolicy) -> None:
    hcl = f"length = {policy.length}\n" + "".join(
        f'rule "charset" {{ charset = "{rule.charset}" min-chars = {rule.least} }}\n'
        for rule in policy.rules
    )
    blocks = ", ".join(
        f'{{"charset": {{"charset": "{rule.charset}", "min-chars": {rule.least}}}}}'
        for rule in policy.rules
    )
    json = f'{{"length": {policy.length}, "rule": [{blocks}]}}'
    for text in (hcl, json):
        read = parse_password_policy(text)
        assert (read.length, read.rules) == (policy.length, policy.rules)
