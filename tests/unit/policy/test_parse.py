"""Policy text, as people write it, and what is said when it is wrong."""

import json

import msgspec
import pytest

from wardgate.core.policy import Capability, PathRule, PolicyRules, parse_policy
from wardgate.core.policy.parse import LIMITS
from wardgate.errors import InvalidRequest

READ = frozenset({Capability.READ})
READ_LIST = frozenset({Capability.READ, Capability.LIST})


def the_rule(text: str) -> PathRule:
    (rule,) = parse_policy(text).paths
    return rule


def refusal(text: str) -> str:
    with pytest.raises(InvalidRequest) as refused:
        parse_policy(text)
    (message,) = refused.value.messages
    assert isinstance(message, str)
    assert message.startswith("failed to parse policy: ")
    return message.removeprefix("failed to parse policy: ")


@pytest.mark.parametrize(
    "text",
    [
        'path "a" { capabilities = ["read", "list"] }',
        'path "a" {\n  capabilities = ["read", "list"]\n}\n',
        'path "/a" { capabilities = ["read", "list",] }',
        'path "a"\n{\n  capabilities = [\n    "read", # why\n    "list",\n  ]\n}',
        '# one\n// two\n/* three */ path "a" { /* 4 */ capabilities = ["read", "list"] // 5\n}',
        'path "a" { policy = "read" }',
        'path "a" { policy = "read" capabilities = ["list"] }',
        'path a { policy = "read" }',
        'path "\\u0061" { policy = "read" }',
        'name = "mine"\npath "a" { policy = "read" }',
        'path "a" {\n  comment = <<EOF\n} path "b" { capabilities = ["sudo"] }\nEOF\n'
        '  policy = "read"\n}',
        'path "a" {\n  comment = <<-EOF\n    indented\n    EOF\n  policy = "read"\n}',
        '\r\npath "a" {\r\n  policy = "read"\r\n}\r\n',
        'path "a" { capabilities = ["read", "list"], }',
        '"path" "a" { "capabilities" = ["read", "list"] }',
        'path\n"a"\n{\n  capabilities\n  =\n  ["read", "list"]\n}',
        'path "a" { policy /* old */ = # and short\n "read" }',
        'path "a" { policy = "read" "comment" = { "a" = 0x10, b = 010 } }',
        '{"path": {"a": {"capabilities": ["read", "list"]}}}',
        '{"path": {"a": {"policy": "read", "comment": null}}}',
        '  {"path": [{"a": {"policy": "read"}}]}',
        'path = { "a" = { policy = "read" } }',
    ],
)
def test_the_ways_to_write_a_rule(text: str) -> None:
    assert the_rule(text) == PathRule("a", READ_LIST)


@pytest.mark.parametrize("text", ["", " \n", "# nothing\n", "{}", "path {}", 'name = "x"'])
def test_a_policy_may_hold_no_rule(text: str) -> None:
    assert parse_policy(text) == PolicyRules()


@pytest.mark.parametrize(
    "text",
    [
        'path "a" { policy = "deny" } path "a" { policy = "read" }',
        '{"path": {"a": {"policy": "deny"}, "a": {"policy": "read"}}}',
    ],
)
def test_a_path_that_comes_twice_keeps_both_rules(text: str) -> None:
    assert [rule.capabilities for rule in parse_policy(text).paths] == [
        {Capability.DENY},
        READ_LIST,
    ]


def test_a_list_that_comes_twice_is_put_together() -> None:
    rule = the_rule('path "a" { capabilities = ["deny"] capabilities = ["read"] }')
    assert rule.capabilities == {Capability.DENY, Capability.READ}
    rule = the_rule('{"path": {"a": {"capabilities": ["deny"], "capabilities": ["read"]}}}')
    assert rule.capabilities == {Capability.DENY, Capability.READ}


def test_the_shorthand_of_old_policies() -> None:
    write = {"create", "read", "update", "delete", "list"}
    assert the_rule('path "a" { policy = "write" }').capabilities == write
    assert the_rule('path "a" { policy = "sudo" }').capabilities == write | {"sudo"}
    assert the_rule('path "a" { policy = "deny" }').capabilities == {"deny"}


def test_text_in_quotes_means_itself() -> None:
    assert the_rule('path "a/${b}/#c//d/*" { }').path == "a/${b}/#c//d/*"
    assert the_rule('path "a\\"b\\\\c" { }').path == 'a"b\\c'


def test_every_limit_of_a_rule() -> None:
    rule = the_rule("""
        path "kv/*" {
          capabilities        = ["update", "list"]
          min_wrapping_ttl    = "90"
          max_wrapping_ttl    = "1h30m"
          allowed_parameters  = {
            "Name" = ["a*", 1, true, ["x", "y"]]
            "*"    = []
          }
          denied_parameters   = { secret = [] "secret" = ["x"], other = ["y"] }
          denied_parameters { other = ["z"] }
          required_parameters = ["name", "KIND"]
          pagination_limit    = "100"
          list_scan_response_keys_filter_path = "kv/{{ .key }}"
          expiration          = "2030-01-01T00:00:00Z"
          comment             = { anything = "goes" }
        }
    """)
    assert rule == PathRule(
        path="kv/*",
        capabilities=frozenset({Capability.UPDATE, Capability.LIST}),
        min_wrapping_ttl=90,
        max_wrapping_ttl=5400,
        allowed_parameters={"name": ("a*", 1, True, ["x", "y"]), "*": ()},
        denied_parameters={"secret": (), "other": ("y", "z")},
        required_parameters=("name", "kind"),
        pagination_limit=100,
        list_filter="kv/{{ .key }}",
        expiration=1_893_456_000.0,
    )


def test_a_minimal_ttl_below_a_second_is_still_a_limit() -> None:
    assert the_rule('path "a" { min_wrapping_ttl = "1ms" }').min_wrapping_ttl == 1
    assert "max_wrapping_ttl must be at least" in refusal('path "a" { max_wrapping_ttl = "1ms" }')


def test_rules_can_be_stored_and_read_back() -> None:
    rules = parse_policy(
        'path "a" { capabilities = ["read"] allowed_parameters = { a = ["b", 1, [true]] } }'
    )
    stored = msgspec.json.encode(rules)
    assert msgspec.json.decode(stored, type=PolicyRules) == rules


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('path "a" { capabilities = ["read" }', "line 1: expected a comma or ] in a list"),
        ('path "a" {\n', "line 2: a block is not closed; end it with }"),
        ('{"path": }', "line 1: is no valid JSON: Expecting value"),
        ('path "a" {\n comment = 1 + 1\n}', "line 2: a character that has no meaning here; "
         "texts stand in quotation marks"),
        ('path "a" { comment = b }', "line 1: expected a value; texts and durations stand in "
         "quotation marks"),
        ('path "a" { comment = "\\x" }', "line 1: a text has an unknown \\ escape, or one that is "
         "no character; write \\\\ for a backslash"),
        ('path "a" { min_wrapping_ttl = 08 }', "line 1: a whole number that begins with 0 is octal, "
         "and has no 8 or 9"),
        ('name = "x"\nfoo = 1', 'line 2: invalid key "foo"; write path blocks'),
        ('path "a" { foo = 1 }', 'path "a": invalid key "foo"'),
        ('path "a" { "FOO BAR" = 1 }'.replace('"FOO BAR"', "FOOBAR"), 'path "a": invalid key'),
        ('path "a" "b" { policy = "read" }', 'path "a": invalid key "b"'),
        ('path "a" { policy = "reed" }', 'path "a": policy must be one of deny, read, write, sudo'),
        ('path "a" { policy = "read" policy = "deny" }', 'path "a": policy is given twice'),
        ('path "a" { capabilities = "read" }', 'path "a": capabilities must be a list'),
        ('path "a" { capabilities = ["reed"] }', 'path "a": capabilities holds an invalid '
         "capability; known are create, read, update, patch, delete, list, scan, sudo, deny"),
        ('path "a" { min_wrapping_ttl = "soon" }',
         'path "a": min_wrapping_ttl must be a duration, such as 90 or 1h30m'),
        ('path "a" { min_wrapping_ttl = -1 }', 'path "a": min_wrapping_ttl must not be negative'),
        ('path "a" { min_wrapping_ttl = 60 max_wrapping_ttl = 30 }',
         'path "a": max_wrapping_ttl cannot be less than min_wrapping_ttl'),
        ('path "a" { allowed_parameters = { b = "c" } }',
         'path "a": allowed_parameters must map each parameter to a list of values'),
        ('path "a" { required_parameters = [true] }',
         'path "a": required_parameters must be a list of parameter names'),
        ('path "a" { pagination_limit = 1.5 }',
         'path "a": pagination_limit must be a whole number'),
        ('path "a" { expiration = "tomorrow" }', 'path "a": expiration must be a time such as '
         "2030-01-31T12:00:00Z, or seconds since 1970"),
        ('path "a" { list_scan_response_keys_filter_path = "{{ .key }}" }', 'path "a": '
         "list_scan_response_keys_filter_path needs the list or scan capability beside it"),
        ('path "a" { policy = "read" list_scan_response_keys_filter_path = "{{ .path }}" }',
         'path "a": list_scan_response_keys_filter_path must hold {{ .key }}, or all keys would '
         "stand and fall together"),
        ('path "a" { policy = "read" list_scan_response_keys_filter_path = "{{ .k }}{{ .key }}" }',
         'path "a": list_scan_response_keys_filter_path may only refer to {{ .path }} and '
         "{{ .key }}"),
        ('path "a/+*" { }', 'path "a/+*": +* is not allowed; write +/* for everything below any '
         "one segment"),
        ('path "{{identity.entity.id" { }', 'path "{{identity.entity.id": has a template that is '
         "not closed, or not opened: write {{identity.entity.id}}"),
        ('path "a" { mfa_methods = ["m"] }', 'path "a": mfa_methods is not supported, and a rule '
         "must not grant without what it asks for"),
        ('{"path": {"a": {"allowed_parameters": {"b": [null]}}}}', 'path "a": allowed_parameters '
         "holds a null; no parameter has that value"),
        ('{"path": {"a": {"policy": null}}}', 'path "a": policy must be text in quotes'),
        ('{"path": {"a": {"expiration": NaN}}}', "NaN and Infinity are no values"),
        ('{"path": {"\\ud800": 1}}', "half of a surrogate pair is no character"),
        ('{"path": {"a": {"pagination_limit": 1' + "0" * 19 + "}}}", "a number is too large, "
         "or too long"),
        ('path "a" { comment = 1' + "0" * 19 + " }", "line 1: a number is too large, or too long"),
        ('path "a" { comment = 1e400 }', "line 1: a number is too large, or too long"),
        ('{"path": {"a": 1}}', 'path "a": needs a block of keys'),
        ("path = 1", '"path" needs a path and a block, as in path "secret/*" { capabilities = '
         '["read"] }'),
        ("\0", "line 1: a NUL character has no meaning"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_place(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize(
    "text",
    [
        'path "a" { capabilities = ["hunter2"] }',
        'path "a" { policy = "hunter2" }',
        'path "a" { min_wrapping_ttl = "hunter2" }',
        'path "a" { expiration = "hunter2" }',
        'path "a" { allowed_parameters = { b = hunter2 } }',
        'path "a" { HUNTER2 = "hunter2" }',
        'path "a" { capabilities = ["hunter2" }',
        '{"path": hunter2}',
    ],
)
def test_values_are_never_repeated(text: str) -> None:
    assert "hunter2" not in refusal(text).lower()


@pytest.mark.parametrize("opening", ["[", "{a="])
def test_deep_nesting_is_refused(opening: str) -> None:
    assert "nested deeper than 32" in refusal('path "a" { comment = ' + opening * 20_000)
    assert "nested deeper than 32" in refusal('{"path": ' + "[" * 20_000)


def test_brackets_in_texts_and_comments_do_not_nest() -> None:
    opening = "{[(" * 20
    assert the_rule(f'# {opening}\n// {opening}\n/* {opening} */ path "{opening}" {{ }}').path


@pytest.mark.parametrize("start", ["#", "{}"])
def test_long_policies_are_refused(start: str) -> None:
    assert parse_policy(start.ljust(LIMITS.size)) == PolicyRules()
    assert f"longer than {LIMITS.size} bytes" in refusal(start.ljust(LIMITS.size + 1))


def test_json_that_repeats_keys_at_every_level_is_merged() -> None:
    text = json.dumps({"path": {"a": {"policy": "read"}}})
    both = text[:-1] + ", " + text[1:]
    assert len(parse_policy(both).paths) == 2
