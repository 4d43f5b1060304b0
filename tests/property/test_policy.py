"""Policies under arbitrary input: the compiled ACL against a slow reference, and the parser."""

import json
import random

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from tests.property import policy_reference as reference
from tests.property.policy_reference import Rule
from wardgate.core.operation import Operation
from wardgate.core.policy import Acl, Capability, PathRule, PolicyRules, parse_policy
from wardgate.errors import InvalidRequest

WORDS = [word.value for word in Capability]

segments = st.sampled_from(["a", "b", "ab", "abc", "a+", "c*d", ""])
paths = st.builds(
    lambda parts, slash: "/".join(parts) + slash,
    st.lists(segments, min_size=1, max_size=4),
    st.sampled_from(["", "", "/"]),
)


@st.composite
def patterns(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.one_of(segments, st.just("+")), min_size=1, max_size=4))
    pattern = "/".join(parts) + draw(st.sampled_from(["", "", "/", "*", "/*"]))
    return pattern.replace("+*", "+/*")


def rules_for(some_patterns: st.SearchStrategy[str]) -> st.SearchStrategy[Rule]:
    return st.builds(
        Rule,
        some_patterns,
        st.lists(st.sampled_from(WORDS), max_size=4, unique=True).map(tuple),
        st.sampled_from([0, 0, 0, 30, 60]),
        st.sampled_from([0, 0, 0, 60, 90]),
    )


rules = rules_for(patterns())

# Few patterns for many rules, so that rules for one pattern meet.
policies = st.lists(patterns(), min_size=1, max_size=8).flatmap(
    lambda pool: st.lists(
        st.lists(rules_for(st.sampled_from(pool)), max_size=8), min_size=1, max_size=4
    )
)


def compiled(texts: list[list[Rule]]) -> Acl:
    return Acl.compile(
        [
            PolicyRules(
                tuple(
                    PathRule(
                        rule.pattern,
                        frozenset(map(Capability, rule.capabilities)),
                        min_wrapping_ttl=rule.min_wrapping_ttl,
                        max_wrapping_ttl=rule.max_wrapping_ttl,
                    )
                    for rule in policy
                )
            )
            for policy in texts
        ]
    )


@given(policies, st.lists(paths, min_size=1, max_size=8))
def test_capabilities_are_those_of_the_reference(texts: list[list[Rule]], asked: list[str]) -> None:
    acl = compiled(texts)
    everything = [rule for policy in texts for rule in policy]
    # Asked twice, since the second answer may come from memory.
    for path in asked + asked:
        assert acl.capabilities(path) == reference.capabilities(everything, path.removeprefix("/"))


@given(
    policies,
    st.lists(
        st.tuples(
            st.sampled_from([op for op in Operation if op is not Operation.HELP]),
            paths,
            st.sampled_from([None, 0, 30, 60, 90]),
            st.booleans(),
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_decisions_are_those_of_the_reference(
    texts: list[list[Rule]], asked: list[tuple[Operation, str, int | None, bool]]
) -> None:
    acl = compiled(texts)
    everything = [rule for policy in texts for rule in policy]
    for operation, path, wrap_ttl, sudo in asked + asked:
        expected = reference.allows(everything, operation.value, path, wrap_ttl, sudo)
        assert acl.allows(operation, path, {}, wrap_ttl, sudo=sudo) == expected


@given(policies, st.lists(paths, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_policies_and_rules_does_not_matter(
    texts: list[list[Rule]], asked: list[str], shuffle: random.Random
) -> None:
    shuffled = [shuffle.sample(policy, len(policy)) for policy in texts]
    shuffle.shuffle(shuffled)
    one, other = compiled(texts), compiled(shuffled)
    assert [one.capabilities(path) for path in asked] == [other.capabilities(p) for p in asked]


@given(policies, rules, paths)
def test_a_further_policy_that_denies_never_grants(
    texts: list[list[Rule]], more: Rule, path: str
) -> None:
    before = compiled(texts)
    deny = Rule(more.pattern, ("deny",))
    after = compiled([*texts, [deny]])
    for operation in Operation:
        assert before.allows(operation, path, wrap_ttl=60) or not after.allows(
            operation, path, wrap_ttl=60
        ) or operation is Operation.HELP  # fmt: skip


@given(st.lists(rules, max_size=6))
def test_hcl_and_json_say_the_same(written: list[Rule]) -> None:
    hcl = "".join(
        f'path "{rule.pattern}" {{\n  capabilities = {json.dumps(rule.capabilities)}\n}}\n'
        for rule in written
    )
    blocks = ", ".join(
        f'"{rule.pattern}": {{"capabilities": {json.dumps(rule.capabilities)}}}' for rule in written
    )
    from_hcl = parse_policy(hcl)
    assert from_hcl == parse_policy(f'{{"path": {{{blocks}}}}}')
    assert [rule.path for rule in from_hcl.paths] == [
        rule.pattern.removeprefix("/") for rule in written
    ]


PIECES = [
    "path", '"a"', '"secret/*"', "{", "}", "[", "]", "(", ")", "=", ",", ":", "\n", " ",
    "capabilities", '["read"]', "policy", '"deny"', "allowed_parameters", "min_wrapping_ttl",
    "expiration", "name", "1h", "90", "-1", "0x1", "1.5", "1e9", "true", "null", "#", "//", "/*",
    "*/", '"', "\\", "${", "%{", "$${", "<<EOF\n", "<<-EOF\n", "\nEOF\n", "EOF", "{{", "}}",
    "{{identity.entity.id}}", "for", "in", "if", "?", "==", "&&", "=>", "...", "::", ".", "[*]",
    "\0", "\u00e9", "\u2028", "\ud800", "\r\n",
]  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=30).map("".join)))
@example('{"path": {"a": {"pagination_limit": ' + "9" * 5000 + "}}}")
@example('path "a" { pagination_limit = ' + "9" * 5000 + " }")
@example('path "a" { expiration = 1e400 }')
@example('path "a" { min_wrapping_ttl = 1e400 }')
@example('{"path": {"a": {"expiration": 1e400}}}')
@example('{"path": {"a": {"expiration": "9999-12-31T23:59:59-23:59"}}}')
@example('{"path": {"a": {"expiration": "0001-01-01T00:00:00+23:59"}}}')
@example('{"path": {"\\ud800": {"policy": "read"}}}')
def test_any_text_is_a_policy_or_an_invalid_request(text: str) -> None:
    try:
        parsed = parse_policy(text)
    except InvalidRequest:
        return
    stored = msgspec.msgpack.encode(parsed)
    assert msgspec.msgpack.decode(stored, type=PolicyRules) == parsed
    Acl.compile([parsed], now=0).capabilities("a")
